// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cache/key.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>

#include "util/hash.h"

namespace jitney::cache {
namespace {

constexpr std::string_view kHead = "jitney-key 1\n";

/// Fields that say for what and by what, and what it means when they differ. The first that differs decides.
constexpr std::array<std::pair<std::string_view, Miss>, 8> kCircumstances = {{
    {"target", Miss::other_device},
    {"device", Miss::other_device},
    {"driver", Miss::other_driver},
    {"compiler", Miss::other_compiler},
    {"library", Miss::other_compiler},
    {"options", Miss::other_compiler},
    {"prelude", Miss::other_compiler},
    {"abi", Miss::other_compiler},
}};

bool is_circumstance(std::string_view name) {
  return std::ranges::any_of(kCircumstances, [&](const auto& c) { return c.first == name; });
}

bool is_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

/// The field at the front, which is taken away; nothing when there is none.
std::optional<Key::Field> take_field(std::string_view& text) {
  const auto space = text.find(' '), colon = text.find(':');
  if (space == std::string_view::npos || colon == std::string_view::npos || colon < space) return std::nullopt;
  const std::string_view name = text.substr(0, space), digits = text.substr(space + 1, colon - space - 1);
  std::size_t length = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  // One way to write a number, so that a text is one key's only.
  if (error != std::errc() || end != digits.data() + digits.size() || (digits.size() > 1 && digits.front() == '0'))
    return std::nullopt;
  const std::string_view rest = text.substr(colon + 1);
  if (!is_name(name) || rest.size() <= length || rest[length] != '\n') return std::nullopt;
  text = rest.substr(length + 1);
  return Key::Field(name, rest.substr(0, length));
}

std::optional<std::vector<Key::Field>> split(std::string_view text) {
  if (!text.starts_with(kHead)) return std::nullopt;
  text.remove_prefix(kHead.size());
  std::vector<Key::Field> fields;
  while (!text.empty()) {
    const auto field = take_field(text);
    if (!field) return std::nullopt;
    fields.push_back(*field);
  }
  return fields;
}

}  // namespace

Key& Key::add(std::string_view name, std::string_view value) {
  assert(is_name(name));
  // The length keeps fields apart whatever their bytes are: no value can look like the next field.
  fmt::format_to(std::back_inserter(text_), "{} {}:", name, value.size());
  text_.append(value);
  text_ += '\n';
  return *this;
}

std::string Key::hash() const { return hash_hex(text_); }

std::string Key::subject() const {
  Key rest;
  for (const auto& [name, value] : fields()) {
    if (!is_circumstance(name)) rest.add(name, value);
  }
  return rest.hash().substr(0, 16);
}

std::string Key::file_name() const { return subject() + "-" + hash(); }

std::vector<Key::Field> Key::fields() const { return split(text_).value_or(std::vector<Field>()); }

std::optional<Key> Key::parse(std::string_view text) {
  if (!split(text)) return std::nullopt;
  Key key;
  key.text_ = text;
  return key;
}

Miss Key::difference(const Key& other) const {
  const auto mine = fields(), theirs = other.fields();
  const auto values = [](const std::vector<Field>& fields, std::string_view name) {
    std::vector<std::string_view> found;
    for (const auto& field : fields) {
      if (field.first == name) found.push_back(field.second);
    }
    return found;
  };
  for (const auto& [name, reason] : kCircumstances) {
    if (values(mine, name) != values(theirs, name)) return reason;
  }
  return Miss::other_key;
}

std::string_view to_string(Miss reason) {
  switch (reason) {
    case Miss::absent: return "absent";
    case Miss::other_device: return "other device";
    case Miss::other_driver: return "other driver";
    case Miss::other_compiler: return "other compiler";
    case Miss::other_key: return "other key";
    case Miss::format: return "other format";
    case Miss::damaged: return "damaged";
    case Miss::unauthenticated: return "not authenticated";
    case Miss::unreadable: return "unreadable";
    case Miss::refused_place: return "refused place";
    case Miss::quarantined: return "quarantined";
    case Miss::disabled: return "disabled";
    case Miss::untrusted: return "not trusted";
  }
  return "unknown";
}

}  // namespace jitney::cache
