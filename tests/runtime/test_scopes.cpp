// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Caches of sessions and their scopes, and the CUDA graphs mode: one rule a test.
#include <jitney/cudagraphs_mode.h>
#include <jitney/scopes.h>
#include <jitney/session.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "session_support.h"

namespace jitney {
namespace {

namespace fs = std::filesystem;
using testing::kernels_at;
using testing::SessionTest;
using testing::settings_with;

class Scopes : public SessionTest {};

TEST_F(Scopes, ASwapSavesThePriorCacheAtOnce) {
  const std::string a = path("a"), b = path("b");
  {
    Session s(engine(), {}, settings_with(a));
    run(s, 2, 3);
    EXPECT_FALSE(fs::exists(a));
    EXPECT_TRUE(s.update_runtime_settings(settings_with(b)));
    EXPECT_GT(kernels_at(a), 0);
    EXPECT_FALSE(fs::exists(b));
    run(s, 2, 3);
    EXPECT_FALSE(fs::exists(b));
  }
  EXPECT_EQ(kernels_at(b), kernels_at(a)) << "saved when the session ends";
}

TEST_F(Scopes, TheSamePathIsTheSameHandle) {
  Session s(engine(), {}, settings_with(path("a")));
  const auto handle = s.runtime_cache();
  ASSERT_TRUE(handle);
  auto other = settings_with(path("a"));
  other.cuda_graph_strategy = CudaGraphStrategy::whole_graph_capture;
  s.update_runtime_settings(other);
  EXPECT_EQ(s.runtime_cache(), handle);
  {
    const RuntimeConfigScope scope(s, {.runtime_cache = RuntimeCacheSetting(path("b"))});
    EXPECT_EQ(s.runtime_cache()->path(), path("b"));
  }
  EXPECT_EQ(s.runtime_cache(), handle) << "what the base names lives on beneath a scope";
  s.update_runtime_settings(settings_with(RuntimeCacheSetting::memory()));
  EXPECT_EQ(s.runtime_cache(), nullptr);
}

TEST_F(Scopes, ACacheScopeLoadsAttachesSavesOnceAndGivesBack) {
  const std::string p = path("p");
  Session s(engine(), {}, settings_with(RuntimeCacheSetting::memory())), other(engine(), {}, s.runtime_settings());
  Session* const both[] = {&s, &other, &s};
  {
    const RuntimeCacheScope scope(both, p);
    EXPECT_EQ(s.runtime_cache(), scope.handle());
    EXPECT_EQ(other.runtime_cache(), scope.handle());
    run(s, 2, 3);
    run(other, 2, 3);
    EXPECT_EQ(other.stats().compiled, 0);
    EXPECT_FALSE(fs::exists(p));
  }
  EXPECT_GT(kernels_at(p), 0);
  EXPECT_EQ(s.runtime_cache(), nullptr);
  const auto saved = fs::last_write_time(p);
  Session fresh(engine(), {}, s.runtime_settings());
  {
    const RuntimeCacheScope scope(fresh, p, /*autosave=*/false);
    run(fresh, 4, 4);
    EXPECT_EQ(fresh.stats().compiled, 0);
  }
  EXPECT_EQ(fs::last_write_time(p), saved);
}

TEST_F(Scopes, ACacheScopeWithoutSessionsOrWithAForeignFileChangesNothing) {
  EXPECT_THROW(RuntimeCacheScope(std::span<Session* const>(), "p"), Error);
  const std::string p = path("foreign");
  std::ofstream(p) << "not a cache of Jitney's";
  Session s(engine(), {}, settings_with(RuntimeCacheSetting::memory()));
  EXPECT_THROW(RuntimeCacheScope(s, p), Error);
  EXPECT_EQ(s.runtime_settings(), settings_with(RuntimeCacheSetting::memory()));
}

TEST_F(Scopes, CacheScopesNestWithSettingsInEitherOrder) {
  const std::string p = path("p");
  for (const bool config_first : {true, false}) {
    Session s(engine(), {}, settings_with(RuntimeCacheSetting::memory()));
    {
      std::unique_ptr<RuntimeConfigScope> config;
      std::unique_ptr<RuntimeCacheScope> cache;
      const auto enter_config = [&] {
        config = std::make_unique<RuntimeConfigScope>(s, RuntimeSettingsOverrides{.runtime_cache = p});
      };
      if (config_first) enter_config();
      cache = std::make_unique<RuntimeCacheScope>(s, p);
      if (!config_first) enter_config();
      run(s, 2, 3);
      EXPECT_EQ(s.runtime_cache()->path(), p);
      config.reset();
      run(s, 2, 3);
      EXPECT_EQ(s.runtime_cache(), cache->handle());
    }
    EXPECT_EQ(s.runtime_settings(), settings_with(RuntimeCacheSetting::memory()));
    EXPECT_GT(kernels_at(p), 0);
  }
}

TEST_F(Scopes, QuestionsMakeNoContext) {
  Session s(engine(), {}, settings_with(RuntimeCacheSetting::memory()));
  (void)s.inspect();
  (void)s.layer_info();
  EXPECT_GT(s.stats().distinct_kernels, 0);
  EXPECT_EQ(s.num_execution_contexts_created(), 0);
}

TEST_F(Scopes, DynamicAllocationGivesBackWhatRunsNeed) {
  // A chain of products, between which nothing fuses.
  ir::Graph g;
  g.symbols["n"] = {};
  const std::vector<ir::Dim> shape{ir::Dim::symbol("n"), ir::Dim(64)};
  auto x = g.add_value("x", DType::f32, shape);
  g.inputs.push_back(x);
  const auto w = g.add_constant("w", Tensor(DType::f32, {64, 64}));
  for (int i = 0; i < 3; ++i) x = g.add_node(ir::Op::matmul, "m" + std::to_string(i), {x, w}, DType::f32, shape);
  g.outputs.push_back(x);
  Session s(testing::engine_of(g), {}, settings_with(RuntimeCacheSetting::memory()));
  std::vector<Tensor> in;
  in.emplace_back(DType::f32, std::vector<std::int64_t>{1024, 64});
  (void)s.execute(testing::views(in));
  const auto kept = s.stats().device_bytes, arena = s.stats().arena_bytes;
  ASSERT_GE(arena, 1024 * 64 * 4);
  {
    const ResourceAllocationScope dynamic(s, ResourceAllocationStrategy::dynamic_allocation);
    (void)s.execute(testing::views(in));
    EXPECT_LE(s.stats().device_bytes, kept - arena);
    EXPECT_EQ(s.resource_allocation_strategy(), ResourceAllocationStrategy::dynamic_allocation);
  }
  (void)s.execute(testing::views(in));
  EXPECT_EQ(s.stats().device_bytes, kept);
  EXPECT_EQ(s.num_execution_contexts_created(), 1);
}

TEST(CudaGraphsModes, StackAndEndInAnyOrder) {
  ASSERT_EQ(cudagraphs_mode(), CudaGraphsMode::standard);
  auto a = std::make_unique<CudaGraphsModeScope>(CudaGraphsMode::subgraph_cudagraphs);
  auto b = std::make_unique<CudaGraphsModeScope>(CudaGraphsMode::whole_graph_cudagraphs);
  std::thread([] { EXPECT_EQ(cudagraphs_mode(), CudaGraphsMode::whole_graph_cudagraphs); }).join();
  a.reset();
  EXPECT_EQ(cudagraphs_mode(), CudaGraphsMode::whole_graph_cudagraphs);
  set_cudagraphs_mode(CudaGraphsMode::subgraph_cudagraphs);
  EXPECT_EQ(cudagraphs_mode(), CudaGraphsMode::whole_graph_cudagraphs) << "what is set lies beneath";
  b.reset();
  EXPECT_EQ(cudagraphs_mode(), CudaGraphsMode::subgraph_cudagraphs);
  set_cudagraphs_mode(CudaGraphsMode::standard);
}

TEST_F(Scopes, SubgraphModeSwitchesAnEngineForGoodWithOneWarning) {
  std::vector<std::string> warnings;
  SessionOptions options{.device = {Device::Type::null, 0}};
  options.warn = [&](const std::string& text) { warnings.push_back(text); };
  Session s(engine(), std::move(options), settings_with(RuntimeCacheSetting::memory()));
  const auto x = input(2, 3);
  (void)s.execute(testing::views(x));
  {
    const CudaGraphsModeScope mode(CudaGraphsMode::subgraph_cudagraphs);
    const CudaGraphStrategyScope scope(s, CudaGraphStrategy::disabled);
    (void)s.execute(testing::views(x));
    (void)s.execute(testing::views(x));
    EXPECT_EQ(s.context()->options().cuda_graph_strategy, CudaGraphStrategy::whole_graph_capture);
  }
  EXPECT_EQ(s.runtime_settings().cuda_graph_strategy, CudaGraphStrategy::whole_graph_capture);
  EXPECT_EQ(s.num_execution_contexts_created(), 2);
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_NE(warnings[0].find("RuntimeSettings"), std::string::npos) << warnings[0];
  EXPECT_NE(warnings[0].find("set_cuda_graph_strategy"), std::string::npos) << warnings[0];
}

}  // namespace
}  // namespace jitney
