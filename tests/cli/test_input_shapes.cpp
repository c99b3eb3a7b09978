// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cli/input_shapes.h"

namespace jitney::cli {
namespace {

using Extents = std::vector<std::int64_t>;

/// images [batch, 1, 8, 8], mask [batch, 2*length], tokens [length]
ir::Graph model() {
  ir::Graph graph;
  graph.name = "model";
  const ir::Dim batch = ir::Dim::symbol("batch"), length = ir::Dim::symbol("length");
  graph.inputs = {graph.add_value("images", DType::f32, {batch, 1, 8, 8}),
                  graph.add_value("mask", DType::boolean, {batch, ir::Dim(2) * length}),
                  graph.add_value("tokens", DType::i64, {length})};
  graph.symbols = {{"batch", {}}, {"length", {}}};
  return graph;
}

TEST(InputShapes, SymbolsThatNobodyGaveAreOne) {
  const auto resolved = resolve_shapes(model(), {});
  ASSERT_TRUE(resolved) << resolved.error().message;
  EXPECT_EQ(resolved->shapes, (std::vector<Extents>{{1, 1, 8, 8}, {1, 2}, {1}}));
  EXPECT_EQ(resolved->assumed, (std::map<std::string, std::int64_t>{{"batch", 1}, {"length", 1}}));
}

TEST(InputShapes, OneInputGivesTheOthersTheirExtents) {
  const auto resolved = resolve_shapes(model(), {{"images", {5, 1, 8, 8}}, {"tokens", {7}}});
  ASSERT_TRUE(resolved) << resolved.error().message;
  EXPECT_EQ(resolved->shapes[1], (Extents{5, 14}));
  EXPECT_TRUE(resolved->assumed.empty());
}

TEST(InputShapes, EmptyBatchIsAShape) {
  const auto resolved = resolve_shapes(model(), {{"images", {0, 1, 8, 8}}});
  ASSERT_TRUE(resolved) << resolved.error().message;
  EXPECT_EQ(resolved->shapes[1], (Extents{0, 2}));
}

TEST(InputShapes, TheModelsOwnMinimumCounts) {
  ir::Graph graph = model();
  graph.symbols["batch"].min = 4;
  const auto resolved = resolve_shapes(graph, {});
  ASSERT_TRUE(resolved) << resolved.error().message;
  EXPECT_EQ(resolved->assumed.at("batch"), 4);
}

TEST(InputShapes, WhatDoesNotFitIsNamed) {
  const auto refusal = [](const GivenShapes& given) {
    const auto resolved = resolve_shapes(model(), given);
    if (resolved) return std::string();
    EXPECT_EQ(resolved.error().kind, ErrorKind::user);
    return resolved.error().message;
  };
  const auto has = [](const std::string& text, const std::string& word) {
    return text.find(word) != std::string::npos;
  };
  const std::string unknown = refusal({{"pictures", {1, 1, 8, 8}}});
  EXPECT_TRUE(has(unknown, "pictures") && has(unknown, "'images' [batch, 1, 8, 8]")) << unknown;
  const std::string rank = refusal({{"images", {64}}});
  EXPECT_TRUE(has(rank, "images") && has(rank, "rank 4")) << rank;
  const std::string extent = refusal({{"images", {1, 3, 8, 8}}});
  EXPECT_TRUE(has(extent, "images") && has(extent, "axis 1")) << extent;
  const std::string conflict = refusal({{"images", {2, 1, 8, 8}}, {"mask", {3, 2}}});
  EXPECT_TRUE(has(conflict, "batch") && has(conflict, "2") && has(conflict, "3")) << conflict;
  EXPECT_NE(refusal({{"mask", {1, 3}}}), "") << "3 is not twice an extent";
}

}  // namespace
}  // namespace jitney::cli
