// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "util/expected.h"

/// What the library and a compiler worker say to each other over a socket pair. Both ends are built from this
/// file and run on one machine, but neither trusts the other's bytes: lengths are checked against caps and
/// against what is there before anything is allocated, and a digest covers every payload.
///
///     conversation = hello { request result }            ; the worker speaks first
///     message      = magic version type length digest payload
///     magic        = u32 "JTCW"       version = u16 kProtocolVersion     type = u16 MessageType
///     length       = u64 bytes of payload, at most payload_cap(type)
///     digest       = u64 XXH3-64 of the payload
///     payload      = hello | request | result            ; nothing may follow the last field
///     hello        = string identity, list mapped_files
///     request      = u64 id, string name, string source, list options, u8 optimize (0 or 1)
///     result       = u64 id, u8 status, bytes binary, string diagnostics, f64 seconds, f64 link_seconds
///     string, bytes = u64 count, count bytes             list = u32 count, count strings
///
/// Integers and floats are little-endian.
namespace jitney::compiler {

inline constexpr std::uint32_t kProtocolMagic = 0x5743544A;  // "JTCW"
inline constexpr std::uint16_t kProtocolVersion = 1;
inline constexpr std::size_t kHeaderBytes = 24;

/// A worker that ends with this exit code ran out of memory.
inline constexpr int kExitNoMemory = 12;
/// A worker that ends with this exit code had more to write than ulimit -f allows.
inline constexpr int kExitFileTooLarge = 13;
/// A worker that ends with this exit code was not started as one, or could not set itself up.
inline constexpr int kExitUsage = 2;

enum class MessageType : std::uint16_t { hello = 1, request = 2, result = 3 };

/// The most payload a message of this type may have; 0 for a type that does not exist.
std::uint64_t payload_cap(MessageType type);

struct Hello {
  std::string identity;                   ///< the compiler's version to the last patch, and how it is driven
  std::vector<std::string> mapped_files;  ///< the program and the libraries it runs with
};

struct Request {
  std::uint64_t id = 0;  ///< echoed in the result, so that an answer cannot be taken for another's
  std::string name;
  std::string source;
  std::vector<std::string> options;
  bool optimize = true;
};

/// fatal: the compiler gave up on itself; the worker ends after sending this.
enum class ResultStatus : std::uint8_t { ok = 0, rejected = 1, fatal = 2 };

struct Result {
  std::uint64_t id = 0;
  ResultStatus status = ResultStatus::ok;
  std::vector<std::byte> binary;
  std::string diagnostics;
  double seconds = 0;       ///< all of it
  double link_seconds = 0;  ///< the linker's part
};

struct Header {
  MessageType type = MessageType::hello;
  std::uint64_t length = 0;
  std::uint64_t digest = 0;
};

struct Message {
  MessageType type = MessageType::hello;
  std::vector<std::byte> payload;
};

/// A whole message, header included, ready to be sent.
std::vector<std::byte> encode(const Hello& hello);
std::vector<std::byte> encode(const Request& request);
std::vector<std::byte> encode(const Result& result);

/// Pure functions on bytes from outside: any input gives a value or a failure that says what is wrong.
/// decode_header looks at exactly kHeaderBytes; the others want a payload and nothing after it.
Expected<Header> decode_header(std::span<const std::byte> bytes);
Expected<Hello> decode_hello(std::span<const std::byte> payload);
Expected<Request> decode_request(std::span<const std::byte> payload);
Expected<Result> decode_result(std::span<const std::byte> payload);

/// Cuts a byte stream into messages. Holds at most the bytes received: a header's length reserves nothing.
class MessageReader {
 public:
  void feed(std::span<const std::byte> bytes) { buffer_.insert(buffer_.end(), bytes.begin(), bytes.end()); }
  /// The next message if it is complete. After a failure the stream is lost: there is no way to find its feet.
  Expected<std::optional<Message>> next();
  bool empty() const { return buffer_.empty(); }

 private:
  std::vector<std::byte> buffer_;
};

}  // namespace jitney::compiler
