// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Two extents, one a line: they are parsed, printed, evaluated and combined, and the algebra must agree with plain
// arithmetic wherever that is defined.
#include <array>
#include <string_view>

#include "fuzzing.h"
#include "ir/checked.h"
#include "ir/dim.h"

using namespace jitney;
using ir::Dim;

namespace {

using Value = std::optional<std::int64_t>;

struct Operation {
  Dim (*on_dims)(const Dim&, const Dim&);
  Value (*on_values)(std::int64_t, std::int64_t);
};

Value subtract(std::int64_t a, std::int64_t b) {
  std::int64_t r = 0;
  return __builtin_sub_overflow(a, b, &r) ? Value() : Value(r);
}

constexpr std::array<Operation, 7> kOperations = {{
    {[](const Dim& a, const Dim& b) { return a + b; }, ir::checked_add},
    {[](const Dim& a, const Dim& b) { return a - b; }, subtract},
    {[](const Dim& a, const Dim& b) { return a * b; }, ir::checked_mul},
    {Dim::floordiv, ir::floor_div},
    {Dim::mod, ir::floor_mod},
    {Dim::min, [](std::int64_t a, std::int64_t b) { return Value(std::min(a, b)); }},
    {Dim::max, [](std::int64_t a, std::int64_t b) { return Value(std::max(a, b)); }},
}};

/// An extent that is too large or too complex fails when it is evaluated; it must not give another number.
void require_equal(const Dim& d, std::int64_t value, const ir::SymbolValues& values) {
  const auto evaluated = d.evaluate(values);
  REQUIRE(!evaluated || *evaluated == value);
}

void check_text(const Dim& d) {
  const auto again = Dim::parse(d.to_string());
  REQUIRE(!again || *again == d);
}

ir::SymbolValues values_of(const std::set<std::string>& symbols, std::int64_t choice) {
  constexpr std::array<std::int64_t, 7> kValues = {3, 1, 0, 2, 17, 4096, std::int64_t{1} << 40};
  ir::SymbolValues values;
  std::int64_t next = choice;
  for (const auto& name : symbols) values[name] = kValues[static_cast<std::size_t>(next++) % kValues.size()];
  return values;
}

void check_values(const Dim& a, const Dim& b, const std::array<Dim, kOperations.size()>& results,
                  const ir::SymbolValues& values) {
  const auto x = a.evaluate(values), y = b.evaluate(values);
  if (!x || !y) return;
  std::map<std::string, Dim> constants;
  for (const auto& [name, value] : values) constants.emplace(name, Dim(value));
  require_equal(a.substitute(constants), *x, values);
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (const Value r = kOperations[i].on_values(*x, *y)) require_equal(results[i], *r, values);
  }
  if (const auto quotient = Dim::divide_exactly(a, b); quotient && *y != 0) {
    const auto q = quotient->evaluate(values);
    const auto product = q ? ir::checked_mul(*q, *y) : Value();
    REQUIRE(!product || *product == *x);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(text.find('\n'), size);
  const auto a = Dim::parse(text.substr(0, end)), b = Dim::parse(text.substr(std::min(end + 1, size)));
  for (const auto* d : {&a, &b}) {
    if (*d) check_text(**d);
  }
  if (!a || !b) return 0;
  REQUIRE(Dim::compare(*a, *b) == 0 ? Dim::compare(*b, *a) == 0 : Dim::compare(*a, *b) < 0 != Dim::compare(*b, *a) < 0);
  std::array<Dim, kOperations.size()> results;
  for (std::size_t i = 0; i < results.size(); ++i) check_text(results[i] = kOperations[i].on_dims(*a, *b));
  std::set<std::string> symbols;
  a->collect_symbols(symbols);
  b->collect_symbols(symbols);
  for (std::int64_t choice = 0; choice < 7; ++choice) check_values(*a, *b, results, values_of(symbols, choice));
  return 0;
}
