// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cache/store_disk.h"

#include <algorithm>
#include <charconv>

namespace jitney::cache {
namespace {

/// 60 bits of the hash at the name's end.
std::uint64_t number_of(const std::string& name) {
  constexpr std::size_t kDigits = 15;
  const std::string digits = name.substr(name.size() - std::min(name.size(), kDigits));
  std::uint64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
  return number << 1;
}

}  // namespace

std::uint64_t claim_number(const std::string& name) { return number_of(name); }
std::uint64_t use_number(const std::string& name) { return number_of(name) | 1; }

}  // namespace jitney::cache
