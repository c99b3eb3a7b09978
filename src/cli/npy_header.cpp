// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cli/npy_header.h"

#include <charconv>

namespace jitney::cli {
namespace {

constexpr std::size_t kMaxRank = 64;  // numpy's own limit

/// A reader of the few literals that the dictionary is made of. It never goes back.
class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  Expected<NpyHeader> header() {
    NpyHeader result;
    bool has_descr = false, has_order = false, has_shape = false;
    JITNEY_CHECK(expect('{'));
    while (!take('}')) {
      JITNEY_TRY(const std::string key, text());
      JITNEY_CHECK(expect(':'));
      bool& seen = key == "descr" ? has_descr : key == "fortran_order" ? has_order : has_shape;
      if (key != "descr" && key != "fortran_order" && key != "shape")
        return user_error("its header has the unknown key '{}'", printable(key));
      if (seen) return user_error("its header has the key '{}' twice", key);
      seen = true;
      if (key == "descr") {
        if (peek() == '[' || peek() == '(') return user_error("it holds records, and only plain numbers can be read");
        JITNEY_TRY(result.descr, text());
      } else if (key == "fortran_order") {
        JITNEY_TRY(result.fortran_order, boolean());
      } else {
        JITNEY_TRY(result.shape, shape());
      }
      if (!take(',') && peek() != '}') return malformed();
    }
    if (peek() != '\0') return malformed();
    if (!has_descr || !has_order || !has_shape) {
      return user_error("its header lacks one of 'descr', 'fortran_order' and 'shape'");
    }
    return result;
  }

 private:
  tl::unexpected<Failure> malformed() const { return user_error("its header is malformed"); }

  /// What a hostile file says goes to a terminal: plain characters only, and few.
  static std::string printable(std::string_view text) {
    std::string result(text.substr(0, 32));
    for (char& c : result) {
      if (c < ' ' || c > '~') c = '?';
    }
    return result;
  }

  /// The next character that is no space; '\0' at the end.
  char peek() {
    const auto start = rest_.find_first_not_of(" \t\r\n");
    rest_.remove_prefix(start == std::string_view::npos ? rest_.size() : start);
    return rest_.empty() ? '\0' : rest_.front();
  }

  bool take(char c) {
    if (peek() != c || rest_.empty()) return false;
    rest_.remove_prefix(1);
    return true;
  }

  Status expect(char c) {
    if (!take(c)) return malformed();
    return {};
  }

  bool take_word(std::string_view word) {
    peek();
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  /// numpy writes no escapes into the strings that matter here, so a backslash is refused.
  Expected<std::string> text() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') return malformed();
    const auto end = rest_.find(quote, 1);
    if (end == std::string_view::npos) return malformed();
    const std::string_view content = rest_.substr(1, end - 1);
    if (content.find('\\') != std::string_view::npos) return malformed();
    rest_.remove_prefix(end + 1);
    return std::string(content);
  }

  Expected<bool> boolean() {
    if (take_word("True")) return true;
    if (take_word("False")) return false;
    return malformed();
  }

  Expected<std::vector<std::int64_t>> shape() {
    std::vector<std::int64_t> extents;
    JITNEY_CHECK(expect('('));
    bool comma = true;
    while (!take(')')) {
      if (!comma) return malformed();
      if (peek() == '-') return user_error("its shape has a negative extent");
      std::int64_t extent = 0;
      const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), extent);
      if (error == std::errc::result_out_of_range) return user_error("its shape has an extent above 2^63");
      if (error != std::errc{}) return malformed();
      rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
      if (!rest_.empty() && rest_.front() == 'L') rest_.remove_prefix(1);  // Python 2 wrote 3L
      if (extents.size() == kMaxRank) return user_error("its shape has more than {} dimensions", kMaxRank);
      extents.push_back(extent);
      comma = take(',');
    }
    return extents;
  }

  std::string_view rest_;
};

}  // namespace

Expected<NpyHeader> parse_npy_header(std::string_view text) { return Parser(text).header(); }

std::string format_npy_header(const NpyHeader& header) {
  std::string shape;
  for (const std::int64_t extent : header.shape) shape += fmt::format("{}, ", extent);
  // (3,) and (3, 4) as Python prints tuples.
  if (header.shape.size() == 1) shape.pop_back();
  if (header.shape.size() > 1) shape.resize(shape.size() - 2);
  std::string text = fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': ({}), }}", header.descr,
                                 header.fortran_order ? "True" : "False", shape);
  constexpr std::size_t kPrefix = 10, kAlignment = 64;
  text.append(kAlignment - 1 - (kPrefix + text.size()) % kAlignment, ' ');
  text += '\n';
  const auto size = static_cast<unsigned>(text.size());
  std::string result = "\x93NUMPY";
  for (const unsigned byte : {1u, 0u, size & 0xffu, size >> 8}) result += static_cast<char>(byte);
  return result + text;
}

}  // namespace jitney::cli
