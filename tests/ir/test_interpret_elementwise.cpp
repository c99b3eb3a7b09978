// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include "ir/support.h"

namespace jitney::ir::test {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr DType kFloats[] = {DType::f32, DType::f64, DType::f16, DType::bf16};
constexpr DType kIntegers[] = {DType::i8, DType::i16, DType::i32, DType::i64,
                               DType::u8, DType::u16, DType::u32, DType::u64};

void check(Op op, const std::vector<double>& x, const std::vector<double>& expected, double tolerance = 0) {
  SCOPED_TRACE(std::string(info(op).name));
  expect_values(run(op, {f32({std::ssize(x)}, x)}), expected, tolerance);
}

TEST(InterpretUnary, FollowsItsDefinition) {
  check(Op::neg, {0.0, -0.0, 2, kInf, kNaN}, {-0.0, 0.0, -2, -kInf, kNaN});
  check(Op::abs, {-0.0, -3, -kInf, kNaN}, {0, 3, kInf, kNaN});
  check(Op::sign, {-2, 0, 5, -kInf, kNaN}, {-1, 0, 1, -1, kNaN});
  check(Op::floor, {-0.5, 1.5, -0.0, kInf}, {-1, 1, -0.0, kInf});
  check(Op::ceil, {-0.5, 1.5}, {-0.0, 2});
  check(Op::round, {0.5, 1.5, 2.5, -0.5, -1.5}, {0, 2, 2, -0.0, -2});
  check(Op::sqrt, {4, -0.0, -1, kInf}, {2, -0.0, kNaN, kInf});
  check(Op::reciprocal, {4, 0, -0.0, kInf}, {0.25, kInf, -kInf, 0});
  check(Op::exp, {0, -kInf, kInf, 1000, kNaN}, {1, 0, kInf, kInf, kNaN});
  check(Op::log, {1, 0, -1, kInf}, {0, -kInf, kNaN, kInf});
  check(Op::relu, {-1, 2, kNaN, -kInf, kInf}, {0, 2, kNaN, 0, kInf});
  check(Op::sigmoid, {0, kInf, -kInf, -1000, kNaN}, {0.5, 1, 0, 0, kNaN});
  check(Op::erf, {0, kInf, -kInf, 0.5}, {0, 1, -1, 0.5204998778130465}, 1e-7);
  check(Op::gelu_erf, {0, 1, -1}, {0, 0.8413447460685429, -0.15865525393145707}, 1e-7);
  check(Op::gelu_tanh, {0, 1, -1}, {0, 0.8411919906082768, -0.15880800939172324}, 1e-7);
  check(Op::silu, {0, 1, -1}, {0, 0.7310585786300049, -0.2689414213699951}, 1e-7);
  check(Op::hard_swish, {-4, -3, 0, 1, 3, 6}, {-0.0, -0.0, 0, 2.0 / 3, 3, 6}, 1e-7);
  check(Op::softplus, {0, 100, -100}, {0.6931471805599453, 100, 3.7200759760208361e-44}, 1e-7);
}

TEST(InterpretUnary, TrigonometryAgreesWithTheStandardLibrary) {
  const std::pair<Op, double (*)(double)> functions[] = {
      {Op::sin, std::sin},     {Op::cos, std::cos},     {Op::tan, std::tan},     {Op::asin, std::asin},
      {Op::acos, std::acos},   {Op::atan, std::atan},   {Op::sinh, std::sinh},   {Op::cosh, std::cosh},
      {Op::asinh, std::asinh}, {Op::acosh, std::acosh}, {Op::atanh, std::atanh}, {Op::tanh, std::tanh}};
  for (const auto& [op, f] : functions) {
    for (const double x : {-0.75, 0.0, 0.25, 1.0, 1.5}) {
      const double got = get(run(op, {f32({}, {x})}), 0), want = static_cast<float>(f(x));
      EXPECT_TRUE(got == want || (got != got && want != want)) << info(op).name << "(" << x << ") = " << got;
    }
  }
}

TEST(InterpretUnary, EveryFloatTypeIsRoundedOnce) {
  for (const DType t : kFloats) {
    Tensor expected(t, {1});
    set(expected, 0, std::exp(1.0));
    EXPECT_EQ(get(run(Op::exp, {tensor(t, {1}, {1})}), 0), get(expected, 0)) << to_string(t);
  }
  expect_values(run(Op::exp, {tensor(DType::f16, {2}, {20, -20})}), {kInf, 0});
  expect_values(run(Op::neg, {tensor(DType::bf16, {2}, {kNaN, 1.00390625})}), {kNaN, -1});  // a tie goes to even
}

TEST(InterpretUnary, IntegersWrap) {
  expect_values(run(Op::neg, {tensor(DType::i8, {3}, {-128, 5, 0})}), {-128, -5, 0});
  expect_values(run(Op::abs, {tensor(DType::i8, {2}, {-128, -5})}), {-128, 5});
  expect_values(run(Op::neg, {tensor(DType::u8, {2}, {1, 0})}), {255, 0});
  Tensor lowest(DType::i64, {1});
  lowest.as<std::int64_t>()[0] = INT64_MIN;
  EXPECT_EQ(run(Op::neg, {lowest}).as<std::int64_t>()[0], INT64_MIN);
  EXPECT_EQ(run(Op::abs, {lowest}).as<std::int64_t>()[0], INT64_MIN);
  for (const DType t : kIntegers) {
    expect_values(run(Op::relu, {tensor(t, {2}, {3, 0})}), {3, 0});
    expect_values(run(Op::sign, {tensor(t, {2}, {3, 0})}), {1, 0});
    expect_values(run(Op::round, {tensor(t, {1}, {3})}), {3});
  }
  expect_values(run(Op::sign, {tensor(DType::i32, {1}, {-7})}), {-1});
  expect_values(run(Op::bitwise_not, {tensor(DType::u8, {1}, {5})}), {250});
  expect_values(run(Op::bitwise_not, {tensor(DType::i8, {1}, {5})}), {-6});
}

TEST(InterpretUnary, BooleanResults) {
  const Tensor nan = run(Op::is_nan, {f32({3}, {kNaN, 1, kInf})});
  EXPECT_EQ(nan.dtype(), DType::boolean);
  expect_values(nan, {1, 0, 0});
  const Tensor odd = tensor(DType::boolean, {3}, {1, 0, 1});
  const_cast<Tensor&>(odd).as<std::uint8_t>()[2] = 7;  // any byte but 0 is true
  expect_values(run(Op::logical_not, {odd}), {0, 1, 0});
  expect_values(run(Op::bitwise_not, {odd}), {0, 1, 0});
}

TEST(InterpretUnary, EmptyAndScalar) {
  expect_values(run(Op::exp, {Tensor(DType::f32, {2, 0})}), {});
  expect_values(run(Op::exp, {f32({}, {0})}), {1});
}

TEST(InterpretBinary, Broadcasts) {
  expect_values(run(Op::add, {f32({2, 1}, {1, 2}), f32({3}, {10, 20, 30})}), {11, 21, 31, 12, 22, 32});
  expect_values(run(Op::sub, {f32({}, {1}), f32({2}, {1, 2})}), {0, -1});
  expect_values(run(Op::mul, {f32({}, {3}), f32({}, {4})}), {12});
  expect_values(run(Op::add, {Tensor(DType::f32, {0, 3}), f32({1, 3}, {1, 2, 3})}), {});
  EXPECT_EQ(run(Op::add, {Tensor(DType::f32, {2, 0, 1}), f32({1, 3}, {1, 2, 3})}).shape(), (Ints{2, 0, 3}));
  const auto bad = try_run(Op::add, {f32({2}, {1, 2}), f32({3}, {1, 2, 3})});
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().kind, ErrorKind::user);
}

TEST(InterpretBinary, FloatingPoint) {
  const Tensor a = f32({6}, {7, -7, 7, -7, 0, kNaN}), b = f32({6}, {3, 3, -3, -3, -1, 1});
  expect_values(run(Op::mod, {a, b}), {1, 2, -2, -1, -0.0, kNaN});
  expect_values(run(Op::fmod, {a, b}), {1, -1, 1, -1, 0, kNaN});
  expect_values(run(Op::div, {f32({3}, {1, -1, 0}), f32({3}, {0, 0, 0})}), {kInf, -kInf, kNaN});
  expect_values(run(Op::pow, {f32({4}, {2, -8, 0, 9}), f32({4}, {3, 1.0 / 3, 0, 0.5})}), {8, kNaN, 1, 3});
}

TEST(InterpretBinary, NaNWinsInMinAndMax) {
  for (const DType t : kFloats) {
    const Tensor a = tensor(t, {4}, {1, kNaN, 2, -kInf}), b = tensor(t, {4}, {kNaN, 1, 3, kInf});
    expect_values(run(Op::min, {a, b}), {kNaN, kNaN, 2, -kInf});
    expect_values(run(Op::max, {a, b}), {kNaN, kNaN, 3, kInf});
  }
}

TEST(InterpretBinary, IntegersWrapAndDivideSafely) {
  expect_values(run(Op::add, {tensor(DType::i8, {1}, {127}), tensor(DType::i8, {1}, {1})}), {-128});
  expect_values(run(Op::mul, {tensor(DType::u16, {1}, {65535}), tensor(DType::u16, {1}, {65535})}), {1});
  expect_values(run(Op::sub, {tensor(DType::u8, {1}, {0}), tensor(DType::u8, {1}, {1})}), {255});
  const Tensor a = tensor(DType::i8, {6}, {7, -7, 7, -7, -128, 5}), b = tensor(DType::i8, {6}, {2, 2, -2, -2, -1, 0});
  expect_values(run(Op::div, {a, b}), {3, -3, -3, 3, -128, 0});
  expect_values(run(Op::mod, {a, b}), {1, 1, -1, -1, 0, 0});
  expect_values(run(Op::fmod, {a, b}), {1, -1, 1, -1, 0, 0});
  for (const DType t : {DType::i32, DType::i64}) {
    Tensor lowest(t, {});
    const Tensor minus_one = tensor(t, {}, {-1});
    set(lowest, 0, t == DType::i32 ? -2147483648.0 : -9223372036854775808.0);
    EXPECT_EQ(get(run(Op::div, {lowest, minus_one}), 0), get(lowest, 0));
    EXPECT_EQ(get(run(Op::mod, {lowest, minus_one}), 0), 0);
    EXPECT_EQ(get(run(Op::fmod, {lowest, minus_one}), 0), 0);
    EXPECT_EQ(get(run(Op::mul, {lowest, minus_one}), 0), get(lowest, 0));
  }
  for (const DType t : kIntegers) {
    expect_values(run(Op::div, {tensor(t, {2}, {9, 9}), tensor(t, {2}, {4, 0})}), {2, 0});
    expect_values(run(Op::pow, {tensor(t, {3}, {3, 0, 2}), tensor(t, {3}, {4, 0, 3})}), {81, 1, 8});
    expect_values(run(Op::min, {tensor(t, {1}, {3}), tensor(t, {1}, {4})}), {3});
  }
  expect_values(run(Op::pow, {tensor(DType::i32, {4}, {1, -1, 2, 0}), tensor(DType::i32, {4}, {-5, -3, -1, -1})}),
                {1, -1, 0, 0});
  expect_values(run(Op::pow, {tensor(DType::i32, {1}, {2}), tensor(DType::i32, {1}, {33})}), {0});
}

TEST(InterpretBinary, UnsignedComparesAsUnsigned) {
  Tensor a(DType::u64, {1}), b(DType::u64, {1});
  a.as<std::uint64_t>()[0] = UINT64_MAX;
  b.as<std::uint64_t>()[0] = 1;
  expect_values(run(Op::less, {a, b}), {0});
  expect_values(run(Op::max, {a, b}), {static_cast<double>(UINT64_MAX)});
}

TEST(InterpretBinary, Comparisons) {
  const Tensor a = f32({4}, {1, 2, kNaN, -0.0}), b = f32({4}, {2, 2, kNaN, 0});
  expect_values(run(Op::equal, {a, b}), {0, 1, 0, 1});
  expect_values(run(Op::not_equal, {a, b}), {1, 0, 1, 0});
  expect_values(run(Op::less, {a, b}), {1, 0, 0, 0});
  expect_values(run(Op::less_equal, {a, b}), {1, 1, 0, 1});
  EXPECT_EQ(run(Op::equal, {a, b}).dtype(), DType::boolean);
  // 2^53 and 2^53 + 1 are one double.
  Tensor x(DType::i64, {1}), y(DType::i64, {1});
  x.as<std::int64_t>()[0] = (std::int64_t{1} << 53);
  y.as<std::int64_t>()[0] = (std::int64_t{1} << 53) + 1;
  expect_values(run(Op::equal, {x, y}), {0});
}

TEST(InterpretBinary, LogicAndBits) {
  const Tensor a = tensor(DType::boolean, {4}, {0, 0, 1, 1}), b = tensor(DType::boolean, {4}, {0, 1, 0, 1});
  for (const auto& [op, expected] : {std::pair{Op::logical_and, std::vector<double>{0, 0, 0, 1}},
                                     {Op::logical_or, {0, 1, 1, 1}},
                                     {Op::logical_xor, {0, 1, 1, 0}},
                                     {Op::bitwise_and, {0, 0, 0, 1}},
                                     {Op::bitwise_or, {0, 1, 1, 1}},
                                     {Op::bitwise_xor, {0, 1, 1, 0}}}) {
    expect_values(run(op, {a, b}), expected);
  }
  expect_values(run(Op::bitwise_xor, {tensor(DType::u8, {1}, {0b1100}), tensor(DType::u8, {1}, {0b1010})}), {0b0110});
  const Tensor x = tensor(DType::i8, {4}, {-8, 1, -1, 64}), n = tensor(DType::i8, {4}, {1, 7, 100, -1});
  expect_values(run(Op::shift_right, {x, n}), {-4, 0, -1, 0});
  expect_values(run(Op::shift_left, {x, n}), {-16, -128, 0, 0});
  expect_values(run(Op::shift_right, {tensor(DType::u8, {1}, {255}), tensor(DType::u8, {1}, {4})}), {15});
}

TEST(InterpretBinary, RefusesDtypesThatMakeNoSense) {
  EXPECT_FALSE(try_run(Op::add, {tensor(DType::boolean, {1}, {1}), tensor(DType::boolean, {1}, {1})}));
  EXPECT_FALSE(try_run(Op::add, {tensor(DType::i32, {1}, {1}), f32({1}, {1})}));
  EXPECT_FALSE(try_run(Op::logical_and, {f32({1}, {1}), f32({1}, {1})}));
  EXPECT_FALSE(try_run(Op::exp, {tensor(DType::i32, {1}, {1})}));
  EXPECT_FALSE(try_run(Op::shift_left, {f32({1}, {1}), f32({1}, {1})}));
}

TEST(InterpretWhere, ChoosesWithBroadcasting) {
  const Tensor c = tensor(DType::boolean, {2, 1}, {1, 0});
  expect_values(run(Op::where, {c, f32({2}, {kNaN, -0.0}), f32({}, {9})}), {kNaN, -0.0, 9, 9});
  expect_values(run(Op::where, {c, tensor(DType::boolean, {1}, {1}), tensor(DType::boolean, {1}, {0})}), {1, 0});
  EXPECT_FALSE(try_run(Op::where, {f32({1}, {1}), f32({1}, {1}), f32({1}, {1})}));
}

Tensor cast(const Tensor& x, DType to) { return run(Op::cast, {x}, {}, Out{to, x.shape()}); }

TEST(InterpretCast, FloatToIntegerTruncatesAndSaturates) {
  const Tensor x = f32({7}, {1.9, -1.9, 300, -300, kNaN, kInf, -kInf});
  expect_values(cast(x, DType::i8), {1, -1, 127, -128, 0, 127, -128});
  expect_values(cast(x, DType::u8), {1, 0, 255, 0, 0, 255, 0});
  const Tensor big = cast(f32({3}, {1e30, -1e30, 9.2233720368547758e18}), DType::i64);
  EXPECT_EQ(big.as<std::int64_t>()[0], INT64_MAX);
  EXPECT_EQ(big.as<std::int64_t>()[1], INT64_MIN);
  EXPECT_EQ(big.as<std::int64_t>()[2], INT64_MAX);
  EXPECT_EQ(cast(f32({1}, {1e30}), DType::u64).as<std::uint64_t>()[0], UINT64_MAX);
}

TEST(InterpretCast, ToBool) {
  expect_values(cast(f32({5}, {0, -0.0, 0.1, kNaN, kInf}), DType::boolean), {0, 0, 1, 1, 1});
  expect_values(cast(tensor(DType::i32, {2}, {256, 0}), DType::boolean), {1, 0});
  expect_values(cast(tensor(DType::boolean, {2}, {1, 0}), DType::f16), {1, 0});
}

TEST(InterpretCast, IntegersWrapAndRoundOnce) {
  expect_values(cast(tensor(DType::i32, {3}, {257, -1, 128}), DType::u8), {1, 255, 128});
  expect_values(cast(tensor(DType::i32, {1}, {128}), DType::i8), {-128});
  Tensor x(DType::i64, {1});
  x.as<std::int64_t>()[0] = (std::int64_t{1} << 60) + (std::int64_t{1} << 36) + 1;  // rounding twice would go down
  EXPECT_EQ(cast(x, DType::f32).as<float>()[0], static_cast<float>(x.as<std::int64_t>()[0]));
  expect_values(cast(f32({2}, {1e6, 65519}), DType::f16), {kInf, 65504});
}

TEST(InterpretCast, EveryPairKeepsSmallNumbers) {
  for (int from = 0; from < kDTypeCount; ++from) {
    for (int to = 0; to < kDTypeCount; ++to) {
      if (is_storage_only(static_cast<DType>(from)) || is_storage_only(static_cast<DType>(to))) continue;
      expect_values(cast(tensor(static_cast<DType>(from), {2}, {0, 1}), static_cast<DType>(to)), {0, 1});
    }
  }
}

}  // namespace
}  // namespace jitney::ir::test
