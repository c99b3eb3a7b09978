// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include "ir/support.h"

namespace jitney::ir::test {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
const Tensor k23 = f32({2, 3}, {1, 5, 3, 4, 2, 6});

Expected<Tensor> reduce(Op op, const Tensor& x, const Ints& axes, bool keepdims = false, bool last = false) {
  Attributes attributes{{"axes", axes}, {"keepdims", std::int64_t{keepdims}}};
  if (op == Op::arg_max || op == Op::arg_min) attributes.emplace("last", std::int64_t{last});
  return try_run(op, {x}, std::move(attributes));
}

TEST(InterpretReduce, AlongEachAxis) {
  expect_values(*reduce(Op::reduce_sum, k23, {0}), {5, 7, 9});
  expect_values(*reduce(Op::reduce_sum, k23, {1}), {9, 12});
  expect_values(*reduce(Op::reduce_sum, k23, {0, 1}), {21});
  expect_values(*reduce(Op::reduce_sum, k23, {}), {1, 5, 3, 4, 2, 6});
  EXPECT_EQ(reduce(Op::reduce_sum, k23, {0}, true)->shape(), (Ints{1, 3}));
  EXPECT_EQ(reduce(Op::reduce_sum, k23, {0, 1}, true)->shape(), (Ints{1, 1}));
  expect_values(*reduce(Op::reduce_mean, k23, {1}), {3, 4});
  expect_values(*reduce(Op::reduce_max, k23, {1}), {5, 6});
  expect_values(*reduce(Op::reduce_min, k23, {0}), {1, 2, 3});
  expect_values(*reduce(Op::reduce_prod, k23, {1}), {15, 48});
  const Tensor x = f32({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  expect_values(*reduce(Op::reduce_sum, x, {0, 2}), {14, 22});
  expect_values(*reduce(Op::reduce_sum, f32({}, {3}), {}), {3});
}

TEST(InterpretReduce, OfNothing) {
  const Tensor empty(DType::f32, {2, 0});
  expect_values(*reduce(Op::reduce_sum, empty, {1}), {0, 0});
  expect_values(*reduce(Op::reduce_prod, empty, {1}), {1, 1});
  expect_values(*reduce(Op::reduce_mean, empty, {1}), {kNaN, kNaN});
  expect_values(*reduce(Op::reduce_max, empty, {1}), {-kInf, -kInf});
  expect_values(*reduce(Op::reduce_min, empty, {1}), {kInf, kInf});
  expect_values(*reduce(Op::reduce_max, empty, {0}), {});
  expect_values(*reduce(Op::reduce_max, Tensor(DType::i8, {0}), {0}), {-128});
  expect_values(*reduce(Op::reduce_min, Tensor(DType::u8, {0}), {0}), {255});
  expect_values(*reduce(Op::reduce_max, Tensor(DType::boolean, {0}), {0}), {0});
  expect_values(*reduce(Op::reduce_min, Tensor(DType::boolean, {0}), {0}), {1});
  expect_values(*reduce(Op::reduce_mean, Tensor(DType::i32, {0}), {0}), {0});
  EXPECT_FALSE(reduce(Op::arg_max, empty, {1}));
  expect_values(*reduce(Op::arg_max, empty, {0}), {});
}

TEST(InterpretReduce, NaNAndInfinities) {
  const Tensor x = f32({2, 3}, {1, kNaN, 3, -kInf, kInf, 0});
  expect_values(*reduce(Op::reduce_max, x, {1}), {kNaN, kInf});
  expect_values(*reduce(Op::reduce_min, x, {1}), {kNaN, -kInf});
  expect_values(*reduce(Op::reduce_sum, x, {1}), {kNaN, kNaN});
  expect_values(*reduce(Op::arg_max, x, {1}), {1, 1});
  expect_values(*reduce(Op::arg_min, x, {1}), {1, 0});
}

TEST(InterpretReduce, ArgTakesTheFirstOrTheLast) {
  const Tensor x = f32({4}, {2, 7, 7, 1});
  const auto first = reduce(Op::arg_max, x, {0}), last = reduce(Op::arg_max, x, {0}, false, true);
  EXPECT_EQ(first->dtype(), DType::i64);
  expect_values(*first, {1});
  expect_values(*last, {2});
  expect_values(*reduce(Op::arg_min, k23, {0}, true), {0, 1, 0});
  EXPECT_FALSE(reduce(Op::arg_max, k23, {0, 1}));
}

TEST(InterpretReduce, AccumulatesWide) {
  Tensor ones(DType::f16, {4096});
  for (std::size_t i = 0; i < 4096; ++i) set(ones, i, 1);
  expect_values(*reduce(Op::reduce_sum, ones, {0}), {4096});  // f16 alone would stop at 2048
  expect_values(*reduce(Op::reduce_sum, f32({3}, {1e8, 1, -1e8}), {0}), {1});
  expect_values(*reduce(Op::reduce_sum, tensor(DType::i8, {2}, {127, 1}), {0}), {-128});
  expect_values(*reduce(Op::reduce_mean, tensor(DType::i8, {2}, {-127, -2}), {0}), {-64});
  expect_values(*reduce(Op::reduce_prod, tensor(DType::u8, {2}, {16, 17}), {0}), {16});
}

TEST(InterpretReduce, RefusesBadAxes) {
  for (const Ints& axes : {Ints{2}, Ints{-1}, Ints{1, 0}, Ints{0, 0}}) EXPECT_FALSE(reduce(Op::reduce_sum, k23, axes));
}

TEST(InterpretSoftmax, AlongEachAxis) {
  const double e = std::exp(1.0);
  const Tensor x = f32({2, 2}, {0, 1, 1000, 1001});
  expect_values(run(Op::softmax, {x}, {{"axis", std::int64_t{1}}}),
                {1 / (1 + e), e / (1 + e), 1 / (1 + e), e / (1 + e)}, 1e-7);
  expect_values(run(Op::softmax, {x}, {{"axis", std::int64_t{0}}}), {0, 0, 1, 1}, 1e-7);
  expect_values(run(Op::log_softmax, {x}, {{"axis", std::int64_t{1}}}),
                {-std::log1p(e), 1 - std::log1p(e), -std::log1p(e), 1 - std::log1p(e)}, 1e-6);
  expect_values(run(Op::softmax, {f32({3}, {-kInf, 0, kNaN})}, {{"axis", std::int64_t{0}}}), {kNaN, kNaN, kNaN});
  expect_values(run(Op::softmax, {f32({2}, {-kInf, 0})}, {{"axis", std::int64_t{0}}}), {0, 1});
  expect_values(run(Op::softmax, {f32({2}, {-kInf, -kInf})}, {{"axis", std::int64_t{0}}}), {kNaN, kNaN});
  expect_values(run(Op::softmax, {Tensor(DType::f32, {3, 0})}, {{"axis", std::int64_t{1}}}), {});
  for (const DType t : {DType::f16, DType::bf16, DType::f64}) {
    expect_values(run(Op::softmax, {tensor(t, {4}, {1, 1, 1, 1})}, {{"axis", std::int64_t{0}}}),
                  {0.25, 0.25, 0.25, 0.25});
  }
}

TEST(InterpretLayerNorm, NormalizesTheLastAxes) {
  const Attributes last{{"axis", std::int64_t{1}}, {"epsilon", 0.0}};
  const Tensor x = f32({2, 2}, {1, 3, 10, 30});
  expect_values(run(Op::layer_norm, {x}, last), {-1, 1, -1, 1});
  expect_values(run(Op::layer_norm, {x, f32({2}, {2, 3}), f32({2}, {10, 20})}, last), {8, 23, 8, 23});
  expect_values(run(Op::layer_norm, {x, Tensor(), f32({2}, {10, 20})}, last), {9, 21, 9, 21});
  const Tensor y = run(Op::layer_norm, {f32({2, 2}, {1, 1, 3, 3})}, {{"axis", std::int64_t{0}}, {"epsilon", 3.0}});
  expect_values(y, {-0.5, -0.5, 0.5, 0.5});
  expect_values(run(Op::layer_norm, {Tensor(DType::f32, {0, 3})}, last), {});
  EXPECT_FALSE(try_run(Op::layer_norm, {x, f32({3}, {1, 2, 3})}, last));
}

TEST(InterpretBatchNorm, NormalizesChannels) {
  const Tensor x = f32({1, 2, 2}, {1, 2, 3, 4});
  expect_values(run(Op::batch_norm, {x, f32({2}, {2, 1}), f32({2}, {10, 0}), f32({2}, {1, 3}), f32({2}, {3, 0})},
                    {{"epsilon", 1.0}}),
                {10, 11, 0, 1});
  EXPECT_FALSE(try_run(Op::batch_norm, {x, f32({3}, {2, 1, 1}), f32({2}, {10, 0}), f32({2}, {1, 3}), f32({2}, {3, 0})},
                       {{"epsilon", 1.0}}));
}

}  // namespace
}  // namespace jitney::ir::test
