// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Random sequences of settings, scopes, shapes and runs against a model of the rules in a few lines: what holds is the
// base under the living scopes in the order of entry; a run makes a context when there is none or when the settings are
// not those of the one before; nothing is compiled twice; a path that the settings no longer name has been saved.
#include <jitney/scopes.h>
#include <jitney/session.h>

#include <atomic>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <thread>

#include "session_support.h"

namespace jitney {
namespace {

using Specialization = DynamicShapesKernelSpecializationStrategy;
using testing::kernels_at;
using testing::SessionTest;

class SessionModel : public SessionTest {
 protected:
  RuntimeSettingsOverrides random_overrides(std::mt19937& random) {
    RuntimeSettingsOverrides o;
    if (random() % 2 != 0)
      o.dynamic_shapes_kernel_specialization_strategy = from_underlying<Specialization>(random() % 3);
    // On a CPU, where it makes contexts and nothing else.
    if (random() % 2 != 0) o.cuda_graph_strategy = from_underlying<CudaGraphStrategy>(random() % 2);
    if (random() % 2 != 0) o.runtime_cache = random_cache(random);
    return o;
  }
  RuntimeCacheSetting random_cache(std::mt19937& random) {
    switch (random() % 5) {
      case 0: return RuntimeCacheSetting::memory();
      case 1: return path("a");
      case 2: return path("b");
      case 3: return path("store/");
      default: return handle_;
    }
  }
  const std::shared_ptr<RuntimeCache> handle_ = std::make_shared<RuntimeCache>();
};

/// The rules.
struct Model {
  RuntimeSettings base;
  std::list<RuntimeSettingsOverrides> overlays;
  std::optional<RuntimeSettings> of_context;
  int created = 0;

  RuntimeSettings effective() const {
    RuntimeSettings s = base;
    for (const auto& o : overlays) s = o.over(s);
    return s;
  }
  void use() {
    if (of_context != effective()) ++created;
    of_context = effective();
  }
};

struct Entered {
  std::unique_ptr<RuntimeConfigScope> config;
  std::unique_ptr<RuntimeCacheScope> cache;
  std::list<RuntimeSettingsOverrides>::iterator overlay;
};

TEST_F(SessionModel, OneThreadDoesExactlyWhatTheRulesSay) {
  for (unsigned seed = 0; seed < 12; ++seed) {
    std::mt19937 random(seed);
    SessionOptions options{.threads = 1};
    options.warn = [](const std::string&) {};
    Model model{.base = testing::settings_with(random_cache(random))};
    Session session(engine(), std::move(options), model.base);
    std::vector<Entered> scopes;
    for (int step = 0; step < 60; ++step) {
      SCOPED_TRACE(::testing::Message() << "seed " << seed << ", step " << step);
      switch (random() % 8) {
        case 0: {
          const RuntimeSettings next = random_overrides(random).over(model.base);
          const std::string before = model.effective().runtime_cache.path();
          EXPECT_EQ(session.update_runtime_settings(next), next != model.base);
          model.base = next;
          const bool is_packed = before == path("a") || before == path("b");
          // What ran under it is on disk as soon as another one has its place.
          if (is_packed && model.of_context && model.of_context->runtime_cache.path() == before &&
              model.effective().runtime_cache.path() != before) {
            EXPECT_GT(kernels_at(before), 0U);
          }
          break;
        }
        case 1: {
          const auto overrides = random_overrides(random);
          scopes.push_back({std::make_unique<RuntimeConfigScope>(session, overrides), nullptr,
                            model.overlays.insert(model.overlays.end(), overrides)});
          break;
        }
        case 2: {
          auto scope = std::make_unique<RuntimeCacheScope>(session, random() % 2 != 0 ? path("a") : "");
          const auto overlay = model.overlays.insert(model.overlays.end(), {.runtime_cache = scope->handle()});
          scopes.push_back({nullptr, std::move(scope), overlay});
          break;
        }
        case 3:
        case 4: {
          if (scopes.empty()) break;
          const auto which = scopes.begin() + static_cast<std::ptrdiff_t>(random() % scopes.size());
          model.overlays.erase(which->overlay);
          scopes.erase(which);
          break;
        }
        case 5:
          if (random() % 4 == 0) {
            session.invalidate_context();
            model.of_context.reset();
          }
          break;
        default: run(session, 1 + random() % 3, 1 + random() % 3); model.use();
      }
      ASSERT_EQ(session.runtime_settings(), model.effective());
      ASSERT_EQ(session.num_execution_contexts_created(), model.created);
      ASSERT_EQ(session.has_context(), model.of_context.has_value());
      const auto cache = session.runtime_cache();
      const auto setting = model.effective().runtime_cache;
      ASSERT_EQ(cache == nullptr, setting.is_memory());
      if (cache) {
        ASSERT_EQ(cache->path(), setting.handle() ? setting.handle()->path() : setting.path());
      }
      ASSERT_LE(session.stats().compiled, session.stats().distinct_kernels) << "nothing is compiled twice";
    }
    scopes.clear();
    EXPECT_EQ(session.runtime_settings(), model.base);
  }
}

TEST_F(SessionModel, ManyThreadsEndWhereTheyBegan) {
  constexpr int kThreads = 4, kSteps = 40;
  SessionOptions options{.threads = 1};
  options.warn = [](const std::string&) {};
  const RuntimeSettings base = testing::settings_with(path("a"));
  Session one(engine(), options, base), two(engine(), options, base);
  std::atomic<int> runs{0}, wrong{0};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      Session reference(engine(), {.threads = 1}, testing::settings_with(RuntimeCacheSetting::memory()));
      Session* const both[] = {&one, &two};
      std::vector<std::unique_ptr<RuntimeConfigScope>> configs;
      std::vector<std::unique_ptr<RuntimeCacheScope>> caches;
      for (int step = 0; step < kSteps; ++step) {
        Session& session = *both[random() % 2];
        switch (random() % 8) {
          case 0: configs.push_back(std::make_unique<RuntimeConfigScope>(both, random_overrides(random))); break;
          case 1: configs.push_back(std::make_unique<RuntimeConfigScope>(session, random_overrides(random))); break;
          case 2:
            caches.push_back(std::make_unique<RuntimeCacheScope>(session, path(random() % 2 != 0 ? "a" : "b")));
            break;
          case 3:
            if (!configs.empty())
              configs.erase(configs.begin() + static_cast<std::ptrdiff_t>(random() % configs.size()));
            break;
          case 4:
            if (!caches.empty()) caches.erase(caches.begin() + static_cast<std::ptrdiff_t>(random() % caches.size()));
            break;
          case 5: random() % 4 == 0 ? session.invalidate_context() : session.cancel_specialization(); break;
          default: {
            std::vector<Tensor> x;
            x.push_back(testing::random_tensor(
                DType::f32, {1 + static_cast<int>(random() % 3), 1 + static_cast<int>(random() % 3)}, random));
            const auto got = session.execute(testing::views(x));
            if (!testing::close(got[0], reference.execute(testing::views(x))[0], 1e-5)) ++wrong;
            ++runs;
          }
        }
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  for (Session* session : {&one, &two}) {
    EXPECT_EQ(session->runtime_settings(), base);
    EXPECT_LE(session->num_execution_contexts_created(), runs);
    EXPECT_LE(session->stats().compiled, session->stats().distinct_kernels);
    run(*session, 2, 3);
    EXPECT_EQ(session->runtime_cache()->path(), path("a"));
  }
}

}  // namespace
}  // namespace jitney
