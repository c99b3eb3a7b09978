// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Slice and Split against a direct reading of the specification, on symbolic extents.
#include <algorithm>

#include "onnx/import_check.h"

namespace jitney::onnx::testing {
namespace {

struct Case {
  std::int64_t start, end, step;
};

/// What numpy's x[start:end:step] takes of 0, 1, ..., n - 1.
std::vector<float> expected_slice(std::int64_t n, Case s) {
  const auto wrap = [n](std::int64_t i) { return i < 0 ? i + n : i; };
  std::vector<float> result;
  const auto at = [&](std::int64_t i) {
    return std::max<std::int64_t>(INT64_MIN / 2, std::min<std::int64_t>(INT64_MAX / 2, i));
  };
  if (s.step > 0) {
    const std::int64_t from = std::clamp<std::int64_t>(wrap(at(s.start)), 0, n);
    const std::int64_t to = std::clamp<std::int64_t>(wrap(at(s.end)), 0, n);
    for (std::int64_t i = from; i < to; i += s.step) result.push_back(static_cast<float>(i));
  } else {
    const std::int64_t from = std::clamp<std::int64_t>(wrap(at(s.start)), n == 0 ? -1 : 0, n - 1);
    const std::int64_t to = std::clamp<std::int64_t>(wrap(at(s.end)), -1, n - 1);
    for (std::int64_t i = from; i > to; i += s.step) result.push_back(static_cast<float>(i));
  }
  return result;
}

TEST(Slice, AgreesWithTheSpecification) {
  for (const std::int64_t start : {INT64_MIN, std::int64_t{-9}, std::int64_t{-3}, std::int64_t{-1}, std::int64_t{0},
                                   std::int64_t{2}, std::int64_t{7}, INT64_MAX}) {
    for (const std::int64_t end : {INT64_MIN, std::int64_t{-9}, std::int64_t{-2}, std::int64_t{0}, std::int64_t{3},
                                   std::int64_t{20}, INT64_MAX}) {
      for (const std::int64_t step : {-2, -1, 1, 3}) {
        ModelBuilder m;
        m.input("x", {"n"})
            .output("y")
            .integers("s", {start})
            .integers("e", {end})
            .integers("a", {0})
            .integers("t", {step});
        m.node("Slice", {"x", "s", "e", "a", "t"}, {"y"});
        const auto graph = imported(m);
        for (const std::int64_t n : {0, 1, 2, 5, 8}) {
          std::vector<float> data(static_cast<std::size_t>(n));
          for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<float>(i);
          const auto outputs = run(graph, {tensor({n}, data)});
          ASSERT_EQ(outputs.size(), 1U) << start << ":" << end << ":" << step << " of " << n;
          EXPECT_EQ(values_of(outputs[0]), expected_slice(n, {start, end, step}))
              << start << ":" << end << ":" << step << " of " << n;
        }
      }
    }
  }
}

TEST(Slice, SymbolicEnd) {
  // table[:seq] of 16 rows.
  ModelBuilder m;
  m.input("x", {"batch", "seq"}).output("y").ones("table", {16, 4}).integers("zero", {0});
  m.node("Shape", {"x"}, {"s"}).integer("start", 1);
  m.node("Slice", {"table", "zero", "s", "zero"}, {"y"});
  const auto graph = imported(m);
  EXPECT_EQ(type_of(graph), "float32 [min(seq, 16), 4]");
}

TEST(Slice, ShiftsByOneHaveEqualExtents) {
  ModelBuilder m;
  m.input("x", {"n"})
      .output("y")
      .integers("zero", {0})
      .integers("one", {1})
      .integers("minus", {-1})
      .integers("end", {INT64_MAX});
  m.node("Slice", {"x", "zero", "minus", "zero"}, {"a"});
  m.node("Slice", {"x", "one", "end", "zero"}, {"b"});
  m.node("Sub", {"a", "b"}, {"y"});
  EXPECT_TRUE(imported(m).guards.empty());
}

TEST(Slice, AttributesBeforeOpset10) {
  ModelBuilder m(9);
  m.input("x", {4, 6}).output("y");
  m.node("Slice", {"x"}, {"y"}).integers("starts", {1, 0}).integers("ends", {3, -1}).integers("axes", {0, 1});
  EXPECT_EQ(type_of(imported(m)), "float32 [2, 5]");
}

TEST(Slice, BoundsThatAreNoIntegers) {
  ModelBuilder m(18);
  m.input("x", {"n"}).output("y").integers("from", {0});
  m.raw<double>("to", proto::TensorProto::DOUBLE, {1}, {2});
  m.node("Slice", {"x", "from", "to"}, {"y"}).name("s");
  EXPECT_EQ(message_of(m.import()), "node 's' takes extents from 'to', which cannot be float64");
}

TEST(Split, EqualPartsSizesAndRemainder) {
  ModelBuilder m(18);
  m.input("x", {"n", 7}).output("a").output("b").output("c").output("d").output("e").integers("sizes", {2, 5});
  m.node("Split", {"x"}, {"a", "b", "c"}).integer("axis", 1).integer("num_outputs", 3);
  m.node("Split", {"x", "sizes"}, {"d", "e"}).integer("axis", -1);
  const auto graph = imported(m);
  EXPECT_EQ(type_of(graph, 0), "float32 [n, 3]");
  EXPECT_EQ(type_of(graph, 2), "float32 [n, 1]");
  EXPECT_EQ(type_of(graph, 3), "float32 [n, 2]");
  EXPECT_EQ(type_of(graph, 4), "float32 [n, 5]");
}

TEST(Split, AttributeBeforeOpset13) {
  ModelBuilder m(11);
  m.input("x", {6, "n"}).output("a").output("b");
  m.node("Split", {"x"}, {"a", "b"}).integers("split", {2, 4});
  const auto graph = imported(m);
  EXPECT_EQ(type_of(graph, 0), "float32 [2, n]");
  EXPECT_EQ(type_of(graph, 1), "float32 [4, n]");
}

TEST(Split, PartsThatDoNotAddUp) {
  ModelBuilder m(18);
  m.input("x", {7}).output("a").output("b").integers("sizes", {2, 4});
  m.node("Split", {"x", "sizes"}, {"a", "b"}).name("s");
  EXPECT_EQ(message_of(m.import()), "operator 'Split' at node 's': its parts have 6 elements on axis 0, its input 7");
}

}  // namespace
}  // namespace jitney::onnx::testing
