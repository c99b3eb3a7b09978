// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Gathers and scatters by indices that are data, the best k, and scans.
#include <limits>

#include "ir/support.h"

namespace jitney::ir::test {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
const Tensor k23 = f32({2, 3}, {1, 2, 3, 4, 5, 6});

Attributes on(std::int64_t axis) { return {{"axis", axis}}; }
Attributes mode(const char* mode) { return {{"mode", std::string(mode)}}; }

TEST(InterpretIndex, GatherElements) {
  expect_values(run(Op::gather_elements, {k23, i64({2, 2}, {0, -1, 2, 2})}, on(1)), {1, 3, 6, 6});
  expect_values(run(Op::gather_elements, {k23, i64({1, 3}, {1, 0, 1})}, on(0)), {4, 2, 6});
  expect_values(run(Op::gather_elements, {k23, i64({0, 3}, {})}, on(0)), {});
  EXPECT_FALSE(try_run(Op::gather_elements, {k23, i64({1, 1}, {3})}, on(1)));
  EXPECT_FALSE(try_run(Op::gather_elements, {k23, i64({1, 1}, {-4})}, on(1)));
  EXPECT_FALSE(try_run(Op::gather_elements, {k23, i64({3, 1}, {0, 0, 0})}, on(1)));  // more rows than there are
  EXPECT_FALSE(try_run(Op::gather_elements, {k23, i64({1}, {0})}, on(1)));
  EXPECT_FALSE(try_run(Op::gather_elements, {k23, f32({1, 1}, {0})}, on(1)));
}

TEST(InterpretIndex, GatherNd) {
  const auto gather = [](const Tensor& indices, std::int64_t batch) {
    return try_run(Op::gather_nd, {k23, indices}, {{"batch", batch}});
  };
  expect_values(*gather(i64({2, 2}, {0, 1, 1, -1}), 0), {2, 6});
  expect_values(*gather(i64({1, 1}, {1}), 0), {4, 5, 6});
  expect_values(*gather(i64({2, 1}, {2, 0}), 1), {3, 4});
  expect_values(*gather(i64({0, 2}, {}), 0), {});
  EXPECT_FALSE(gather(i64({1, 2}, {0, 3}), 0));
  EXPECT_FALSE(gather(i64({1, 3}, {0, 0, 0}), 0));
  EXPECT_FALSE(gather(i64({1, 0}, {}), 0));
  EXPECT_FALSE(gather(i64({3, 1}, {0, 0, 0}), 1));  // another batch
  EXPECT_FALSE(gather(i64({2, 1}, {0, 0}), 2));
}

TEST(InterpretIndex, GatherGrid) {
  const auto axes = [](Ints a) { return Attributes{{"axes", std::move(a)}}; };
  expect_values(run(Op::gather_grid, {k23, i64({3}, {1, 1, 0}), i64({2}, {2, 0})}, axes({0, 1})), {6, 4, 6, 4, 3, 1});
  expect_values(run(Op::gather_grid, {k23, i64({1}, {-1})}, axes({1})), {3, 6});
  EXPECT_FALSE(try_run(Op::gather_grid, {k23, i64({1}, {2})}, axes({0})));
  EXPECT_FALSE(try_run(Op::gather_grid, {k23, i64({1}, {0}), i64({1}, {0})}, axes({1, 0})));
  EXPECT_FALSE(try_run(Op::gather_grid, {k23, i64({1}, {0})}, axes({0, 1})));
  EXPECT_FALSE(try_run(Op::gather_grid, {k23, i64({1}, {0})}, axes({2})));
}

TEST(InterpretIndex, ScatterElements) {
  const auto scatter = [](const char* how, Ints shape, const std::vector<double>& indices,
                          const std::vector<double>& updates) {
    Attributes attributes = mode(how);
    attributes.emplace("axis", std::int64_t{1});
    return try_run(Op::scatter_elements, {k23, i64(shape, indices), f32(shape, updates)}, attributes);
  };
  expect_values(*scatter("none", {1, 2}, {2, 2}, {7, 8}), {1, 2, 8, 4, 5, 6});  // the later one stays
  expect_values(*scatter("add", {1, 2}, {-1, 2}, {7, 8}), {1, 2, 18, 4, 5, 6});
  expect_values(*scatter("mul", {2, 1}, {0, 1}, {7, 8}), {7, 2, 3, 4, 40, 6});
  expect_values(*scatter("max", {1, 3}, {0, 1, 2}, {0, 9, kNan}), {1, 9, kNan, 4, 5, 6});
  expect_values(*scatter("min", {1, 3}, {0, 0, 2}, {0, -9, kNan}), {-9, 2, kNan, 4, 5, 6});
  expect_values(*scatter("add", {0, 2}, {}, {}), {1, 2, 3, 4, 5, 6});
  EXPECT_FALSE(scatter("none", {1, 1}, {3}, {0}));
  EXPECT_FALSE(scatter("mean", {1, 1}, {0}, {0}));
  EXPECT_FALSE(try_run(Op::scatter_elements,
                       {tensor(DType::boolean, {1}, {1}), i64({1}, {0}), tensor(DType::boolean, {1}, {1})},
                       {{"axis", std::int64_t{0}}, {"mode", std::string("add")}}));
}

TEST(InterpretIndex, ScatterWrapsIntegers) {
  const Tensor x = tensor(DType::u8, {1}, {250});
  expect_values(run(Op::scatter_nd, {x, i64({2, 1}, {0, 0}), tensor(DType::u8, {2}, {4, 3})}, mode("add")), {1});
}

TEST(InterpretIndex, ScatterNd) {
  expect_values(run(Op::scatter_nd, {k23, i64({1, 1}, {-1}), f32({1, 3}, {7, 8, 9})}, mode("none")),
                {1, 2, 3, 7, 8, 9});
  expect_values(run(Op::scatter_nd, {k23, i64({2, 2}, {0, 1, 0, 1}), f32({2}, {7, 8})}, mode("add")),
                {1, 17, 3, 4, 5, 6});
  EXPECT_FALSE(try_run(Op::scatter_nd, {k23, i64({1, 2}, {2, 0}), f32({1}, {7})}, mode("none")));
  EXPECT_FALSE(try_run(Op::scatter_nd, {k23, i64({1, 1}, {0}), f32({1}, {7})}, mode("none")));
}

TEST(InterpretIndex, TopK) {
  const auto top = [](const Tensor& x, std::int64_t axis, std::int64_t largest, Ints out) {
    return try_run(Op::top_k, {x}, {{"axis", axis}, {"largest", largest}}, Out{DType::i64, std::move(out)});
  };
  const Tensor x = f32({1, 6}, {2, 5, kNan, 5, 1, 2});
  expect_values(*top(x, 1, 1, {1, 4}), {2, 1, 3, 0});
  expect_values(*top(x, 1, 0, {1, 6}), {4, 0, 5, 1, 3, 2});
  expect_values(*top(k23, 0, 1, {1, 3}), {1, 1, 1});
  expect_values(*top(k23, 0, 1, {0, 3}), {});
  EXPECT_FALSE(top(k23, 0, 1, {3, 3}));
  EXPECT_FALSE(top(k23, 2, 1, {2, 3}));
}

TEST(InterpretScan, CumulativeSum) {
  const auto sum = [](const Tensor& x, std::int64_t axis, std::int64_t exclusive) {
    return try_run(Op::cumsum, {x}, {{"axis", axis}, {"exclusive", exclusive}});
  };
  expect_values(*sum(k23, 1, 0), {1, 3, 6, 4, 9, 15});
  expect_values(*sum(k23, 0, 1), {0, 0, 0, 1, 2, 3});
  expect_values(*sum(tensor(DType::i32, {2}, {INT32_MAX, 1}), 0, 0), {INT32_MAX, INT32_MIN});
  expect_values(*sum(f32({2, 0}, {}), 1, 0), {});
  EXPECT_FALSE(sum(k23, 2, 0));
  EXPECT_FALSE(sum(f32({}, {1}), 0, 0));
}

}  // namespace
}  // namespace jitney::ir::test
