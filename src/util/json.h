// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace jitney {

/// Appends `text` in quotes. What is no UTF-8 becomes U+FFFD, so that the result is JSON whatever a model's names are.
void append_json_string(std::string& to, std::string_view text);

/// Writes JSON in one pass; commas come by themselves. The caller sees to it that objects get keys and that what is
/// opened is closed. For one thread.
class JsonWriter {
 public:
  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);
  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(std::int64_t number);
  JsonWriter& value(std::uint64_t number);
  JsonWriter& value(int number) { return value(static_cast<std::int64_t>(number)); }
  /// null for what JSON has no number for: NaN and infinities.
  JsonWriter& value(double number);
  JsonWriter& value(bool truth);
  JsonWriter& null();
  JsonWriter& array(const std::vector<std::int64_t>& numbers);

  std::string take() { return std::move(text_); }

 private:
  void separate();

  std::string text_;
  bool first_ = true;  ///< nothing was written yet where the next value goes
};

}  // namespace jitney
