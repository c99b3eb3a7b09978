// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <set>

#include "ir/verify_internal.h"

namespace jitney::ir {
namespace {

/// Indices of Attribute's alternatives.
enum Type : std::size_t { integer, real, text, integers, dims, graph };
constexpr std::array<const char*, 6> kTypeNames = {"an integer", "a real number", "a text",
                                                   "integers",   "Dims",          "a graph"};

struct Key {
  std::string_view name;
  Type type;
};
constexpr Key kKeys[] = {
    {"values", dims},       {"axis", integer},        {"perm", integers},  {"starts", dims},
    {"steps", dims},        {"before", dims},         {"value", real},     {"mode", text},
    {"axes", integers},     {"keepdims", integer},    {"last", integer},   {"epsilon", real},
    {"strides", integers},  {"dilations", integers},  {"pads", integers},  {"groups", integer},
    {"kernel", integers},   {"include_pad", integer}, {"body", graph},     {"kind", integer},
    {"shape", dims},        {"scale", real},          {"batch", integer},  {"largest", integer},
    {"exclusive", integer}, {"symbols", dims},        {"sorted", integer}, {"center", integer},
    {"given", dims},        {"then", graph},          {"else", graph},     {"carried", integer},
    {"rule", text},         {"rounds", integer},
};

}  // namespace

Status verify_attributes(const Node& node) {
  std::set<std::string, std::less<>> allowed;
  std::string_view rest = info(node.op).attributes;
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    std::string_view name = rest.substr(0, comma);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    const bool optional = name.ends_with('?');
    if (optional) name.remove_suffix(1);
    allowed.emplace(name);
    const auto* key = std::find_if(std::begin(kKeys), std::end(kKeys), [&](const Key& k) { return k.name == name; });
    if (key == std::end(kKeys)) return internal_error("attribute '{}' has no type in verify_attributes.cpp", name);
    const auto found = node.attributes.find(name);
    if (found == node.attributes.end()) {
      if (optional) continue;
      return internal_error("attribute '{}' is missing", name);
    }
    if (found->second.index() != key->type) {
      return internal_error("attribute '{}' must be {}, and is {}", name, kTypeNames.at(key->type),
                            kTypeNames.at(found->second.index()));
    }
  }
  for (const auto& [name, value] : node.attributes) {
    if (!allowed.contains(name)) return internal_error("attribute '{}' is not one of its own", name);
  }
  return {};
}

}  // namespace jitney::ir
