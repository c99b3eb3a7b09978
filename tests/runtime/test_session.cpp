// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <jitney/scopes.h>
#include <jitney/session.h>

#include <atomic>
#include <thread>

#include "support.h"

namespace jitney {
namespace {

using ir::Dim;
using ir::Op;
using Specialization = DynamicShapesKernelSpecializationStrategy;
using testing::close;
using testing::views;

/// softmax over [n, m] and a sum: kernels that are better when shapes are known.
Engine engine() {
  ir::Graph g;
  g.symbols["n"] = {};
  g.symbols["m"] = {};
  const std::vector<Dim> shape{Dim::symbol("n"), Dim::symbol("m")};
  const auto x = g.add_value("x", DType::f32, shape);
  g.inputs.push_back(x);
  const auto s = g.add_node(Op::softmax, "s", {x}, DType::f32, shape, {{"axis", std::int64_t{1}}});
  g.outputs.push_back(g.add_node(Op::add, "y", {s, x}, DType::f32, shape));
  return testing::engine_of(g);
}

RuntimeSettings with(Specialization s) {
  RuntimeSettings r;
  r.dynamic_shapes_kernel_specialization_strategy = s;
  r.runtime_cache = RuntimeCacheSetting::memory();
  return r;
}

class Sessions : public ::testing::Test {
 protected:
  std::vector<Tensor> input(std::int64_t n, std::int64_t m) {
    std::vector<Tensor> t;
    t.push_back(testing::random_tensor(DType::f32, {n, m}, rng));
    return t;
  }
  void run(Session& session, std::int64_t n, std::int64_t m) {
    const auto x = input(n, m);
    const auto y = session.execute(views(x));
    const auto want = reference.execute(views(x));
    EXPECT_TRUE(close(y[0], want[0], 1e-5)) << n << "x" << m;
  }

  std::mt19937 rng{5};
  Session reference{engine(), {}, with(Specialization::none)};
};

TEST_F(Sessions, ContextsAreCountedAsTheyAreMade) {
  Session s(engine(), {}, with(Specialization::none));
  EXPECT_EQ(s.num_execution_contexts_created(), 0);
  EXPECT_FALSE(s.has_context());
  EXPECT_FALSE(s.update_runtime_settings(with(Specialization::none))) << "equal settings do nothing";
  EXPECT_TRUE(s.update_runtime_settings(with(Specialization::lazy)));
  EXPECT_EQ(s.num_execution_contexts_created(), 0) << "a setting alone makes none";
  run(s, 3, 5);
  run(s, 4, 5);
  EXPECT_EQ(s.num_execution_contexts_created(), 1);
  const int compiled = s.stats().compiled;
  EXPECT_GT(compiled, 0);
  s.update_runtime_settings(with(Specialization::none));
  EXPECT_EQ(s.num_execution_contexts_created(), 1);
  run(s, 3, 5);
  EXPECT_EQ(s.num_execution_contexts_created(), 2);
  s.update_runtime_settings(with(Specialization::lazy));
  run(s, 3, 5);
  EXPECT_EQ(s.num_execution_contexts_created(), 3);
  s.update_runtime_settings(with(Specialization::none));
  s.update_runtime_settings(with(Specialization::lazy));
  run(s, 3, 5);
  EXPECT_EQ(s.num_execution_contexts_created(), 3) << "there and back without a run";
  EXPECT_EQ(s.stats().compiled, compiled) << "nothing is compiled again";
  s.invalidate_context();
  EXPECT_FALSE(s.has_context());
  run(s, 3, 5);
  EXPECT_EQ(s.num_execution_contexts_created(), 4);
}

TEST_F(Sessions, NoneNeverSpecializes) {
  Session s(engine(), {}, with(Specialization::none));
  for (int i = 0; i < 4; ++i) run(s, 3, 5);
  EXPECT_TRUE(s.wait_until_specialized(1));
  EXPECT_EQ(s.compile_status().specialized, 0U);
  EXPECT_EQ(s.compile_status().waiting, 0);
}

TEST_F(Sessions, EagerWaitsAndIsRight) {
  Session s(engine(), {}, with(Specialization::eager));
  for (const auto& [n, m] : {std::pair{3, 5}, {1, 1}, {7, 64}, {0, 3}, {2, 100}}) run(s, n, m);
  EXPECT_EQ(s.compile_status().specialized, 5U);
  EXPECT_EQ(s.compile_status().failed, 0U);
  EXPECT_GT(s.compile_status().compiled, 0U);
  const auto compiled = s.compile_status().compiled;
  for (const auto& [n, m] : {std::pair{3, 5}, {7, 64}}) run(s, n, m);
  EXPECT_EQ(s.compile_status().compiled, compiled);
}

TEST_F(Sessions, LazySpecializesWhatComesAgain) {
  Session s(engine(), {}, with(Specialization::lazy));
  run(s, 3, 5);
  EXPECT_EQ(s.compile_status().waiting + s.compile_status().running, 0) << "seen once";
  run(s, 3, 5);
  ASSERT_TRUE(s.wait_until_specialized(60));
  EXPECT_EQ(s.compile_status().specialized, 1U);
  EXPECT_EQ(s.compile_status().shapes, 1);
  run(s, 3, 5);
  run(s, 8, 9);
  ASSERT_TRUE(s.wait_until_specialized(60)) << "asks for shapes that ran once, too";
  EXPECT_EQ(s.compile_status().specialized, 2U);
  run(s, 8, 9);
}

TEST_F(Sessions, WarmComesBeforeTraffic) {
  Session s(engine(), {}, with(Specialization::lazy));
  const std::vector<std::vector<std::vector<std::int64_t>>> shapes{{{3, 5}}, {{6, 2}}};
  s.warm(shapes);
  EXPECT_EQ(s.num_execution_contexts_created(), 1);
  EXPECT_EQ(s.compile_status().specialized, 2U);
  const auto compiled = s.compile_status().compiled;
  run(s, 3, 5);
  run(s, 6, 2);
  ASSERT_TRUE(s.wait_until_specialized(60));
  EXPECT_EQ(s.compile_status().compiled, compiled);
  const std::vector<std::vector<std::vector<std::int64_t>>> wrong{{{3}}};
  EXPECT_THROW(s.warm(wrong), Error);
  const std::vector<std::vector<std::vector<std::int64_t>>> negative{{{3, -1}}};
  EXPECT_THROW(s.warm(negative), Error);
}

TEST_F(Sessions, KeptShapesAreBounded) {
  ::setenv("JITNEY_SPECIALIZED_SHAPES", "2", 1);
  Session s(engine(), {}, with(Specialization::eager));
  ::unsetenv("JITNEY_SPECIALIZED_SHAPES");
  for (int m = 1; m <= 4; ++m) run(s, 3, m);
  EXPECT_EQ(s.compile_status().shapes, 2);
  EXPECT_EQ(s.compile_status().evicted, 2U);
  run(s, 3, 1);
}

TEST_F(Sessions, CancelStopsAndAsksAgain) {
  Session s(engine(), {}, with(Specialization::lazy));
  for (int m = 1; m <= 6; ++m) {
    run(s, 3, m);
    run(s, 3, m);
  }
  s.cancel_specialization();
  EXPECT_TRUE(s.compile_status().is_idle());
  const auto status = s.compile_status();
  EXPECT_EQ(status.specialized + status.dropped, 6U);
  run(s, 3, 6);
  ASSERT_TRUE(s.wait_until_specialized(60));
  EXPECT_EQ(s.compile_status().shapes, 6);
}

TEST_F(Sessions, StrictModeRefusesToCompile) {
  ::setenv("JITNEY_NO_COMPILE", "error", 1);
  Session s(engine(), {}, with(Specialization::lazy));
  const auto x = input(3, 5);
  try {
    s.execute(views(x));
    ADD_FAILURE() << "it compiled";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("JITNEY_NO_COMPILE"), std::string::npos) << e.what();
  }
  // A guard with a typo in it would guard nothing.
  for (const char* wrong : {"ERROR", "1", "errors"}) {
    ::setenv("JITNEY_NO_COMPILE", wrong, 1);
    EXPECT_THROW(Session(engine(), {}, with(Specialization::lazy)).execute(views(x)), Error) << wrong;
  }
  ::unsetenv("JITNEY_NO_COMPILE");
}

TEST_F(Sessions, ScopesStackInAnyOrder) {
  Session s(engine(), {}, with(Specialization::lazy));
  auto strategy = [&] { return s.runtime_settings().dynamic_shapes_kernel_specialization_strategy; };
  auto outer = std::make_unique<DynamicShapesKernelStrategyScope>(s, Specialization::none);
  auto inner = std::make_unique<DynamicShapesKernelStrategyScope>(s, Specialization::eager);
  EXPECT_EQ(strategy(), Specialization::eager);
  outer.reset();
  EXPECT_EQ(strategy(), Specialization::eager) << "each removes its own";
  s.update_runtime_settings(with(Specialization::none));
  EXPECT_EQ(strategy(), Specialization::eager) << "the base lies beneath";
  inner.reset();
  EXPECT_EQ(strategy(), Specialization::none);
  EXPECT_EQ(s.num_execution_contexts_created(), 0);
  Session* const twice[] = {&s, &s};
  {
    const RuntimeConfigScope scope(twice, {.cuda_graph_strategy = CudaGraphStrategy::whole_graph_capture});
    EXPECT_EQ(s.runtime_settings().cuda_graph_strategy, CudaGraphStrategy::whole_graph_capture);
  }
  EXPECT_EQ(s.runtime_settings(), with(Specialization::none));
}

TEST_F(Sessions, OneHandleServesManyEngines) {
  auto handle = std::make_shared<RuntimeCache>();
  RuntimeSettings shared = with(Specialization::none);
  shared.runtime_cache = handle;
  Session a(engine(), {}, shared), b(engine(), {}, shared);
  EXPECT_FALSE(handle->has_cache());
  run(a, 3, 5);
  EXPECT_TRUE(handle->has_cache());
  run(b, 3, 5);
  EXPECT_GT(a.stats().compiled, 0);
  EXPECT_EQ(b.stats().compiled, 0);
  EXPECT_EQ(b.stats().from_cache, a.stats().compiled);
}

TEST_F(Sessions, AnAttachedCacheGetsWhatTheEngineHolds) {
  Session s(engine(), {}, with(Specialization::eager));
  run(s, 3, 5);
  auto handle = std::make_shared<RuntimeCache>();
  RuntimeSettings shared = with(Specialization::eager);
  shared.runtime_cache = handle;
  const auto compiled = s.compile_status().compiled;
  EXPECT_TRUE(s.update_runtime_settings(shared));
  run(s, 3, 5);
  EXPECT_EQ(s.compile_status().compiled, compiled);
  Session other(engine(), {}, shared);
  run(other, 3, 5);
  EXPECT_EQ(other.stats().compiled, 0);
  EXPECT_EQ(other.compile_status().compiled, 0U);
}

TEST_F(Sessions, ThreadsShapesAndSettingsAtOnce) {
  Session s(engine(), {.threads = 1}, with(Specialization::lazy));
  std::atomic<bool> wrong{false};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      Session own(engine(), {.threads = 1}, with(Specialization::none));
      for (int i = 0; i < 60; ++i) {
        std::vector<Tensor> x;
        x.push_back(testing::random_tensor(DType::f32, {3, 1 + static_cast<int>(random() % 5)}, random));
        std::unique_ptr<RuntimeConfigScope> scope;
        if (random() % 4 == 0)
          scope = std::make_unique<DynamicShapesKernelStrategyScope>(
              s, from_underlying<Specialization>(static_cast<std::int64_t>(random() % 3)));
        if (random() % 16 == 0) s.cancel_specialization();
        if (!close(s.execute(views(x))[0], own.execute(views(x))[0], 1e-5)) wrong = true;
      }
    });
  for (auto& t : threads) t.join();
  EXPECT_FALSE(wrong);
  EXPECT_EQ(s.runtime_settings(), with(Specialization::lazy));
}

}  // namespace
}  // namespace jitney
