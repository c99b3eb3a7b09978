// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// What a compiler worker, or the library, may receive: first as a stream, cut where no message ends; then as a payload,
// whose digest would otherwise never fit.
#include <algorithm>

#include "compiler/protocol.h"
#include "fuzzing.h"

using namespace jitney;

namespace {

/// Decoding loses nothing: the message written again has the same payload.
template <class T>
void check(std::span<const std::byte> payload, const Expected<T>& decoded) {
  if (!decoded) return;
  compiler::MessageReader reader;
  reader.feed(compiler::encode(*decoded));
  const auto message = reader.next();
  REQUIRE(message && *message);
  REQUIRE(std::ranges::equal((*message)->payload, payload));
  REQUIRE(reader.empty());
}

void check_payload(std::span<const std::byte> payload) {
  check(payload, compiler::decode_hello(payload));
  check(payload, compiler::decode_request(payload));
  check(payload, compiler::decode_result(payload));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::vector<std::byte> input = fuzzing::copy_of(fuzzing::bytes_of(data, size));
  check_payload(input);
  if (size == 0) return 0;
  compiler::MessageReader reader;
  const std::size_t step = std::max<std::size_t>(1, data[size - 1]);
  for (std::size_t at = 0; at < size; at += step) {
    reader.feed(std::span(input).subspan(at, std::min(step, size - at)));
    while (true) {
      const auto message = reader.next();
      if (!message) return 0;
      if (!*message) break;
      REQUIRE((*message)->payload.size() <= compiler::payload_cap((*message)->type));
      check_payload((*message)->payload);
    }
  }
  return 0;
}
