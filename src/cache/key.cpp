// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cassert>

#include "cache/runtime_cache.h"
#include "util/hash.h"

namespace jitney::cache {

Key& Key::add(std::string_view name, std::string_view value) {
  assert(!name.empty() &&
         std::all_of(name.begin(), name.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; }));
  // The length keeps fields apart whatever their bytes are: no value can look like the next field.
  fmt::format_to(std::back_inserter(text_), "{} {}:", name, value.size());
  text_.append(value);
  text_ += '\n';
  return *this;
}

std::string Key::hash() const { return hash_hex(text_); }

std::string_view to_string(Miss reason) {
  switch (reason) {
    case Miss::absent: return "absent";
    case Miss::other_key: return "other key";
    case Miss::format: return "other format";
    case Miss::damaged: return "damaged";
    case Miss::unreadable: return "unreadable";
    case Miss::refused_place: return "refused place";
    case Miss::disabled: return "disabled";
  }
  return "unknown";
}

}  // namespace jitney::cache
