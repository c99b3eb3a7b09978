// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Extents that only running tells: hosted operators, their verification, and the rules of read_dims.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "ir/hosted.h"
#include "ir/read_dims.h"

namespace jitney::ir {
namespace {

using ::testing::HasSubstr;
using Numbers = std::vector<std::int64_t>;

template <class T>
Tensor tensor(DType dtype, Numbers shape, const std::vector<T>& values) {
  Tensor t(dtype, std::move(shape));
  std::copy(values.begin(), values.end(), t.as<T>());
  return t;
}
Tensor floats(Numbers shape, const std::vector<float>& values) { return tensor<float>(DType::f32, shape, values); }
Tensor longs(const Numbers& values) { return tensor(DType::i64, {std::ssize(values)}, values); }
Numbers numbers(const Tensor& t) { return {t.as<std::int64_t>(), t.as<std::int64_t>() + t.num_elements()}; }

/// i = nonzero(x), of [a, b].
Graph nonzero_graph() {
  Graph g;
  const Dim a = Dim::symbol("a"), b = Dim::symbol("b"), n = Dim::symbol("n");
  g.symbols = {{"a", {}}, {"b", {}}, {"n", {}}};
  g.inputs = {g.add_value("x", DType::f32, {a, b})};
  g.outputs = {g.add_node(Op::nonzero, "nz", {0}, DType::i64, {2, n}, {{"symbols", Shape{n}}})};
  return g;
}

TEST(Hosted, NonzeroGivesIndicesInOrder) {
  const Graph g = nonzero_graph();
  ASSERT_TRUE(verify(g, Stage::imported));
  const auto out = value_or_throw(interpret(g, {floats({2, 3}, {0, NAN, -0.0F, 2, 0, INFINITY})}));
  EXPECT_EQ(out[0].shape(), (Numbers{2, 3}));
  EXPECT_EQ(numbers(out[0]), (Numbers{0, 1, 1, 1, 0, 2}));
  EXPECT_EQ(value_or_throw(interpret(g, {floats({2, 3}, {0, 0, 0, 0, 0, 0})}))[0].shape(), (Numbers{2, 0}));
  EXPECT_EQ(value_or_throw(interpret(g, {Tensor(DType::f32, {0, 3})}))[0].shape(), (Numbers{2, 0}));
}

TEST(Hosted, AGuardIsCheckedOnceItsSymbolsAreKnown) {
  Graph g = nonzero_graph();
  g.guards.push_back({Guard::Relation::less_equal, Dim::symbol("n"), 2, "at most two"});
  EXPECT_TRUE(interpret(g, {floats({1, 3}, {0, 1, 1})}));
  const auto failed = interpret(g, {floats({1, 3}, {1, 1, 1})});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::user);
  EXPECT_EQ(failed.error().message, "at most two: n = 3 must be at most 2");
}

TEST(Hosted, WhatIsNoNewSymbolIsRefused) {
  for (const Shape& symbols : {Shape{Dim(3)}, Shape{Dim::symbol("n"), Dim::symbol("n")}}) {
    Graph g = nonzero_graph();
    g.nodes[0].attributes["symbols"] = symbols;
    const auto valid = verify(g, Stage::imported);
    ASSERT_FALSE(valid);
    EXPECT_THAT(valid.error().message, HasSubstr("is no new symbol"));
  }
}

TEST(Hosted, OnceOptimizedEverythingElseIsInAStage) {
  Graph g = nonzero_graph();
  g.outputs = {g.add_node(Op::neg, "minus", {g.inputs[0]}, DType::f32, g.value(0).shape)};
  EXPECT_TRUE(verify(g, Stage::imported));
  const auto valid = verify(g, Stage::optimized);
  ASSERT_FALSE(valid);
  EXPECT_THAT(valid.error().message, HasSubstr("belongs into a stage"));
}

TEST(Hosted, UniqueSortsAndCounts) {
  Graph g;
  const Dim n = Dim::symbol("n"), u = Dim::symbol("u");
  g.symbols = {{"n", {}}, {"u", {}}};
  g.inputs = {g.add_value("x", DType::f32, {n})};
  for (const char* name : {"y", "first", "which", "count"})
    g.outputs.push_back(
        g.add_value(name, g.outputs.empty() ? DType::f32 : DType::i64, {g.outputs.size() == 2 ? n : u}));
  g.nodes.push_back({Op::unique,
                     "u",
                     {0},
                     g.outputs,
                     {{"axis", std::int64_t{0}}, {"sorted", std::int64_t{1}}, {"symbols", Shape{u}}}});
  ASSERT_TRUE(verify(g, Stage::imported)) << verify(g, Stage::imported).error().message;
  const auto out = value_or_throw(interpret(g, {floats({6}, {3, 1, 3, -1, 1, 3})}));
  EXPECT_EQ(std::vector<float>(out[0].as<float>(), out[0].as<float>() + 3), (std::vector<float>{-1, 1, 3}));
  EXPECT_EQ(numbers(out[1]), (Numbers{3, 1, 0}));
  EXPECT_EQ(numbers(out[2]), (Numbers{2, 1, 2, 0, 1, 2}));
  EXPECT_EQ(numbers(out[3]), (Numbers{1, 2, 3}));
}

Expected<Numbers> read(const std::string& rule, const std::vector<Tensor>& operands, const Numbers& given) {
  std::vector<const Tensor*> pointers;
  for (const Tensor& t : operands) pointers.push_back(&t);
  return read_dims(rule, "'r'", pointers, given);
}

TEST(ReadDims, Reshape) {
  EXPECT_EQ(*read("reshape", {longs({0, -1})}, {0, 4, 6}), (Numbers{4, 6}));
  EXPECT_EQ(*read("reshape", {longs({0, 5})}, {1, 0, 6}), (Numbers{0, 5}));  // allowzero
  EXPECT_EQ(read("reshape", {longs({5, 5})}, {0, 4, 6}).error().message,
            "'r': [4, 6] cannot take the shape [5, 5]: the number of elements does not fit");
  for (const Numbers& shape : {Numbers{-1, -1}, {-2, -12}, {0, 0, 0}, {-1, 5}, {INT64_MAX, INT64_MAX}})
    EXPECT_EQ(read("reshape", {longs(shape)}, {0, 4, 6}).error().kind, ErrorKind::user);
}

TEST(ReadDims, SliceAsNumpy) {
  const auto slice = [](std::int64_t start, std::int64_t end, std::int64_t extent, std::int64_t step) {
    return *read("slice", {longs({start}), longs({end})}, {extent, step});
  };
  EXPECT_EQ(slice(1, 4, 5, 1), (Numbers{1, 3}));
  EXPECT_EQ(slice(-3, INT64_MAX, 5, 2), (Numbers{2, 2}));
  EXPECT_EQ(slice(4, 2, 5, 1), (Numbers{0, 0}));
  EXPECT_EQ(slice(-1, INT64_MIN, 5, -1), (Numbers{4, 5}));
  EXPECT_EQ(slice(100, -100, 5, -2), (Numbers{4, 3}));
  EXPECT_EQ(slice(3, 0, 5, -1), (Numbers{3, 3}));
  EXPECT_EQ(slice(0, 5, 0, 1), (Numbers{0, 0}));
  EXPECT_EQ(slice(-1, INT64_MIN, 0, -1), (Numbers{0, 0}));
}

TEST(ReadDims, RangeOfAnyNumbers) {
  EXPECT_EQ(*read("range", {longs({3}), longs({10}), longs({3})}, {}), (Numbers{3}));
  EXPECT_EQ(*read("range", {longs({10}), longs({3}), longs({-3})}, {}), (Numbers{3}));
  EXPECT_EQ(*read("range", {longs({3}), longs({3}), longs({1})}, {}), (Numbers{0}));
  EXPECT_EQ(*read("range", {floats({}, {0}), floats({}, {1}), floats({}, {0.3F})}, {}), (Numbers{4}));
  EXPECT_FALSE(read("range", {longs({0}), longs({1}), longs({0})}, {}));
  EXPECT_FALSE(read("range", {floats({}, {0}), floats({}, {NAN}), floats({}, {1})}, {}));
  EXPECT_FALSE(read("range", {longs({INT64_MIN}), longs({INT64_MAX}), longs({1})}, {}));
}

TEST(ReadDims, ExtentsAreNotNegative) {
  EXPECT_EQ(*read("extents", {longs({2, 0}), longs({7})}, {}), (Numbers{2, 0, 7}));
  EXPECT_EQ(read("extents", {longs({2, -1})}, {}).error().message,
            "'r' is given [2, -1]; its elements must be 0 or more");
  EXPECT_EQ(*read("signed", {longs({2, -3})}, {}), (Numbers{2, 0, 0, 3}));
}

TEST(ReadDims, ExpandBroadcastsBothWays) {
  EXPECT_EQ(*read("expand", {longs({3, 1})}, {4}), (Numbers{3, 4}));
  EXPECT_EQ(*read("expand", {longs({1})}, {2, 5}), (Numbers{2, 5}));
  EXPECT_FALSE(read("expand", {longs({3})}, {2}));
}

}  // namespace
}  // namespace jitney::ir
