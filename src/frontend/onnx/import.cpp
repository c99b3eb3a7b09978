// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "frontend/onnx/import.h"

#include <fcntl.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <new>

#include "frontend/onnx/model_importer.h"
#include "frontend/onnx/skeleton.h"

namespace jitney::onnx {
namespace {

namespace io = google::protobuf::io;

/// Parses with the budgets set before the first byte is read.
Status parse(io::ZeroCopyInputStream& stream, std::size_t bytes, const ImportOptions& options,
             proto::ModelProto& model) {
  if (bytes == 0) return user_error("the file is empty; an ONNX model is expected");
  if (bytes > options.max_bytes || bytes > 0x7fffffff) {
    return user_error("the model has {} bytes; at most {} are accepted (larger weights belong into external data)",
                      bytes, std::min<std::size_t>(options.max_bytes, 0x7fffffff));
  }
  io::CodedInputStream coded(&stream);
  coded.SetTotalBytesLimit(0x7fffffff);
  coded.SetRecursionLimit(options.max_depth);
  if (!model.ParseFromCodedStream(&coded) || !coded.ConsumedEntireMessage()) {
    return user_error("the file is not an ONNX model, or it is truncated or nested more than {} deep",
                      options.max_depth);
  }
  return {};
}

/// One sentence for whatever the standard library or a tensor throws.
template <class F>
auto guarded(F f) -> decltype(f()) {
  try {
    return f();
  } catch (const Error& error) {
    return tl::unexpected(Failure{error.kind(), error.what()});
  } catch (const std::bad_alloc&) {
    return environment_error("no memory left to import the model");
  }
}

Status in_file(const std::string& path, Status status) {
  if (!status)
    return tl::unexpected(
        Failure{status.error().kind, fmt::format("cannot import '{}': {}", path, status.error().message)});
  return status;
}

struct Descriptor {
  int fd;
  ~Descriptor() { ::close(fd); }
};

Expected<ir::Graph> import_open_file(const std::string& path, const ImportOptions& options) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    const int error = errno;
    if (error == ENOENT) return user_error("cannot import '{}': there is no such file", path);
    if (error == EMFILE || error == ENFILE || error == ENOMEM)
      return environment_error("cannot open '{}': {}", path, std::strerror(error));
    return user_error("cannot import '{}': {}", path, std::strerror(error));
  }
  const Descriptor file{fd};
  struct stat status{};
  if (::fstat(fd, &status) != 0) return environment_error("cannot read '{}': {}", path, std::strerror(errno));
  if (!S_ISREG(status.st_mode)) return user_error("cannot import '{}': it is not a regular file", path);

  proto::ModelProto model;
  // Without a descriptor to spare, everything is read now.
  auto kept = OpenFile::duplicate(fd, path);
  DataInFile weights{kept ? std::move(*kept) : nullptr, {}};
  const auto skeleton = weights.file ? read_skeleton(fd, status.st_size) : std::nullopt;
  if (skeleton && status.st_size > 0) {
    io::ArrayInputStream stream(skeleton->bytes.data(), static_cast<int>(skeleton->bytes.size()));
    JITNEY_CHECK(in_file(path, parse(stream, skeleton->bytes.size(), options, model)));
    for (int i = 0; i < model.graph().initializer_size(); ++i)
      if (const auto& range = skeleton->raw_data[static_cast<std::size_t>(i)])
        weights.ranges.emplace(&model.graph().initializer(i), *range);
  } else {
    ::lseek(fd, 0, SEEK_SET);
    io::FileInputStream stream(fd, 1 << 20);
    Status parsed = parse(stream, static_cast<std::size_t>(status.st_size), options, model);
    if (stream.GetErrno() != 0)
      return environment_error("cannot read '{}': {}", path, std::strerror(stream.GetErrno()));
    JITNEY_CHECK(in_file(path, std::move(parsed)));
  }

  auto graph = ModelImporter(model, std::filesystem::path(path).parent_path().string(), options, &weights).run();
  if (!graph) JITNEY_CHECK(in_file(path, tl::unexpected(graph.error())));
  graph->metadata["source"] = path;
  return graph;
}

}  // namespace

Expected<ir::Graph> import_file(const std::string& path, const ImportOptions& options) {
  return guarded([&]() -> Expected<ir::Graph> { return import_open_file(path, options); });
}

Expected<ir::Graph> import_bytes(std::span<const std::byte> bytes, const std::optional<std::string>& base_directory,
                                 const ImportOptions& options) {
  return guarded([&]() -> Expected<ir::Graph> {
    if (bytes.size() > 0x7fffffff)
      return user_error("the model has {} bytes; at most {} are accepted", bytes.size(), 0x7fffffff);
    proto::ModelProto model;
    io::ArrayInputStream stream(bytes.data(), static_cast<int>(bytes.size()));
    JITNEY_CHECK(parse(stream, bytes.size(), options, model));
    return ModelImporter(model, base_directory, options).run();
  });
}

Expected<Declared> read_declared(std::span<const std::byte> bytes, const ImportOptions& options) {
  return guarded([&]() -> Expected<Declared> {
    proto::ModelProto model;
    io::ArrayInputStream stream(bytes.data(), static_cast<int>(std::min<std::size_t>(bytes.size(), 0x7fffffff)));
    JITNEY_CHECK(parse(stream, bytes.size(), options, model));
    return ModelImporter(model, std::nullopt, options).look();
  });
}

}  // namespace jitney::onnx
