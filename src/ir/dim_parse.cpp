// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <cctype>
#include <charconv>

#include "ir/dim.h"
#include "ir/dim_access.h"

namespace jitney::ir {
namespace {

constexpr std::size_t kMaxLength = 1 << 16;
constexpr int kMaxNesting = 2 * DimAccess::kMaxDepth;
constexpr std::uint64_t kTwoTo63 = std::uint64_t{1} << 63;

bool starts_name(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_' || c == '.'; }
bool continues_name(char c) { return starts_name(c) || std::isdigit(static_cast<unsigned char>(c)) || c == ':'; }

/// Recursive descent over the grammar in dim.h.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Expected<Dim> all() {
    JITNEY_TRY(Dim d, expr());
    skip_space();
    if (at_ != text_.size()) return wrong("an operator or the end");
    return d;
  }

 private:
  Expected<Dim> expr() {
    if (++depth_ > kMaxNesting) return user_error("an extent's expression is nested more than {} deep", kMaxNesting);
    JITNEY_TRY(Dim sum, term(take('-')));
    while (true) {
      if (take('+')) {
        JITNEY_TRY(const Dim next, term(false));
        sum = sum + next;
      } else if (take('-')) {
        JITNEY_TRY(const Dim next, term(true));
        sum = sum + next;
      } else {
        break;
      }
    }
    --depth_;
    return sum;
  }

  Expected<Dim> term(bool negative) {
    // The sign goes to the first number, so that the lowest integer can be read.
    Dim product(1);
    skip_space();
    if (at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_]))) {
      JITNEY_TRY(product, number(negative));
    } else {
      JITNEY_TRY(product, factor());
      if (negative) product = product * Dim(-1);
    }
    while (take('*')) {
      JITNEY_TRY(const Dim next, factor());
      product = product * next;
    }
    return product;
  }

  Expected<Dim> factor() {
    skip_space();
    if (at_ == text_.size()) return wrong("a number, a name or '('");
    const char c = text_[at_];
    if (std::isdigit(static_cast<unsigned char>(c))) return number(false);
    if (take('(')) {
      JITNEY_TRY(Dim d, expr());
      if (!take(')')) return wrong("')'");
      return d;
    }
    if (!starts_name(c)) return wrong("a number, a name or '('");
    const std::size_t begin = at_;
    while (at_ < text_.size() && continues_name(text_[at_])) ++at_;
    const std::string_view name = text_.substr(begin, at_ - begin);
    if (!take('(')) return Dim::symbol(std::string(name));
    JITNEY_TRY(const Dim a, expr());
    if (!take(',')) return wrong("','");
    JITNEY_TRY(const Dim b, expr());
    if (!take(')')) return wrong("')'");
    for (const auto f : {Dim::Func::floordiv, Dim::Func::mod, Dim::Func::min, Dim::Func::max}) {
      if (to_string(f) == name) return DimAccess::call(f, a, b);
    }
    return user_error("unknown function '{}' in the extent '{}'; there are floordiv, mod, min and max",
                      name.substr(0, 100), shown());
  }

  Expected<Dim> number(bool negative) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (error != std::errc() || value > kTwoTo63 || (value == kTwoTo63 && !negative)) {
      return user_error("a number in the extent '{}' does not fit in 64 bits", shown());
    }
    at_ = static_cast<std::size_t>(end - text_.data());
    return Dim(static_cast<std::int64_t>(negative ? ~value + 1 : value));
  }

  void skip_space() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool take(char c) {
    skip_space();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  tl::unexpected<Failure> wrong(std::string_view expected) const {
    return user_error("the extent '{}' is not an expression: {} expected at character {}", shown(), expected, at_ + 1);
  }

  /// The beginning is enough for a message.
  std::string_view shown() const { return text_.substr(0, 100); }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

Expected<Dim> Dim::parse(std::string_view text) {
  if (text.size() > kMaxLength) return user_error("an extent's expression is longer than {} characters", kMaxLength);
  return Parser(text).all();
}

}  // namespace jitney::ir
