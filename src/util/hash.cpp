// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "util/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <bit>

namespace jitney {

Digest digest_of(std::span<const std::byte> bytes) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes.data(), bytes.size()));
  return std::bit_cast<Digest>(canonical);
}

std::string to_hex(const Digest& digest) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * digest.size());
  for (std::byte b : digest) {
    text += kDigits[static_cast<unsigned>(b) >> 4];
    text += kDigits[static_cast<unsigned>(b) & 15u];
  }
  return text;
}

std::string hash_hex(std::span<const std::byte> bytes) { return to_hex(digest_of(bytes)); }
std::string hash_hex(std::string_view text) { return hash_hex(std::as_bytes(std::span(text.data(), text.size()))); }

}  // namespace jitney
