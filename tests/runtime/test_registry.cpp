// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <jitney/registry.h>

#include <gtest/gtest.h>

#include <numeric>
#include <optional>

#include "support.h"

namespace jitney {
namespace {

Engine negation() {
  ir::Graph g;
  const std::vector<ir::Dim> shape{ir::Dim::symbol("n")};
  g.symbols["n"] = {};
  g.inputs.push_back(g.add_value("x", DType::f32, shape));
  g.outputs.push_back(g.add_node(ir::Op::neg, "y", {g.inputs[0]}, DType::f32, shape));
  return testing::engine_of(g);
}

RuntimeSettings memory(DynamicShapesKernelSpecializationStrategy strategy) {
  RuntimeSettings s;
  s.dynamic_shapes_kernel_specialization_strategy = strategy;
  s.runtime_cache = RuntimeCacheSetting::memory();
  return s;
}

TEST(Registry, SessionsAreFoundWhileTheyLive) {
  using enum DynamicShapesKernelSpecializationStrategy;
  auto a = std::make_shared<Session>(negation(), SessionOptions{}, memory(lazy));
  auto b = std::make_shared<Session>(negation(), SessionOptions{}, memory(lazy));
  const auto first = register_session(a, "twice"), second = register_session(b, "twice");
  EXPECT_GT(first, 0U);
  EXPECT_NE(first, second);
  EXPECT_EQ(register_session(a, "another name"), first) << "the same session has one number";
  EXPECT_EQ(find_session(first), a);
  EXPECT_EQ(find_session(0), nullptr);
  EXPECT_EQ(registered_sessions("twice").size(), 2U);
  EXPECT_EQ(apply_runtime_settings("twice", memory(none)), 2);
  EXPECT_EQ(a->runtime_settings(), memory(none));
  EXPECT_EQ(b->runtime_settings(), memory(none));
  EXPECT_EQ(apply_runtime_settings("unknown", memory(lazy)), 0);
  a = nullptr;
  EXPECT_EQ(find_session(first), nullptr) << "the table keeps nothing alive";
  EXPECT_EQ(registered_sessions("twice").size(), 1U);
  EXPECT_NE(register_session(std::make_shared<Session>(negation()), "new"), first) << "numbers are not used again";
}

TEST(Registry, EnginesAreFoundWhileTheyLive) {
  std::optional<Engine> engine = negation();
  const std::optional<Engine> other = negation();
  const auto number = register_engine(*engine);
  EXPECT_GT(number, 0U);
  EXPECT_NE(register_engine(*other), number);
  auto copy = std::make_optional(*engine);
  EXPECT_EQ(register_engine(*copy), number) << "copies share what they are";
  engine.reset();
  EXPECT_EQ(find_engine(number).impl(), copy->impl());
  copy.reset();
  EXPECT_THROW(find_engine(number), Error) << "the table keeps nothing alive";
  EXPECT_THROW(find_engine(0), Error);
}

TEST(Registry, CachesAreFoundWhileTheyLive) {
  auto cache = std::make_shared<RuntimeCache>();
  const auto id = register_runtime_cache(cache);
  EXPECT_EQ(register_runtime_cache(cache), id);
  EXPECT_EQ(find_runtime_cache(id), cache);
  cache = nullptr;
  EXPECT_EQ(find_runtime_cache(id), nullptr);
}

TEST(Registry, OutputsOnAStreamAreGivenByTheCaller) {
  ExecutionContext context(negation(), {.runtime_cache = "none"});
  Tensor x(DType::f32, {3});
  std::iota(x.as<float>(), x.as<float>() + 3, 1.0F);
  std::vector<float> y(3);
  const TensorView view = x.view();
  context.execute(
      {&view, 1},
      [&](std::size_t output, DType dtype, std::span<const std::int64_t> shape) {
        EXPECT_EQ(output, 0U);
        EXPECT_EQ(dtype, DType::f32);
        EXPECT_EQ(std::vector(shape.begin(), shape.end()), std::vector<std::int64_t>{3});
        return static_cast<void*>(y.data());
      },
      StreamHandle{0});
  EXPECT_EQ(y, (std::vector<float>{-1, -2, -3}));
}

}  // namespace
}  // namespace jitney
