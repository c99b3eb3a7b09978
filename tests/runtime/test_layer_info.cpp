// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "runtime/support.h"

namespace jitney {
namespace {

using ir::Dim;
using nlohmann::json;

/// A softmax of [n, 8], and a product that a library or a kernel does.
ir::Graph small_graph() {
  ir::Graph g;
  g.name = "small";
  const Dim n = Dim::symbol("n");
  g.symbols["n"] = {};
  g.inputs = {g.add_value("x", DType::f32, {n, 8})};
  const auto s = g.add_node(ir::Op::softmax, "soft", {g.inputs[0]}, DType::f32, {n, 8}, {{"axis", std::int64_t{1}}});
  g.outputs = {
      g.add_node(ir::Op::matmul, "product", {s, g.add_constant("w", Tensor(DType::f32, {8, 4}))}, DType::f32, {n, 4})};
  return g;
}

TEST(LayerInfo, BeforeAnythingRanShapesAreSymbolic) {
  const ExecutionContext context(testing::engine_of(small_graph()), {.runtime_cache = "none"});
  const json info = json::parse(context.layer_info());
  EXPECT_EQ(info.at("model"), "small");
  EXPECT_TRUE(info.at("symbols").is_null());
  EXPECT_EQ(info.at("inputs").at(0),
            json({{"name", "x"}, {"dtype", "float32"}, {"shape", {"n", 8}}, {"extents", nullptr}}));
  ASSERT_EQ(info.at("layers").size(), 2);
  const json& soft = info.at("layers")[0];
  EXPECT_EQ(soft.at("name"), "soft");
  EXPECT_EQ(soft.at("kind"), "kernel");
  EXPECT_EQ(soft.at("kernel"), 0);
  EXPECT_TRUE(soft.at("origin").is_null()) << "nothing was looked up yet";
  EXPECT_NE(soft.at("implementation").get<std::string>().find("lanes"), std::string::npos);
  ASSERT_GT(soft.at("operators").size(), 2);
  for (const json& op : soft.at("operators")) EXPECT_EQ(op.at("name"), "soft");
  EXPECT_EQ(soft.at("bytes").at("read"), json({{"expression", "32*n"}, {"value", nullptr}}));
  EXPECT_EQ(soft.at("inputs")[0].at("constant"), false);
  EXPECT_EQ(info.at("layers")[1].at("inputs")[1].at("constant"), true);
}

TEST(LayerInfo, ForAShapeItHasNumbers) {
  const ExecutionContext context(testing::engine_of(small_graph()), {.runtime_cache = "none"});
  const json info = json::parse(context.layer_info({{3, 8}}));
  EXPECT_EQ(info.at("symbols"), json({{"n", 3}}));
  EXPECT_EQ(info.at("outputs")[0].at("extents"), json({3, 4}));
  EXPECT_EQ(info.at("layers")[0].at("bytes").at("read").at("value"), 96);
  EXPECT_EQ(json::parse(context.layer_info({{0, 8}})).at("layers")[0].at("bytes").at("read").at("value"), 0);
  EXPECT_THROW((void)context.layer_info({{3, 9}}), Error);
  EXPECT_THROW((void)context.layer_info({{3}}), Error);
  EXPECT_THROW((void)context.layer_info({{3, 8}, {1}}), Error);
}

TEST(LayerInfo, AfterARunItSaysWhoDidIt) {
  const Engine engine = testing::engine_of(small_graph());
  ExecutionContext context(engine, {.runtime_cache = "none"});
  const std::vector<Tensor> inputs{Tensor(DType::f32, {3, 8})};
  context.execute(testing::views(inputs));
  const json info = json::parse(context.layer_info({{3, 8}}));
  EXPECT_EQ(info.at("layers")[0].at("origin"), "compiled");
  EXPECT_EQ(info.at("specialization"), "none");
  EXPECT_TRUE(json::parse(context.layer_info()).at("specialization").is_null());
  context.warm(std::vector<std::vector<std::vector<std::int64_t>>>{{{3, 8}}});
  EXPECT_EQ(json::parse(context.layer_info({{3, 8}})).at("specialization"), "ready");
  const json& product = info.at("layers")[1];
  if (product.at("kind") == "library call") {
    EXPECT_TRUE(product.at("kernel").is_null());
    EXPECT_EQ(product.at("implementation"), context.profile(testing::views(inputs), 1).steps[1].done_by);
  } else {
    EXPECT_EQ(product.at("origin"), "compiled");
  }
}

}  // namespace
}  // namespace jitney
