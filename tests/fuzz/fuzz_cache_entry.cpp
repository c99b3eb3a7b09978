// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// A cache entry as somebody else may have written it: as it is, and with a digest that fits, since everything else lies
// behind the digest.
#include <algorithm>

#include "cache/entry.h"
#include "fuzzing.h"
#include "util/hash.h"

using namespace jitney;

namespace {

/// The key of the seeds.
const cache::Key& key() {
  static const cache::Key k = cache::Key().add("source", "f").add("target", "x");
  return k;
}

void check(std::span<const std::byte> entry) {
  const auto blob = cache::decode_entry(entry, key());
  if (!blob) return;
  const auto written = cache::encode_entry(key(), *blob);
  REQUIRE(written);
  const auto again = cache::decode_entry(*written, key());
  REQUIRE(again && *again == *blob);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::byte> entry = fuzzing::copy_of(fuzzing::bytes_of(data, size));
  check(entry);
  if (size < cache::kDigestBytes) return 0;
  const std::span<std::byte> whole(entry);
  std::ranges::copy(digest_of(whole.first(size - cache::kDigestBytes)), whole.last(cache::kDigestBytes).begin());
  check(entry);
  return 0;
}
