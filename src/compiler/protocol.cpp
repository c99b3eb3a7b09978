// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "compiler/protocol.h"

#include <bit>
#include <cstring>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace jitney::compiler {
namespace {

constexpr std::uint32_t kMaxListItems = 4096;

std::uint64_t digest_of(std::span<const std::byte> payload) { return XXH3_64bits(payload.data(), payload.size()); }

template <class T>
T to_little_endian(T value) {
  if constexpr (std::endian::native == std::endian::big) {
    T swapped = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) swapped = T(swapped << 8) | ((value >> (8 * i)) & 0xff);
    return swapped;
  }
  return value;
}

class Writer {
 public:
  explicit Writer(MessageType type) : bytes_(kHeaderBytes), type_(type) {}

  template <class T>
  void number(T value) {
    value = to_little_endian(value);
    auto* p = reinterpret_cast<const std::byte*>(&value);
    bytes_.insert(bytes_.end(), p, p + sizeof value);
  }
  void real(double value) { number(std::bit_cast<std::uint64_t>(value)); }
  void raw(std::span<const std::byte> data) {
    number<std::uint64_t>(data.size());
    bytes_.insert(bytes_.end(), data.begin(), data.end());
  }
  void text(std::string_view s) { raw(std::as_bytes(std::span(s.data(), s.size()))); }
  void list(const std::vector<std::string>& items) {
    number<std::uint32_t>(static_cast<std::uint32_t>(items.size()));
    for (const auto& item : items) text(item);
  }

  std::vector<std::byte> finish() && {
    auto payload = std::span<const std::byte>(bytes_).subspan(kHeaderBytes);
    put(0, kProtocolMagic);
    put(4, kProtocolVersion);
    put(6, static_cast<std::uint16_t>(type_));
    put(8, static_cast<std::uint64_t>(payload.size()));
    put(16, digest_of(payload));
    return std::move(bytes_);
  }

 private:
  template <class T>
  void put(std::size_t at, T value) {
    value = to_little_endian(value);
    std::memcpy(bytes_.data() + at, &value, sizeof value);
  }

  std::vector<std::byte> bytes_;
  MessageType type_;
};

/// Reads fields in order; the first field that is not there makes every later read give zeros, and done() fail.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : rest_(bytes) {}

  template <class T>
  T number() {
    T value = 0;
    if (rest_.size() < sizeof value) return fail(), value;
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_ = rest_.subspan(sizeof value);
    return to_little_endian(value);
  }
  double real() { return std::bit_cast<double>(number<std::uint64_t>()); }
  std::span<const std::byte> raw() {
    auto count = number<std::uint64_t>();
    if (count > rest_.size()) return fail(), std::span<const std::byte>{};
    auto data = rest_.first(count);
    rest_ = rest_.subspan(count);
    return data;
  }
  std::string text() {
    auto data = raw();
    return {reinterpret_cast<const char*>(data.data()), data.size()};
  }
  std::vector<std::string> list() {
    std::vector<std::string> items;
    auto count = number<std::uint32_t>();
    if (count > kMaxListItems) return fail(), items;
    for (std::uint32_t i = 0; i < count && !failed_; ++i) items.push_back(text());
    return items;
  }
  void require(bool condition) {
    if (!condition) fail();
  }
  bool done() const { return !failed_ && rest_.empty(); }

 private:
  void fail() {
    failed_ = true;
    rest_ = {};
  }

  std::span<const std::byte> rest_;
  bool failed_ = false;
};

}  // namespace

std::uint64_t payload_cap(MessageType type) {
  switch (type) {
    case MessageType::hello: return 1u << 20;
    case MessageType::request: return 64u << 20;
    case MessageType::result: return 256u << 20;
  }
  return 0;
}

std::vector<std::byte> encode(const Hello& hello) {
  Writer w(MessageType::hello);
  w.text(hello.identity);
  w.list(hello.mapped_files);
  return std::move(w).finish();
}

std::vector<std::byte> encode(const Request& request) {
  Writer w(MessageType::request);
  w.number(request.id);
  w.text(request.name);
  w.text(request.source);
  w.list(request.options);
  w.number<std::uint8_t>(request.optimize);
  return std::move(w).finish();
}

std::vector<std::byte> encode(const Result& result) {
  Writer w(MessageType::result);
  w.number(result.id);
  w.number(static_cast<std::uint8_t>(result.status));
  w.raw(result.binary);
  w.text(result.diagnostics);
  w.real(result.seconds);
  w.real(result.link_seconds);
  return std::move(w).finish();
}

Expected<Header> decode_header(std::span<const std::byte> bytes) {
  if (bytes.size() < kHeaderBytes)
    return internal_error("a message header needs {} bytes, got {}", kHeaderBytes, bytes.size());
  Reader r(bytes.first(kHeaderBytes));
  auto magic = r.number<std::uint32_t>();
  if (magic != kProtocolMagic)
    return internal_error("a message starts with {:#x} instead of {:#x}", magic, kProtocolMagic);
  auto version = r.number<std::uint16_t>();
  if (version != kProtocolVersion) {
    return environment_error("it speaks protocol version {}, this library speaks {}", version, kProtocolVersion);
  }
  Header header;
  header.type = static_cast<MessageType>(r.number<std::uint16_t>());
  header.length = r.number<std::uint64_t>();
  header.digest = r.number<std::uint64_t>();
  auto cap = payload_cap(header.type);
  if (cap == 0) return internal_error("message type {} does not exist", static_cast<int>(header.type));
  if (header.length > cap) return internal_error("a message of {} bytes exceeds its limit of {}", header.length, cap);
  return header;
}

Expected<Hello> decode_hello(std::span<const std::byte> payload) {
  Reader r(payload);
  Hello hello;
  hello.identity = r.text();
  hello.mapped_files = r.list();
  r.require(!hello.identity.empty());
  if (!r.done()) return internal_error("a malformed hello");
  return hello;
}

Expected<Request> decode_request(std::span<const std::byte> payload) {
  Reader r(payload);
  Request request;
  request.id = r.number<std::uint64_t>();
  request.name = r.text();
  request.source = r.text();
  request.options = r.list();
  auto optimize = r.number<std::uint8_t>();
  r.require(optimize <= 1);
  request.optimize = optimize == 1;
  if (!r.done()) return internal_error("a malformed request");
  return request;
}

Expected<Result> decode_result(std::span<const std::byte> payload) {
  Reader r(payload);
  Result result;
  result.id = r.number<std::uint64_t>();
  auto status = r.number<std::uint8_t>();
  r.require(status <= static_cast<std::uint8_t>(ResultStatus::fatal));
  result.status = static_cast<ResultStatus>(status);
  auto binary = r.raw();
  result.binary.assign(binary.begin(), binary.end());
  result.diagnostics = r.text();
  result.seconds = r.real();
  result.link_seconds = r.real();
  if (!r.done()) return internal_error("a malformed result");
  return result;
}

Expected<std::optional<Message>> MessageReader::next() {
  if (buffer_.size() < kHeaderBytes) return std::nullopt;
  JITNEY_TRY(Header header, decode_header(buffer_));
  if (buffer_.size() - kHeaderBytes < header.length) return std::nullopt;
  auto begin = buffer_.begin() + kHeaderBytes;
  Message message{header.type, std::vector<std::byte>(begin, begin + static_cast<std::ptrdiff_t>(header.length))};
  buffer_.erase(buffer_.begin(), begin + static_cast<std::ptrdiff_t>(header.length));
  if (digest_of(message.payload) != header.digest) return internal_error("a message's digest does not match its bytes");
  return message;
}

}  // namespace jitney::compiler
