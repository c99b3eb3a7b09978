// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cli/npy.h"

#include <fcntl.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "cli/npy_header.h"
#include "util/file.h"

static_assert(std::endian::native == std::endian::little, "data is read and written as it lies in memory");

namespace jitney::cli {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMaxHeader = 64 << 10;  // numpy refuses to evaluate more than 10,000 characters

/// numpy's code for each DType, in its order.
constexpr std::array<std::string_view, kDTypeCount> kCodes = {"f4", "f8", "f2", "u2", "i1", "i2", "i4", "i8",
                                                              "u1", "u2", "u4", "u8", "b1", "V1", "V1", "V1",
                                                              "V1", "V1", "V1", "V1", "V1", "V1", "V1"};

std::string descr_of(DType dtype) {
  return (size_of(dtype) == 1 ? "|" : "<") + std::string(kCodes[static_cast<std::size_t>(dtype)]);
}

Expected<DType> dtype_of(std::string_view descr, std::optional<DType> wanted) {
  const std::string_view code = descr.substr(std::min<std::size_t>(1, descr.size()));
  if (wanted && is_storage_only(*wanted) && (code == "V1" || code == "f1" || code == "u1" || code == "i1"))
    return *wanted;
  if (code == "V2" && descr[0] != '>' && wanted == DType::bf16) return DType::bf16;
  for (std::size_t i = 0; i < kCodes.size(); ++i) {
    const auto dtype = static_cast<DType>(i);
    if (kCodes[i] != code || dtype == DType::bf16 || is_storage_only(dtype)) continue;
    if (size_of(dtype) > 1) {
      if (descr[0] == '>') {
        return user_error("its dtype '{}' is big-endian, and only little-endian data can be read", descr);
      }
      if (descr[0] != '<' && descr[0] != '=') break;
    }
    return dtype == DType::u16 && wanted == DType::bf16 ? DType::bf16 : dtype;
  }
  std::string shown(descr.substr(0, 32));
  for (char& c : shown) {
    if (c < ' ' || c > '~') c = '?';
  }
  if (code.starts_with('O'))
    return user_error("its dtype '{}' is Python objects, and only plain numbers can be read", shown);
  return user_error("its dtype '{}' is not supported; float16 to float64, int8 to int64, uint8 to uint64 and bool are",
                    shown);
}

/// A file read front to back, whose size was asked once.
class Reader {
 public:
  static Expected<Reader> open(const std::string& path) {
    auto fd = open_regular(AT_FDCWD, path.c_str(), /*follow_symlinks=*/true);
    struct stat status{};
    if (!fd)
      return user_error("it cannot be read: {}", fd.error() == EINVAL ? "not a regular file" : errno_text(fd.error()));
    if (fstat(fd->get(), &status) != 0) return environment_error("it cannot be read: {}", errno_text(errno));
    return Reader(std::move(*fd), static_cast<std::uint64_t>(status.st_size));
  }

  std::uint64_t left() const { return left_; }

  /// Fills all of `into`.
  Status read(std::span<std::byte> into) {
    while (!into.empty()) {
      const auto got = retry_interrupted([&] { return ::read(fd_.get(), into.data(), into.size()); });
      if (got < 0) return environment_error("it cannot be read: {}", errno_text(errno));
      if (got == 0) return user_error("it is truncated");
      into = into.subspan(static_cast<std::size_t>(got));
      left_ -= std::min(left_, static_cast<std::uint64_t>(got));
    }
    return {};
  }

 private:
  Reader(unique_fd fd, std::uint64_t size) : fd_(std::move(fd)), left_(size) {}
  unique_fd fd_;
  std::uint64_t left_;
};

Expected<NpyHeader> read_header(Reader& reader) {
  std::array<unsigned char, 8> start{};
  if (reader.left() < start.size()) return user_error("it is no .npy file: it has {} bytes", reader.left());
  JITNEY_CHECK(reader.read(std::as_writable_bytes(std::span(start))));
  if (std::memcmp(start.data(), kMagic.data(), kMagic.size()) != 0) return user_error("it is no .npy file");
  const unsigned major = start[6];
  if (major < 1 || major > 3) return user_error("its .npy format version is {}; 1 to 3 can be read", major);
  std::array<unsigned char, 4> length{};
  JITNEY_CHECK(reader.read(std::as_writable_bytes(std::span(length).first(major == 1 ? 2 : 4))));
  const std::size_t size = length[0] | length[1] << 8 | length[2] << 16 | static_cast<std::size_t>(length[3]) << 24;
  if (size > kMaxHeader) return user_error("its header claims {} bytes; at most {} are allowed", size, kMaxHeader);
  if (size > reader.left()) return user_error("it is truncated within its header");
  std::string text(size, '\0');
  JITNEY_CHECK(reader.read(std::as_writable_bytes(std::span(text))));
  return parse_npy_header(text);
}

/// Bytes of the data; an extent of 0 makes it empty, however large the others are.
Expected<std::uint64_t> data_bytes(const NpyHeader& header, DType dtype) {
  std::uint64_t bytes = size_of(dtype);
  bool overflow = false;
  for (const std::int64_t extent : header.shape) {
    if (extent == 0) return 0;
    overflow |= __builtin_mul_overflow(bytes, static_cast<std::uint64_t>(extent), &bytes);
  }
  if (overflow) return user_error("its shape claims more than 2^64 bytes");
  return bytes;
}

/// From column-major to row-major: walks the target in order, and steps through the source by its strides.
void rearrange(const std::vector<std::byte>& from, Tensor& to) {
  const std::vector<std::int64_t>& shape = to.shape();
  const std::size_t size = size_of(to.dtype());
  std::vector<std::int64_t> index(shape.size(), 0), stride(shape.size());
  std::int64_t step = static_cast<std::int64_t>(size);
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    stride[axis] = step;
    step *= shape[axis];
  }
  std::int64_t offset = 0;
  auto* out = to.as<std::byte>();
  const std::int64_t count = to.num_elements();
  for (std::int64_t i = 0; i < count; ++i, out += size) {
    std::memcpy(out, from.data() + offset, size);
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      offset += stride[axis];
      if (++index[axis] < shape[axis]) break;
      offset -= stride[axis] * shape[axis];
      index[axis] = 0;
    }
  }
}

Expected<Tensor> read_tensor(const std::string& path, std::optional<DType> wanted) {
  JITNEY_TRY(Reader reader, Reader::open(path));
  JITNEY_TRY(NpyHeader header, read_header(reader));
  JITNEY_TRY(const DType dtype, dtype_of(header.descr, wanted));
  JITNEY_TRY(const std::uint64_t bytes, data_bytes(header, dtype));
  if (reader.left() != bytes) {
    return user_error("its shape [{}] needs {} bytes of data, and it has {}", fmt::join(header.shape, ", "), bytes,
                      reader.left());
  }
  Tensor tensor(dtype, std::move(header.shape));
  if (header.fortran_order && tensor.shape().size() > 1 && bytes > 0) {
    std::vector<std::byte> columns(bytes);
    JITNEY_CHECK(reader.read(columns));
    rearrange(columns, tensor);
  } else {
    JITNEY_CHECK(reader.read({tensor.as<std::byte>(), static_cast<std::size_t>(bytes)}));
  }
  if (dtype == DType::boolean) {  // any other byte would be undefined in a kernel
    for (auto& byte : std::span(tensor.as<std::uint8_t>(), static_cast<std::size_t>(bytes))) byte = byte != 0;
  }
  return tensor;
}

}  // namespace

Expected<Tensor> read_npy(const std::string& path, std::optional<DType> wanted) {
  try {
    return read_tensor(path, wanted).map_error([&](const Failure& failure) {
      return Failure{failure.kind, fmt::format("'{}': {}", path, failure.message)};
    });
  } catch (const Error& error) {  // Tensor had no memory
    return tl::unexpected(Failure{error.kind(), fmt::format("'{}': {}", path, error.what())});
  }
}

Status write_npy(const std::string& path, const Tensor& tensor) {
  const std::string header = format_npy_header({.descr = descr_of(tensor.dtype()), .shape = tensor.shape()});
  JITNEY_TRY(AtomicFile file, AtomicFile::create(path, {}));
  JITNEY_CHECK(file.write(std::as_bytes(std::span(header))));
  JITNEY_CHECK(file.write({static_cast<const std::byte*>(tensor.data()), tensor.num_bytes()}));
  return file.commit();
}

}  // namespace jitney::cli
