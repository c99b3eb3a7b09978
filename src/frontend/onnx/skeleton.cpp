// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Walks the wire format (protobuf.dev/programming-guides/encoding) two levels deep: ModelProto.graph and
// GraphProto.initializer. Everything else is copied as it stands.
#include "frontend/onnx/skeleton.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>

namespace jitney::onnx {
namespace {

namespace io = google::protobuf::io;

enum WireType : std::uint32_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

constexpr std::uint32_t kGraph = proto::ModelProto::kGraphFieldNumber;
constexpr std::uint32_t kInitializer = proto::GraphProto::kInitializerFieldNumber;
constexpr std::uint32_t kRawData = proto::TensorProto::kRawDataFieldNumber;
constexpr int kLarge = 4096;  // smaller data costs less to copy than to read by itself

void put_varint(std::uint64_t v, std::string& out) {
  for (; v >= 0x80; v >>= 7) out += static_cast<char>(v | 0x80);
  out += static_cast<char>(v);
}

void put_message(std::uint32_t tag, const std::string& message, std::string& out) {
  put_varint(tag, out);
  put_varint(message.size(), out);
  out += message;
}

class Walker {
 public:
  Walker(io::CodedInputStream& in, Skeleton& skeleton) : in_(in), skeleton_(skeleton) {}

  bool model(std::string& out) {
    return fields(out, [&](std::uint32_t tag, int size) {
      if (tag >> 3 != kGraph) return copy(tag, size, out);
      std::string message;
      if (!limited(size, [&] { return graph(message); })) return false;
      put_message(tag, message, out);
      return true;
    });
  }

 private:
  io::CodedInputStream& in_;
  Skeleton& skeleton_;

  bool graph(std::string& out) {
    return fields(out, [&](std::uint32_t tag, int size) {
      if (tag >> 3 != kInitializer) return copy(tag, size, out);
      std::string message;
      skeleton_.raw_data.emplace_back();
      if (!limited(size, [&] { return tensor(message, skeleton_.raw_data.back()); })) return false;
      put_message(tag, message, out);
      return true;
    });
  }

  bool tensor(std::string& out, std::optional<FileRange>& data) {
    return fields(out, [&](std::uint32_t tag, int size) {
      if (tag >> 3 != kRawData) return copy(tag, size, out);
      if (data) return false;  // twice: the last one would count
      if (size < kLarge) return copy(tag, size, out);
      data = FileRange{in_.CurrentPosition(), size};
      return in_.Skip(size);
    });
  }

  template <class F>
  bool limited(int size, F f) {
    const auto limit = in_.PushLimit(size);
    const bool done = in_.BytesUntilLimit() == size && f() && in_.BytesUntilLimit() == 0;
    in_.PopLimit(limit);
    return done;
  }

  /// Every field up to the limit; `on_bytes` handles those of a length, whose content comes next.
  template <class F>
  bool fields(std::string& out, F on_bytes) {
    while (const std::uint32_t tag = in_.ReadTag()) {
      std::uint64_t number = 0;
      std::uint32_t word = 0;
      int size = 0;
      switch (tag & 7) {
        case varint:
          if (!in_.ReadVarint64(&number)) return false;
          put_varint(tag, out);
          put_varint(number, out);
          break;
        case fixed64:
          if (!in_.ReadLittleEndian64(&number)) return false;
          put_varint(tag, out);
          for (int i = 0; i < 8; ++i) out += static_cast<char>(number >> (8 * i));
          break;
        case fixed32:
          if (!in_.ReadLittleEndian32(&word)) return false;
          put_varint(tag, out);
          for (int i = 0; i < 4; ++i) out += static_cast<char>(word >> (8 * i));
          break;
        case bytes:
          if (!in_.ReadVarintSizeAsInt(&size) || !on_bytes(tag, size)) return false;
          break;
        default: return false;
      }
    }
    return in_.ConsumedEntireMessage();
  }

  bool copy(std::uint32_t tag, int size, std::string& out) {
    std::string content;
    if (!in_.ReadString(&content, size)) return false;
    put_message(tag, content, out);
    return true;
  }
};

}  // namespace

std::optional<Skeleton> read_skeleton(int file, std::int64_t file_size) {
  if (file_size > 0x7fffffff) return std::nullopt;
  io::FileInputStream stream(file, 1 << 16);
  io::CodedInputStream in(&stream);
  in.SetTotalBytesLimit(0x7fffffff);
  Skeleton skeleton;
  if (!Walker(in, skeleton).model(skeleton.bytes) || in.CurrentPosition() != file_size) return std::nullopt;
  return skeleton;
}

}  // namespace jitney::onnx
