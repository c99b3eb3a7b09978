// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "engine/codec.h"
#include "engine/file_format.h"
#include "engine/graphs.h"

namespace jitney::testing {
namespace {

using ::testing::HasSubstr;

/// Through encode and decode only, so that graphs of any stage pass.
Expected<ir::Graph> through_codec(const ir::Graph& graph) {
  JITNEY_TRY(const engine::Encoded encoded, engine::encode(graph));
  auto held =
      std::make_shared<Tensor>(DType::u8, std::vector<std::int64_t>{static_cast<std::int64_t>(encoded.weights_size)});
  for (const auto& [offset, bytes] : encoded.weights)
    std::memcpy(held->as<std::byte>() + offset, bytes.data(), bytes.size());
  const std::span weights(held->as<const std::byte>(), encoded.weights_size);
  return engine::decode(encoded.graph, encoded.graph.ByteSizeLong(), {weights, held});
}

TEST(RoundTrip, SmallGraph) { expect_same(small_graph(), value_or_throw(load(serialized(small_graph())))); }

TEST(RoundTrip, EveryAttributeDimensionAndDType) {
  const ir::Graph graph = wide_graph();
  ASSERT_TRUE(ir::verify(graph, ir::Stage::optimized)) << ir::verify(graph, ir::Stage::optimized).error().message;
  expect_same(graph, value_or_throw(load(serialized(graph))));
}

TEST(RoundTrip, StagesAndBodies) {
  const ir::Graph graph = staged_graph();
  ASSERT_TRUE(ir::verify(graph, ir::Stage::optimized)) << ir::verify(graph, ir::Stage::optimized).error().message;
  expect_same(graph, value_or_throw(load(serialized(graph))));
}

TEST(RoundTrip, EmptyGraph) {
  ir::Graph graph;
  expect_same(graph, value_or_throw(load(serialized(graph))));
}

TEST(RoundTrip, NestedBodies) {
  const ir::Graph graph = nested_graph(engine::kMaxGraphDepth);
  expect_same(graph, value_or_throw(through_codec(graph)));
}

TEST(RoundTrip, DeeperBodiesAreNotWritten) {
  const auto failed = through_codec(nested_graph(engine::kMaxGraphDepth + 1));
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, HasSubstr("nested more than 24 deep"));
}

TEST(RoundTrip, TheSameGraphGivesTheSameBytes) {
  const Bytes first = serialized(wide_graph());
  EXPECT_EQ(first, serialized(wide_graph()));
  EXPECT_EQ(first, serialized(value_or_throw(load(first))));
}

TEST(RoundTrip, EqualTensorsAreWrittenOnce) {
  ir::Graph once, twice;
  once.add_constant("a", counting(DType::f32, {64, 64}));
  twice.add_constant("a", counting(DType::f32, {64, 64}));
  twice.add_constant("b", counting(DType::i32, {4096}));
  EXPECT_LT(serialized(twice).size(), serialized(once).size() + 200);
  expect_same(twice, value_or_throw(load(serialized(twice))));
}

TEST(RoundTrip, WeightsAreUsedWhereTheyLie) {
  Tensor held(DType::u8, {static_cast<std::int64_t>(serialized(small_graph()).size())});  // aligned, as a mapping is
  const Bytes bytes = serialized(small_graph());
  std::memcpy(held.data(), bytes.data(), bytes.size());
  auto owner = std::make_shared<const Tensor>(std::move(held));
  const std::weak_ptr<const Tensor> watch = owner;
  const auto* begin = static_cast<const std::byte*>(owner->data());
  auto graph = engine::deserialize({begin, bytes.size()}, owner);
  ASSERT_TRUE(graph) << graph.error().message;
  owner.reset();
  int constants = 0;
  for (const ir::Value& v : graph->values) {
    if (!v.constant) continue;
    ++constants;
    const auto* at = static_cast<const std::byte*>(v.constant->data());
    EXPECT_GE(at, begin);
    EXPECT_LE(at + v.constant->num_bytes(), begin + bytes.size());
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(at) % engine::kTensorAlignment, 0U);
  }
  EXPECT_EQ(constants, 2);
  EXPECT_FALSE(watch.expired());
  graph = ir::Graph();
  EXPECT_TRUE(watch.expired());
}

TEST(RoundTrip, BytesAtAnyAddressGiveAlignedWeights) {
  const Bytes bytes = serialized(wide_graph());
  for (std::size_t shift = 0; shift < 9; ++shift) {
    auto owner = std::make_shared<Bytes>(shift);
    owner->insert(owner->end(), bytes.begin(), bytes.end());
    const auto graph = engine::deserialize(std::span<const std::byte>(*owner).subspan(shift), owner);
    ASSERT_TRUE(graph) << graph.error().message;
    for (const ir::Value& v : graph->values) {
      if (!v.constant) continue;
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(v.constant->data()) % engine::kTensorAlignment, 0U) << v.name;
    }
    expect_same(wide_graph(), *graph);
  }
}

TEST(RoundTrip, WhatNoReaderTakesIsNotWritten) {
  ir::Graph invalid = small_graph();
  invalid.nodes[0].inputs.pop_back();
  const auto bytes = engine::serialize(invalid);
  ASSERT_FALSE(bytes);
  EXPECT_EQ(bytes.error().kind, ErrorKind::internal);
  const auto fused = engine::serialize(nested_graph(2));
  ASSERT_FALSE(fused);

  ir::Graph wordy = small_graph();
  wordy.add_value("v", DType::f32, {ir::Dim::symbol(std::string(engine::kMaxDimText + 1, 'a'))});
  const auto too_long = engine::serialize(wordy);
  ASSERT_FALSE(too_long);
  EXPECT_THAT(too_long.error().message, HasSubstr("at most 16384 can be saved"));
}

}  // namespace
}  // namespace jitney::testing
