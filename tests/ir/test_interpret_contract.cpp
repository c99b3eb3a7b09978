// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <limits>
#include <random>

#include "ir/support.h"

namespace jitney::ir::test {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Tensor random(Ints shape) {
  static std::mt19937 generator(7);
  Tensor t(DType::f32, std::move(shape));
  for (std::int64_t i = 0; i < t.num_elements(); ++i)
    t.as<float>()[i] = static_cast<float>(static_cast<int>(generator() % 17) - 8);
  return t;
}

TEST(InterpretMatmul, AllRanks) {
  const Tensor a = f32({2, 3}, {1, 2, 3, 4, 5, 6}), b = f32({3, 2}, {1, 0, 0, 1, 1, 1});
  expect_values(run(Op::matmul, {a, b}), {4, 5, 10, 11});
  expect_values(run(Op::matmul, {f32({3}, {1, 2, 3}), b}), {4, 5});
  expect_values(run(Op::matmul, {a, f32({3}, {1, 1, 1})}), {6, 15});
  expect_values(run(Op::matmul, {f32({2}, {1, 2}), f32({2}, {3, 4})}), {11});
  EXPECT_FALSE(try_run(Op::matmul, {a, a}));
  EXPECT_FALSE(try_run(Op::matmul, {a, f32({}, {1})}));
}

TEST(InterpretMatmul, BroadcastsBatches) {
  const Tensor a = random({2, 1, 3, 4}), b = random({5, 4, 2});
  const Tensor y = run(Op::matmul, {a, b});
  ASSERT_EQ(y.shape(), (Ints{2, 5, 3, 2}));
  for (int p = 0; p < 2; ++p)
    for (int q = 0; q < 5; ++q)
      for (int i = 0; i < 3; ++i)
        for (int j = 0; j < 2; ++j) {
          float sum = 0;
          for (int k = 0; k < 4; ++k) sum += a.as<float>()[(p * 3 + i) * 4 + k] * b.as<float>()[(q * 4 + k) * 2 + j];
          EXPECT_EQ(y.as<float>()[((p * 5 + q) * 3 + i) * 2 + j], sum);
        }
  EXPECT_EQ(run(Op::matmul, {random({4}), random({5, 4, 2})}).shape(), (Ints{5, 2}));
  EXPECT_EQ(run(Op::matmul, {random({5, 2, 4}), random({4})}).shape(), (Ints{5, 2}));
}

TEST(InterpretMatmul, EmptyAndSpecial) {
  expect_values(run(Op::matmul, {Tensor(DType::f32, {2, 0}), Tensor(DType::f32, {0, 2})}), {0, 0, 0, 0});
  expect_values(run(Op::matmul, {Tensor(DType::f32, {3, 2, 0}), Tensor(DType::f32, {0, 1})}), {0, 0, 0, 0, 0, 0});
  expect_values(run(Op::matmul, {Tensor(DType::f32, {0, 3}), random({3, 2})}), {});
  expect_values(run(Op::matmul, {f32({1, 2}, {0, 1}), f32({2, 1}, {kInf, 1})}), {kNaN});
  expect_values(run(Op::matmul, {tensor(DType::i8, {1, 2}, {100, 100}), tensor(DType::i8, {2, 1}, {1, 1})}), {-56});
  Tensor lowest(DType::i64, {1, 1});
  lowest.as<std::int64_t>()[0] = INT64_MIN;
  EXPECT_EQ(get(run(Op::matmul, {lowest, lowest}), 0), 0);
  for (const DType t : {DType::f16, DType::bf16, DType::f64}) {
    expect_values(run(Op::matmul, {tensor(t, {1, 2}, {1, 2}), tensor(t, {2, 1}, {3, 4})}), {11});
  }
}

Attributes windows(Ints strides, Ints dilations, Ints pads) {
  return {{"strides", std::move(strides)}, {"dilations", std::move(dilations)}, {"pads", std::move(pads)}};
}
Attributes conv_attributes(Ints strides, Ints dilations, Ints pads, std::int64_t groups = 1) {
  Attributes a = windows(std::move(strides), std::move(dilations), std::move(pads));
  a.emplace("groups", groups);
  return a;
}

TEST(InterpretConv, OneDimension) {
  const Tensor x = f32({1, 1, 4}, {1, 2, 3, 4}), w = f32({1, 1, 2}, {1, 10});
  expect_values(run(Op::conv, {x, w}, conv_attributes({1}, {1}, {0, 0})), {21, 32, 43});
  expect_values(run(Op::conv, {x, w}, conv_attributes({1}, {1}, {1, 1})), {10, 21, 32, 43, 4});
  expect_values(run(Op::conv, {x, w}, conv_attributes({2}, {1}, {0, 0})), {21, 43});
  expect_values(run(Op::conv, {x, w}, conv_attributes({1}, {2}, {0, 1})), {31, 42, 3});
  expect_values(run(Op::conv, {x, w, f32({1}, {100})}, conv_attributes({3}, {1}, {0, 0})), {121});
}

TEST(InterpretConv, AgreesWithTheDefinition) {
  const Tensor x = random({2, 4, 7, 6}), w = random({6, 2, 3, 2}), bias = random({6});
  const int sh = 2, sw = 1, dh = 1, dw = 2, ph = 1, pw = 0, groups = 2;
  const Tensor y = run(Op::conv, {x, w, bias}, conv_attributes({sh, sw}, {dh, dw}, {ph, pw, 2, 1}, groups));
  ASSERT_EQ(y.shape(), (Ints{2, 6, (7 + 3 - 2 - 1) / 2 + 1, 6 + 1 - 2 - 1 + 1}));
  const auto oh = y.shape()[2], ow = y.shape()[3];
  for (int n = 0; n < 2; ++n)
    for (int o = 0; o < 6; ++o)
      for (int i = 0; i < oh; ++i)
        for (int j = 0; j < ow; ++j) {
          float sum = bias.as<float>()[o];
          for (int c = 0; c < 2; ++c)
            for (int p = 0; p < 3; ++p)
              for (int q = 0; q < 2; ++q) {
                const int h = i * sh + p * dh - ph, v = j * sw + q * dw - pw;
                if (h < 0 || h >= 7 || v < 0 || v >= 6) continue;
                sum += x.as<float>()[((n * 4 + o / 3 * 2 + c) * 7 + h) * 6 + v] *
                       w.as<float>()[((o * 2 + c) * 3 + p) * 2 + q];
              }
          ASSERT_EQ(y.as<float>()[((n * 6 + o) * oh + i) * ow + j], sum) << n << " " << o << " " << i << " " << j;
        }
}

TEST(InterpretConv, DepthwiseThreeDimensionsAndEmpty) {
  const Tensor x = f32({1, 2, 1, 1, 2}, {1, 2, 3, 4}), w = f32({2, 1, 1, 1, 1}, {10, 100});
  expect_values(run(Op::conv, {x, w}, conv_attributes({1, 1, 1}, {1, 1, 1}, {0, 0, 0, 0, 0, 0}, 2)),
                {10, 20, 300, 400});
  EXPECT_EQ(
      run(Op::conv, {Tensor(DType::f32, {0, 1, 4}), f32({1, 1, 2}, {1, 1})}, conv_attributes({1}, {1}, {0, 0})).shape(),
      (Ints{0, 1, 3}));
  expect_values(run(Op::conv, {Tensor(DType::f32, {1, 0, 2}), Tensor(DType::f32, {1, 0, 1}), f32({1}, {7})},
                    conv_attributes({1}, {1}, {0, 0})),
                {7, 7});
  for (const DType t : {DType::f16, DType::bf16, DType::f64, DType::i32}) {
    expect_values(
        run(Op::conv, {tensor(t, {1, 1, 2}, {1, 2}), tensor(t, {1, 1, 2}, {3, 4})}, conv_attributes({1}, {1}, {0, 0})),
        {11});
  }
}

TEST(InterpretConv, RefusesWhatDoesNotFit) {
  const Tensor x = random({1, 4, 5}), w = random({6, 2, 3});
  EXPECT_FALSE(try_run(Op::conv, {x, w}, conv_attributes({1}, {1}, {0, 0}, 1)));
  EXPECT_FALSE(try_run(Op::conv, {x, random({5, 2, 3})}, conv_attributes({1}, {1}, {0, 0}, 2)));
  EXPECT_FALSE(try_run(Op::conv, {x, w, random({5})}, conv_attributes({1}, {1}, {0, 0}, 2)));
  EXPECT_FALSE(try_run(Op::conv, {x, w}, conv_attributes({0}, {1}, {0, 0}, 2)));
  EXPECT_FALSE(try_run(Op::conv, {x, w}, conv_attributes({1, 1}, {1}, {0, 0}, 2)));
  EXPECT_FALSE(try_run(Op::conv, {x, w}, conv_attributes({1}, {4}, {0, 0}, 2)))
      << "the dilated kernel is larger than the input";
  EXPECT_FALSE(try_run(Op::conv, {x, w}, conv_attributes({1}, {1}, {-1, 0}, 2)));
}

Expected<Tensor> pool(Op op, const Tensor& x, Ints kernel, Ints strides, Ints pads, Ints out,
                      bool include_pad = false) {
  Attributes a = windows(std::move(strides), Ints(kernel.size(), 1), std::move(pads));
  a.emplace("kernel", std::move(kernel));
  if (op == Op::avg_pool) a.emplace("include_pad", std::int64_t{include_pad});
  Ints shape = {x.shape()[0], x.shape()[1]};
  shape.insert(shape.end(), out.begin(), out.end());
  return try_run(op, {x}, std::move(a), Out{x.dtype(), shape});
}

TEST(InterpretConvTranspose, SpreadsTheInput) {
  const Tensor x = f32({1, 1, 3}, {1, 2, 3}), w = f32({1, 1, 2}, {10, 1});
  expect_values(run(Op::conv_transpose, {x, w}, conv_attributes({1}, {1}, {0, 0})), {10, 21, 32, 3});
  expect_values(run(Op::conv_transpose, {x, w}, conv_attributes({2}, {1}, {0, 0})), {10, 1, 20, 2, 30, 3});
  expect_values(run(Op::conv_transpose, {x, w}, conv_attributes({1}, {2}, {0, 0})), {10, 20, 31, 2, 3});
  expect_values(run(Op::conv_transpose, {x, w}, conv_attributes({1}, {1}, {1, 1})), {21, 32});
  expect_values(run(Op::conv_transpose, {x, w}, conv_attributes({1}, {1}, {0, -1})), {10, 21, 32, 3, 0});
  expect_values(run(Op::conv_transpose, {x, w, f32({1}, {100})}, conv_attributes({3}, {1}, {0, 4})),
                {110, 101, 100, 120});
  // Two groups of one input and two output channels each.
  expect_values(run(Op::conv_transpose, {f32({1, 2, 1}, {1, 2}), f32({2, 2, 1}, {1, 2, 3, 4})},
                    conv_attributes({1}, {1}, {0, 0}, 2)),
                {1, 2, 6, 8});
  EXPECT_FALSE(try_run(Op::conv_transpose, {x, w}, conv_attributes({1}, {1}, {3, 3})));
  EXPECT_FALSE(try_run(Op::conv_transpose, {x, f32({2, 1, 1}, {1, 2})}, conv_attributes({1}, {1}, {0, 0})));
}

TEST(InterpretPool, Max) {
  const Tensor x = f32({1, 1, 5}, {1, 3, 2, 5, 4});
  expect_values(*pool(Op::max_pool, x, {2}, {2}, {0, 0}, {2}), {3, 5});
  expect_values(*pool(Op::max_pool, x, {2}, {2}, {0, 0}, {3}), {3, 5, 4});
  expect_values(*pool(Op::max_pool, f32({1, 1, 2}, {-1, -2}), {2}, {1}, {1, 1}, {3}), {-1, -1, -2});
  expect_values(*pool(Op::max_pool, f32({1, 1, 3}, {kNaN, 1, 2}), {2}, {1}, {0, 0}, {2}), {kNaN, 2});
  expect_values(*pool(Op::max_pool, tensor(DType::i8, {1, 1, 1}, {-5}), {1}, {2}, {0, 1}, {2}), {-5, -128});
  const Tensor image = f32({1, 2, 2, 2}, {1, 2, 3, 4, 8, 7, 6, 5});
  expect_values(*pool(Op::max_pool, image, {2, 2}, {1, 1}, {0, 0, 0, 0}, {1, 1}), {4, 8});
}

TEST(InterpretPool, Average) {
  const Tensor x = f32({1, 1, 3}, {2, 4, 6});
  expect_values(*pool(Op::avg_pool, x, {2}, {1}, {1, 1}, {4}), {2, 3, 5, 6});
  expect_values(*pool(Op::avg_pool, x, {2}, {1}, {1, 1}, {4}, true), {1, 3, 5, 3});
  expect_values(*pool(Op::avg_pool, x, {2}, {2}, {0, 0}, {2}, true), {3, 6});
  expect_values(*pool(Op::avg_pool, Tensor(DType::f32, {0, 1, 3}), {2}, {1}, {0, 0}, {2}), {});
  expect_values(*pool(Op::avg_pool, tensor(DType::f16, {1, 1, 2}, {1, 2}), {2}, {1}, {0, 0}, {1}), {1.5});
}

TEST(InterpretPool, RefusesImpossibleExtents) {
  const Tensor x = f32({1, 1, 3}, {2, 4, 6});
  EXPECT_FALSE(pool(Op::max_pool, x, {2}, {1}, {0, 0}, {4}));
  EXPECT_FALSE(pool(Op::max_pool, x, {2}, {INT64_MAX}, {0, 0}, {2}));
  EXPECT_FALSE(pool(Op::max_pool, x, {0}, {1}, {0, 0}, {2}));
  EXPECT_FALSE(pool(Op::avg_pool, tensor(DType::i32, {1, 1, 1}, {1}), {1}, {1}, {0, 0}, {1}));
}

}  // namespace
}  // namespace jitney::ir::test
