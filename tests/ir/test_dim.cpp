// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "ir/dim.h"

namespace jitney::ir {
namespace {

const Dim n = Dim::symbol("n"), m = Dim::symbol("m"), h = Dim::symbol("h");

TEST(Dim, EqualWhenAlgebraicallyEqual) {
  EXPECT_EQ((n + m) * (n - m), n * n - m * m);
  EXPECT_EQ(n + m + h, h + (m + n));
  EXPECT_EQ(n * m * h, h * (m * n));
  EXPECT_EQ(n - n, Dim(0));
  EXPECT_TRUE((n - n + Dim(3)).is(3));
  EXPECT_EQ(Dim::min(Dim::min(n, m), h), Dim::min(h, Dim::min(m, n)));
  EXPECT_EQ(Dim::max(Dim::max(n, m), n), Dim::max(m, n));
  EXPECT_FALSE(n == m);
  EXPECT_FALSE(n == n + Dim(1));
}

TEST(Dim, DividesExactly) {
  EXPECT_EQ(Dim::floordiv(Dim(4) * n * m, Dim(2) * n), Dim(2) * m);
  EXPECT_EQ(Dim::divide_exactly(n * n - m * m, n + m), n - m);
  EXPECT_EQ(Dim::divide_exactly(n * m + n, n), m + Dim(1));
  EXPECT_FALSE(Dim::divide_exactly(n + Dim(1), n));
  EXPECT_FALSE(Dim::divide_exactly(Dim(3) * n, Dim(2)));
  EXPECT_FALSE(Dim::divide_exactly(n, Dim(0)));
  EXPECT_EQ(Dim::divide_exactly(Dim(0), n), Dim(0));
}

TEST(Dim, SimplifiesFloordivAndMod) {
  EXPECT_EQ(Dim::floordiv(n, 1), n);
  EXPECT_EQ(Dim::mod(n, 1), Dim(0));
  EXPECT_EQ(Dim::floordiv(-7, 2), Dim(-4));
  EXPECT_EQ(Dim::mod(-7, 2), Dim(1));
  EXPECT_EQ(Dim::mod(7, -2), Dim(-1));
  EXPECT_EQ(Dim::floordiv(Dim(6) * n + m, 3), Dim(2) * n + Dim::floordiv(m, 3));
  EXPECT_EQ(Dim::floordiv(n - Dim(1), 2), Dim::floordiv(n + Dim(1), 2) - Dim(1));
  EXPECT_EQ(Dim::mod(Dim(6) * n + m + Dim(4), 3), Dim::mod(m + Dim(1), 3));
  EXPECT_EQ(Dim::floordiv(Dim(2) * n, 4), Dim::floordiv(n, 2));
  EXPECT_EQ(Dim::floordiv(n * h, Dim(2) * n), Dim::floordiv(h, 2));
  EXPECT_EQ(Dim::mod(Dim(2) * n, 4), Dim(2) * Dim::mod(n, 2));
  EXPECT_EQ(Dim::floordiv(Dim::floordiv(n, 2) + Dim(3), 2), Dim::floordiv(n + Dim(6), 4));
  EXPECT_EQ(Dim::mod(Dim::mod(n, 6) + Dim(1), 3), Dim::mod(n + Dim(1), 3));
  EXPECT_EQ(Dim::floordiv(n * m + h, n), m + Dim::floordiv(h, n));
  EXPECT_EQ(Dim::ceildiv(n, 4).to_string(), "floordiv(n + 3, 4)");
}

TEST(Dim, DecidesMinAndMaxWherePossible) {
  EXPECT_EQ(Dim::min(3, 5), Dim(3));
  EXPECT_EQ(Dim::max(n, n), n);
  EXPECT_EQ(Dim::max(n, n + Dim(1)), n + Dim(1));
  EXPECT_EQ(Dim::max(n, 0), n) << "symbols are never negative";
  EXPECT_EQ(Dim::min(n, n + m), n);
  EXPECT_EQ(Dim::max(n - Dim(5), 0).to_string(), "max(0, n - 5)");
  EXPECT_EQ(Dim::min(Dim::min(n, 7), 5), Dim::min(5, n));
}

TEST(Dim, Prints) {
  EXPECT_EQ(Dim().to_string(), "0");
  EXPECT_EQ(Dim(-3).to_string(), "-3");
  EXPECT_EQ((Dim(2) * h).to_string(), "2*h");
  EXPECT_EQ((Dim(1) - n * m + h).to_string(), "-m*n + h + 1");
  EXPECT_EQ(to_string(Shape{n, 3, Dim(2) * h}), "[n, 3, 2*h]");
  EXPECT_EQ(to_string(Shape{}), "[]");
}

TEST(Dim, Parses) {
  EXPECT_EQ(*Dim::parse("2*(n+1)-m"), Dim(2) * n + Dim(2) - m);
  EXPECT_EQ(*Dim::parse(" - n * 3 "), Dim(-3) * n);
  EXPECT_EQ(*Dim::parse("min(a.b:1,floordiv(_x , 2))"),
            Dim::min(Dim::symbol("a.b:1"), Dim::floordiv(Dim::symbol("_x"), 2)));
  EXPECT_EQ(*Dim::parse("min"), Dim::symbol("min"));
}

TEST(Dim, RefusesBadText) {
  for (const char* text : {"", "n+", "n m", "floordiv(n)", "floordiv(n,2", "sqrt(n,2)", "9223372036854775808", "2**n",
                           "n)", "(", "-", "n$", "- n * -0"}) {
    const auto d = Dim::parse(text);
    ASSERT_FALSE(d) << text;
    EXPECT_EQ(d.error().kind, ErrorKind::user) << text;
  }
  EXPECT_FALSE(Dim::parse(std::string(100'000, '(')));
  EXPECT_FALSE(Dim::parse(std::string(5'000, '(')));
}

TEST(Dim, KeepsTheLowestInteger) {
  const Dim lowest(INT64_MIN);
  EXPECT_EQ(*Dim::parse(lowest.to_string()), lowest);
  EXPECT_EQ(*Dim::parse((lowest * n).to_string()), lowest * n);
  EXPECT_EQ(lowest - lowest, Dim(0));
  EXPECT_FALSE((Dim(0) - lowest).evaluate({}));
  EXPECT_FALSE(Dim::floordiv(lowest, -1).evaluate({}));
  EXPECT_EQ(Dim::mod(lowest, -1), Dim(0));
  EXPECT_EQ(Dim::floordiv(n + m, lowest).evaluate({{"n", 2}, {"m", 3}}), -1);
}

TEST(Dim, OverflowFailsOnEvaluationOnly) {
  const Dim big(INT64_MAX);
  const Dim over = big + Dim(1);
  EXPECT_FALSE(over.is_constant());
  EXPECT_FALSE(over.evaluate({}));
  EXPECT_FALSE((over - over).evaluate({}));
  EXPECT_FALSE((over * Dim(0)).evaluate({}));
  EXPECT_FALSE(Dim::mod(over, 1).evaluate({}));
  EXPECT_FALSE(Dim::min(over, 1).evaluate({}));
  EXPECT_EQ(*Dim::parse(over.to_string()), over);
  EXPECT_FALSE((n * m).evaluate({{"n", INT64_MAX}, {"m", 2}}));
  // The parts overflow 64 bits, the whole does not.
  EXPECT_EQ((n * m - n * h).evaluate({{"n", INT64_MAX}, {"m", 5}, {"h", 4}}).value(), INT64_MAX);
  EXPECT_FALSE((n * n * n).evaluate({{"n", INT64_MAX}}));
}

TEST(Dim, GrowthIsBounded) {
  Dim squared = n + m, nested = n;
  for (int i = 0; i < 64; ++i) squared = squared * squared;
  EXPECT_FALSE(squared.evaluate({{"n", 0}, {"m", 1}}));
  for (int i = 0; i < 100'000; ++i) nested = Dim::min(Dim::floordiv(Dim(3) * nested + Dim(1), m + Dim(2)), m);
  EXPECT_FALSE(nested.evaluate({{"n", 1}, {"m", 1}}));
  Dim sum;
  for (int i = 0; i < 1000; ++i) sum = sum + Dim::symbol("s" + std::to_string(i));
  EXPECT_FALSE(sum.evaluate({}));
}

TEST(Dim, SaysWhyItCannotBeEvaluated) {
  EXPECT_EQ((n + m).evaluate({{"m", 1}}).error().message, "symbol 'n' has no value; it is needed for the extent m + n");
  EXPECT_EQ(Dim::floordiv(m, n).evaluate({{"m", 1}, {"n", 0}}).error().message, "floordiv(m, n) divides by zero");
  EXPECT_FALSE(Dim::floordiv(3, 0).evaluate({}));
  EXPECT_FALSE(Dim::mod(n, 0).evaluate({{"n", 1}}));
  EXPECT_EQ((n + m).evaluate({{"m", 1}}).error().kind, ErrorKind::user);
}

TEST(Dim, SubstitutesAndCollects) {
  const Dim d = Dim::floordiv(n + m, 2) * h;
  std::set<std::string> symbols;
  d.collect_symbols(symbols);
  EXPECT_EQ(symbols, (std::set<std::string>{"h", "m", "n"}));
  EXPECT_EQ(d.substitute({{"n", m}}), m * h);
  EXPECT_EQ(d.substitute({{"n", 3}, {"m", 4}, {"h", n}}), Dim(3) * n);
  EXPECT_EQ(n.symbol_name(), "n");
  EXPECT_FALSE((n + Dim(1)).symbol_name());
  EXPECT_FALSE(Dim(2).symbol_name());
}

TEST(Dim, ProductOfAShape) {
  EXPECT_EQ(product({n, 3, m}), Dim(3) * n * m);
  EXPECT_EQ(product({}), Dim(1));
}

}  // namespace
}  // namespace jitney::ir
