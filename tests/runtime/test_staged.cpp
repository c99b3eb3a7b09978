// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Engines whose extents or control flow follow from data: compiled stages against the interpreter.
#include <thread>

#include "ir/hosted.h"
#include "runtime/support.h"

namespace jitney {
namespace {

using ir::Dim;
using ir::Graph;
using ir::Op;
using ir::Shape;
using ir::ValueId;

const Dim kN = Dim::symbol("n");

/// The elements of x [n, 4] above 0, compressed, times two, and where they were.
Graph positive_graph() {
  Graph g;
  const Dim k = Dim::symbol("k"), m = Dim::symbol("m"), all = kN * Dim(4);
  g.symbols = {{"n", {}}, {"k", {}}, {"m", {}}};
  const ValueId x = g.add_value("x", DType::f32, {kN, 4});
  g.inputs = {x};
  const ValueId flat = g.add_node(Op::reshape, "flat", {x}, DType::f32, {all});
  const ValueId kept = g.add_node(Op::relu, "relu", {flat}, DType::f32, {all});
  const ValueId mask = g.add_node(Op::cast, "mask", {kept}, DType::boolean, {all});
  const ValueId picked = g.add_node(Op::compress, "compress", {flat, mask}, DType::f32, {k},
                                    {{"axis", std::int64_t{0}}, {"symbols", Shape{k}}});
  const ValueId doubled = g.add_node(Op::add, "double", {picked, picked}, DType::f32, {k});
  const ValueId where = g.add_node(Op::nonzero, "where", {mask}, DType::i64, {1, m}, {{"symbols", Shape{m}}});
  const ValueId sum = g.add_node(Op::reduce_sum, "sum", {doubled}, DType::f32, {},
                                 {{"axes", std::vector<std::int64_t>{0}}, {"keepdims", std::int64_t{0}}});
  g.outputs = {doubled, where, sum};
  return g;
}

std::vector<Tensor> run(ExecutionContext& context, const std::vector<Tensor>& inputs) {
  if (testing::device().type == Device::Type::cpu) return context.execute(testing::views(inputs));
  std::vector<DeviceTensor> in, out;
  std::vector<TensorView> views;
  for (const Tensor& t : inputs) in.emplace_back(t, testing::device());
  for (const auto& t : in) views.push_back(t.view());
  out.reserve(context.engine().outputs().size());
  context.execute(views, [&](std::size_t, DType dtype, std::span<const std::int64_t> shape) {
    out.emplace_back(dtype, std::vector<std::int64_t>(shape.begin(), shape.end()), testing::device());
    return out.back().view().data;
  });
  std::vector<Tensor> results;
  for (const auto& t : out) results.push_back(t.download());
  return results;
}

void expect_same(const Graph& graph, const std::vector<Tensor>& inputs, ExecutionContext& context) {
  const auto want = value_or_throw(ir::interpret(graph, inputs));
  const auto got = run(context, inputs);
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(got[i].shape(), want[i].shape()) << "output " << i;
    EXPECT_TRUE(testing::close(got[i], want[i], 1e-5)) << "output " << i;
  }
  EXPECT_EQ(context.stats().interpreted, 0);
}

TEST(Staged, OnAStreamItWaitsAndCannotBeCaptured) {
  if (testing::device().type != Device::Type::cpu) GTEST_SKIP() << "a stream of the host's";
  ExecutionContext context(testing::engine_of(positive_graph()), testing::options());
  std::mt19937 rng(7);
  const std::vector<Tensor> in = {testing::random_tensor(DType::f32, {5, 4}, rng, true)};
  const auto views = testing::views(in);
  std::vector<Tensor> out;
  for (const Tensor& t : context.execute(views)) out.emplace_back(t.dtype(), t.shape());
  const auto results = testing::views(out);
  context.execute(views, results, 0);
  const auto want = value_or_throw(ir::interpret(positive_graph(), in));
  for (std::size_t i = 0; i < want.size(); ++i) EXPECT_TRUE(testing::close(out[i], want[i], 1e-5)) << "output " << i;
  EXPECT_THROW(context.execute(views, results, 5), Error) << "a CPU has one stream";
  auto nowhere = results;
  nowhere[2].data = nullptr;
  EXPECT_THROW(context.execute(views, nowhere, 0), Error);
  EXPECT_TRUE(context.is_monolithic_capturable(views, 0)) << "on a CPU there is nothing to capture";
  context.synchronize(0);
}

TEST(Staged, RandomDataGivesOtherExtentsEachTime) {
  const Graph graph = positive_graph();
  ExecutionContext context(testing::engine_of(graph), testing::options());
  EXPECT_TRUE(context.engine().has_data_dependent_outputs());
  std::mt19937 rng(7);
  for (const std::int64_t n : {0, 1, 3, 50, 3, 1, 257}) {
    expect_same(graph, {testing::random_tensor(DType::f32, {n, 4}, rng, true)}, context);
  }
  const ContextStats stats = context.stats();
  EXPECT_EQ(stats.stages, 2);
  EXPECT_EQ(stats.stage_runs, 14U);
  EXPECT_EQ(stats.hosted_runs, 14U);
  EXPECT_LE(stats.compiled, 4);  // the first run compiled for all
}

TEST(Staged, PlansAreKeptByAllExtents) {
  const Graph graph = positive_graph();
  ExecutionContext context(testing::engine_of(graph), testing::options());
  Tensor x(DType::f32, {1, 4});
  for (const int positive : {1, 2, 1, 2, 2}) {
    for (int i = 0; i < 4; ++i) x.as<float>()[i] = i < positive ? 1.0F : -1.0F;
    expect_same(graph, {x}, context);
  }
  EXPECT_EQ(context.stats().plans, 3);  // one for the first stage, two for the second
}

TEST(Staged, TwoThreadsOnOneContext) {
  const Graph graph = positive_graph();
  ExecutionContext context(testing::engine_of(graph), testing::options());
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 2; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 rng(t);
      for (int i = 0; i < 20; ++i)
        expect_same(graph, {testing::random_tensor(DType::f32, {1 + i % 5, 4}, rng)}, context);
    });
  }
  for (auto& t : threads) t.join();
}

TEST(Staged, ShapesThatFollowFromDataAreNotTold) {
  ExecutionContext context(testing::engine_of(positive_graph()), testing::options());
  const Tensor x(DType::f32, {2, 4});
  try {
    context.output_shapes(testing::views({x}));
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::user);
    EXPECT_STREQ(e.what(), ("the shape of output '" + context.engine().outputs()[0].name +
                            "', [k], follows from data: only execute tells it")
                               .c_str());
  }
}

TEST(Staged, OutputsOfTheWrongShapeAreRefused) {
  if (testing::device().type != Device::Type::cpu) return;  // the same code
  ExecutionContext context(testing::engine_of(positive_graph()), testing::options());
  Tensor x(DType::f32, {1, 4});
  x.as<float>()[2] = 1;
  std::vector<Tensor> right{Tensor(DType::f32, {1}), Tensor(DType::i64, {1, 1}), Tensor(DType::f32, {})};
  context.execute(testing::views({x}), testing::views(right));
  EXPECT_EQ(*right[0].as<float>(), 2);
  EXPECT_EQ(*right[1].as<std::int64_t>(), 2);
  std::vector<Tensor> wrong{Tensor(DType::f32, {2}), Tensor(DType::i64, {1, 1}), Tensor(DType::f32, {})};
  EXPECT_THROW(context.execute(testing::views({x}), testing::views(wrong)), Error);
}

/// v = concat(v, -v) while the trips last: extents that double; and the sum of each.
Graph doubling_graph() {
  Graph body;
  const Dim c = Dim::symbol("c"), out = Dim::symbol("out"), t = Dim::symbol("t");
  body.name = "body";
  body.symbols = {{"c", {}}};
  body.inputs = {body.add_value("i", DType::i64, {}), body.add_value("go", DType::boolean, {}),
                 body.add_value("v", DType::f32, {c})};
  const ValueId minus = body.add_node(Op::neg, "neg", {2}, DType::f32, {c});
  const ValueId both = body.add_node(Op::concat, "both", {2, minus}, DType::f32, {c + c}, {{"axis", std::int64_t{0}}});
  const ValueId most = body.add_node(Op::reduce_max, "max", {both}, DType::f32, {},
                                     {{"axes", std::vector<std::int64_t>{0}}, {"keepdims", std::int64_t{0}}});
  const ValueId more = body.add_node(Op::reshape, "more", {1}, DType::boolean, {});
  body.outputs = {more, both, most};
  Graph g;
  g.name = "doubling";
  g.symbols = {{"n", {}}, {"out", {}}, {"t", {}}};
  g.inputs = {g.add_value("trips", DType::i64, {}), g.add_value("c", DType::boolean, {}),
              g.add_value("x", DType::f32, {kN})};
  g.outputs = {g.add_value("v", DType::f32, {out}), g.add_value("sums", DType::f32, {t})};
  g.nodes.push_back(
      {Op::loop,
       "loop",
       {0, 1, 2},
       g.outputs,
       {{"body", std::make_shared<const Graph>(body)}, {"carried", std::int64_t{1}}, {"symbols", Shape{out, t}}}});
  return g;
}

Tensor scalar(DType dtype, std::int64_t value) {
  Tensor t(dtype, {});
  passes::store_scalar(dtype, static_cast<double>(value), t.data());
  return t;
}

TEST(Staged, ALoopWhoseExtentsDouble) {
  const Graph graph = doubling_graph();
  ASSERT_TRUE(ir::verify(graph, ir::Stage::imported)) << ir::verify(graph, ir::Stage::imported).error().message;
  ExecutionContext context(testing::engine_of(graph), testing::options());
  std::mt19937 rng(3);
  for (const std::int64_t n : {1, 3, 0})
    for (const std::int64_t trips : {0, 1, 4, -2})
      for (const std::int64_t condition : {1, 0})
        expect_same(graph,
                    {scalar(DType::i64, trips), scalar(DType::boolean, condition),
                     testing::random_tensor(DType::f32, {n}, rng)},
                    context);
}

TEST(Staged, AnEngineFileKeepsStagesAndBodies) {
  const Graph graph = value_or_throw(passes::optimize(doubling_graph()));
  const auto bytes = value_or_throw(engine::serialize(graph));
  const Engine engine = Engine::load(bytes);
  EXPECT_EQ(ir::print(engine.impl()->graph()), ir::print(graph));
  ExecutionContext context(engine, testing::options());
  std::mt19937 rng(3);
  expect_same(doubling_graph(),
              {scalar(DType::i64, 3), scalar(DType::boolean, 1), testing::random_tensor(DType::f32, {2}, rng)},
              context);
}

TEST(Staged, WhatPassesThroughIsCopied) {
  if (testing::device().type != Device::Type::cpu) return;
  // A carried constant that no iteration touches: the caller may write into what it gets.
  Graph graph = doubling_graph();
  Tensor start(DType::f32, {2});
  start.as<float>()[0] = 7;
  graph.inputs.pop_back();
  graph.nodes[0].inputs[2] = graph.add_constant("start", start);
  ExecutionContext context(testing::engine_of(graph), testing::options());
  const std::vector<Tensor> inputs{scalar(DType::i64, 0), scalar(DType::boolean, 1)};
  auto first = context.execute(testing::views(inputs));
  EXPECT_EQ(first[0].as<float>()[0], 7);
  first[0].as<float>()[0] = 1;
  EXPECT_EQ(context.execute(testing::views(inputs))[0].as<float>()[0], 7);
  EXPECT_EQ(start.as<float>()[0], 7);
}

/// A file may hold what no front end makes.
TEST(Staged, ASymbolThatNothingDefinesIsAnError) {
  Graph graph = value_or_throw(passes::optimize(positive_graph()));
  for (auto& node : graph.nodes)
    if (node.op == Op::compress) {
      node.attributes["symbols"] = Shape{};
      graph.value(node.outputs[0]).shape = {Dim(1)};
    }
  ExecutionContext context(Engine(std::make_shared<EngineImpl>(graph)), testing::options());
  Tensor x(DType::f32, {1, 4});
  x.as<float>()[0] = 1;
  try {
    run(context, {x});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::user) << e.what();
  }
}

TEST(Staged, AnAllocatorServesOtherEnginesToo) {
  if (testing::device().type != Device::Type::cpu) return;
  Graph g;
  g.inputs = {g.add_value("x", DType::f32, {Dim(2)})};
  g.outputs = {g.add_node(Op::neg, "neg", {0}, DType::f32, {Dim(2)})};
  ExecutionContext context(testing::engine_of(g), testing::options());
  Tensor x(DType::f32, {2}), y(DType::f32, {2});
  x.as<float>()[1] = 3;
  context.execute(testing::views({x}), [&](std::size_t i, DType dtype, std::span<const std::int64_t> shape) {
    EXPECT_EQ(i, 0U);
    EXPECT_EQ(dtype, DType::f32);
    EXPECT_EQ(shape.size(), 1U);
    return y.data();
  });
  EXPECT_EQ(y.as<float>()[1], -3);
  EXPECT_THROW(context.execute(testing::views({x}), [](auto, auto, auto) -> void* { return nullptr; }), Error);
}

}  // namespace
}  // namespace jitney
