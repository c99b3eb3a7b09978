// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cache/settings.h"

#include <charconv>

#include "util/env.h"
#include "util/log.h"

namespace jitney::cache {

Expected<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  const std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  constexpr std::string_view kUnits = "KMGT";
  int shift = 0;
  if (unit.size() == 1 && kUnits.find(unit[0]) != std::string_view::npos)
    shift = 10 * (1 + static_cast<int>(kUnits.find(unit[0])));
  if (error != std::errc() || (shift == 0 && !unit.empty()) || (number << shift) >> shift != number)
    return user_error("'{}' is no size; allowed is a number of bytes, or one with K, M, G or T behind it", text);
  return number << shift;
}

std::uint64_t max_bytes_from_environment() {
  const auto text = env_string("JITNEY_CACHE_MAX_SIZE");
  if (!text) return kDefaultMaxBytes;
  const auto size = parse_size(*text);
  if (size) return *size;
  warn_once("JITNEY_CACHE_MAX_SIZE", fmt::format("JITNEY_CACHE_MAX_SIZE is not used: {}", size.error().message));
  return kDefaultMaxBytes;
}

Expected<std::shared_ptr<const Hmac>> signer_from_environment() {
  constexpr std::size_t kLeastBytes = 16;
  const auto secret = env_string("JITNEY_CACHE_KEY");
  if (!secret) return std::shared_ptr<const Hmac>();
  if (secret->size() < kLeastBytes)
    return user_error("JITNEY_CACHE_KEY has {} bytes; a secret of at least {} is needed", secret->size(), kLeastBytes);
  return Hmac::open(*secret);
}

}  // namespace jitney::cache
