// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cache/miss.h"

namespace jitney::cache {

/// Everything that can change a cached thing's bytes, as typed fields in a fixed order. The text form is
/// for people and is what entries store and compare in full; the hash only names files.
///   key := "jitney-key 1\n" (NAME " " LENGTH ":" BYTES "\n")*
class Key {
 public:
  using Field = std::pair<std::string_view, std::string_view>;

  Key& add(std::string_view name, std::string_view value);  ///< name: [a-z_]+
  const std::string& text() const { return text_; }
  /// XXH3-128 of the text, 32 hex digits.
  std::string hash() const;
  /// What it is about, whoever made it for whatever device: a hash of the fields that name no target, compiler or
  /// driver. 16 hex digits.
  std::string subject() const;
  /// subject() "-" hash(): entries of one subject lie side by side.
  std::string file_name() const;
  /// Name and value of each field, in order, as views of this key's text.
  std::vector<Field> fields() const;
  /// The key that a text is; nothing when it is none.
  static std::optional<Key> parse(std::string_view text);
  /// Why an entry with another key about the same subject does not serve this one.
  Miss difference(const Key& other) const;
  friend bool operator==(const Key&, const Key&) = default;

 private:
  std::string text_ = "jitney-key 1\n";
};

}  // namespace jitney::cache
