// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Random sequences of everything that may change between two runs of a session with profiles, against a model of the
// rules: settings, scopes over them, profile pins, what becomes of memory, warm, cancel, waits, saves. Seeds are fixed,
// so a failure repeats: JITNEY_RANDOM_SEED says with which to begin, JITNEY_RANDOM_SESSIONS how many there are.
#include <jitney/scopes.h>
#include <jitney/session.h>

#include <atomic>
#include <list>
#include <optional>
#include <set>
#include <thread>

#include "session_support.h"

namespace jitney {
namespace {

using testing::SessionTest;
using testing::views;
using enum DynamicShapesKernelSpecializationStrategy;
using Strategy = DynamicShapesKernelSpecializationStrategy;
using Shape = std::pair<std::int64_t, std::int64_t>;

constexpr std::int64_t kRows[] = {1, 2, 5}, kColumns[] = {1, 8, 40, 600};
const Shape kOptima[] = {{2, 8}, {1, 48}};

bool fits(const Shape& s, int profile) {
  return profile == 0 ? s.first >= 1 && s.first <= 4 && s.second >= 1 && s.second <= 64
                      : s.first >= 1 && s.first <= 8 && s.second >= 32 && s.second <= 512;
}

template <class T>
struct Stack {
  T base;
  std::list<T> living;
  T top() const { return living.empty() ? base : living.back(); }
};

/// The rules.
struct Model {
  Stack<int> profile{kAutoProfile, {}};
  Stack<ResourceAllocationStrategy> memory{ResourceAllocationStrategy::static_allocation, {}};
  RuntimeSettings base;
  std::list<RuntimeSettingsOverrides> overlays;
  std::optional<RuntimeSettings> of_context;
  bool is_prepared = false;  ///< that context has run
  int created = 0, active = 0;
  bool asked_optima = false;
  std::map<Shape, int> uses;                   ///< runs under lazy
  std::set<Shape> ready, possible, requested;  ///< have kernels of their own; may have; will unless cancelled

  RuntimeSettings effective() const {
    RuntimeSettings s = base;
    for (const auto& o : overlays) s = o.over(s);
    return s;
  }
  Strategy strategy() const { return of_context->dynamic_shapes_kernel_specialization_strategy; }
  void use_context() {
    if (of_context == effective()) return;
    ++created;
    of_context = effective();
    is_prepared = false;
  }
  void prepare() {
    if (std::exchange(is_prepared, true) || strategy() == none || std::exchange(asked_optima, true)) return;
    for (const Shape& s : kOptima) request(s);
  }
  void request(const Shape& s) {
    possible.insert(s);
    requested.insert(s);
  }
  void make(const Shape& s) {
    possible.insert(s);
    ready.insert(s);
  }
  /// Whether a run of the shape is allowed; then it is made.
  bool run(const Shape& s) {
    use_context();
    const int wanted = profile.top();
    int chosen = -1;
    if (wanted != kAutoProfile)
      chosen = fits(s, wanted) ? wanted : -1;
    else
      chosen = fits(s, active) ? active : fits(s, 0) ? 0 : fits(s, 1) ? 1 : -1;
    if (chosen < 0) return false;
    active = chosen;
    prepare();
    if (strategy() == eager) make(s);
    if (strategy() == lazy && ++uses[s] >= 2) request(s);
    return true;
  }
  bool warm(const Shape& s) {
    use_context();
    prepare();
    if (!fits(s, 0) && !fits(s, 1)) return false;
    make(s);
    return true;
  }
  void wait() {
    if (!of_context || !is_prepared || strategy() == none) return;
    for (const auto& [shape, count] : uses) request(shape);
    ready.insert(requested.begin(), requested.end());
    requested.clear();
  }
};

/// What a thread has entered, with the model's part of it.
struct Entered {
  std::unique_ptr<RuntimeConfigScope> config;
  std::unique_ptr<RuntimeCacheScope> cache;
  std::unique_ptr<OptimizationProfileScope> profile;
  std::unique_ptr<ResourceAllocationScope> memory;
  std::function<void()> forget{};
};

int number_from(const char* variable, int otherwise) {
  const char* text = std::getenv(variable);
  return text ? std::atoi(text) : otherwise;
}

class SessionProperties : public SessionTest {
 protected:
  static Engine ranged() {
    return engine().with_profiles({{{{{1, 1}, {2, 8}, {4, 64}}}}, {{{{1, 32}, {1, 48}, {8, 512}}}}});
  }
  static SessionOptions quiet() {
    SessionOptions options{.threads = 1};
    options.warn = [](const std::string&) {};
    return options;
  }
  RuntimeSettingsOverrides random_overrides(std::mt19937& random) {
    RuntimeSettingsOverrides o;
    if (random() % 2 != 0) o.dynamic_shapes_kernel_specialization_strategy = from_underlying<Strategy>(random() % 3);
    if (random() % 4 == 0) o.cuda_graph_strategy = from_underlying<CudaGraphStrategy>(random() % 2);
    switch (random() % 8) {
      case 0: o.runtime_cache = RuntimeCacheSetting::memory(); break;
      case 1: o.runtime_cache = path("a"); break;
      case 2: o.runtime_cache = path("store/"); break;
      case 3: o.runtime_cache = handle_; break;
      default: break;
    }
    return o;
  }
  static Shape random_shape(std::mt19937& random) { return {kRows[random() % 3], kColumns[random() % 4]}; }
  /// Whether it ran; a refusal must be the user's.
  bool tries(Session& session, const Shape& s) {
    const auto x = input(s.first, s.second);
    try {
      const auto got = session.execute(views(x));
      EXPECT_TRUE(testing::close(got[0], reference(x), 1e-5)) << s.first << "x" << s.second;
      return true;
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::user) << e.what();
      return false;
    }
  }
  /// What the session's cache holds is enough for a new session: nothing is compiled there.
  void expect_saved(Session& session, const Model& model) {
    const auto cache = session.runtime_cache();
    if (!cache || !model.is_prepared || model.of_context != model.effective() || model.ready.empty()) return;
    auto copy = std::make_shared<RuntimeCache>();
    copy->deserialize(cache->serialize());
    auto settings = testing::settings_with(copy);
    settings.dynamic_shapes_kernel_specialization_strategy = eager;
    Session next(engine(), quiet(), settings);
    EXPECT_TRUE(tries(next, *model.ready.rbegin()));
    EXPECT_EQ(next.stats().compiled, 0);
    EXPECT_EQ(next.compile_status().compiled, 0U);
  }
  const std::shared_ptr<RuntimeCache> handle_ = std::make_shared<RuntimeCache>();
};

TEST_F(SessionProperties, OneThreadDoesExactlyWhatTheRulesSay) {
  const int first = number_from("JITNEY_RANDOM_SEED", 0);
  const int sessions = number_from("JITNEY_RANDOM_SESSIONS", std::getenv("JITNEY_NIGHTLY") ? 200 : 8);
  int ran = 0, refused = 0;
  for (int seed = first; seed < first + sessions; ++seed) {
    std::mt19937 random(static_cast<unsigned>(seed));
    Model model;
    model.base = random_overrides(random).over(testing::settings_with(RuntimeCacheSetting::memory()));
    Session session(ranged(), quiet(), model.base);
    std::vector<Entered> scopes;
    for (int step = 0; step < 70; ++step) {
      SCOPED_TRACE(::testing::Message() << "seed " << seed << ", step " << step);
      const int pin = static_cast<int>(random() % 3) - 1;
      const auto strategy = static_cast<ResourceAllocationStrategy>(random() % 2);
      switch (random() % 16) {
        case 0: {
          const auto next = random_overrides(random).over(model.base);
          EXPECT_EQ(session.update_runtime_settings(next), next != model.base);
          model.base = next;
          break;
        }
        case 1: {
          const auto overrides = random_overrides(random);
          const auto at = model.overlays.insert(model.overlays.end(), overrides);
          scopes.push_back({.config = std::make_unique<RuntimeConfigScope>(session, overrides)});
          scopes.back().forget = [&model, at] { model.overlays.erase(at); };
          break;
        }
        case 2: {
          scopes.push_back({.cache = std::make_unique<RuntimeCacheScope>(session, random() % 2 != 0 ? path("a") : "")});
          const auto at = model.overlays.insert(model.overlays.end(), {.runtime_cache = scopes.back().cache->handle()});
          scopes.back().forget = [&model, at] { model.overlays.erase(at); };
          break;
        }
        case 3: {
          scopes.push_back({.profile = std::make_unique<OptimizationProfileScope>(session, pin)});
          const auto at = model.profile.living.insert(model.profile.living.end(), pin);
          scopes.back().forget = [&model, at] { model.profile.living.erase(at); };
          break;
        }
        case 4: {
          scopes.push_back({.memory = std::make_unique<ResourceAllocationScope>(session, strategy)});
          const auto at = model.memory.living.insert(model.memory.living.end(), strategy);
          scopes.back().forget = [&model, at] { model.memory.living.erase(at); };
          break;
        }
        case 5:
        case 6: {
          if (scopes.empty()) break;
          const auto which = scopes.begin() + static_cast<std::ptrdiff_t>(random() % scopes.size());
          which->forget();
          scopes.erase(which);
          break;
        }
        case 7: session.set_optimization_profile(model.profile.base = pin); break;
        case 8: session.set_resource_allocation_strategy(model.memory.base = strategy); break;
        case 9: {
          const Shape shape = random_shape(random);
          const std::vector<std::vector<std::vector<std::int64_t>>> shapes{{{shape.first, shape.second}}};
          if (model.warm(shape))
            session.warm(shapes);
          else
            EXPECT_THROW(session.warm(shapes), Error);
          break;
        }
        case 10:
          session.cancel_specialization();
          model.requested.clear();
          break;
        case 11:
          EXPECT_TRUE(session.wait_until_specialized(120));
          model.wait();
          break;
        case 12:
          if (random() % 3 == 0) {
            session.invalidate_context();
            model.of_context.reset();
          } else {
            expect_saved(session, model);
          }
          break;
        default: {
          const Shape shape = random_shape(random);
          const bool runs = model.run(shape);
          EXPECT_EQ(tries(session, shape), runs) << shape.first << "x" << shape.second;
          ++(runs ? ran : refused);
        }
      }
      ASSERT_EQ(session.runtime_settings(), model.effective());
      ASSERT_EQ(session.num_execution_contexts_created(), model.created);
      ASSERT_EQ(session.has_context(), model.of_context.has_value());
      ASSERT_EQ(session.optimization_profile(), model.active);
      ASSERT_EQ(session.resource_allocation_strategy(), model.memory.top());
      const auto status = session.compile_status();
      ASSERT_GE(status.specialized, model.ready.size());
      ASSERT_LE(status.specialized, model.possible.size());
      ASSERT_EQ(status.failed + status.evicted, 0U);
      ASSERT_LE(session.stats().compiled, session.stats().distinct_kernels) << "nothing is compiled twice";
    }
    scopes.clear();
    EXPECT_EQ(session.runtime_settings(), model.base);
    EXPECT_EQ(session.resource_allocation_strategy(), model.memory.base);
  }
  if (sessions >= 8) {
    EXPECT_GT(ran, 30);
    EXPECT_GT(refused, 10);
  }
}

TEST_F(SessionProperties, ManyThreadsLeaveItAsItWas) {
  constexpr unsigned kThreads = 4;
  const unsigned first = static_cast<unsigned>(number_from("JITNEY_RANDOM_SEED", 0));
  const auto base = testing::settings_with(path("a"));
  Session session(ranged(), quiet(), base);
  std::atomic<int> runs{0}, contexts_asked{0}, wrong{0}, reported{0};
  session.on_compile_status([&](const CompileStatus&) { ++reported; });
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      std::mt19937 random(first * kThreads + t);
      Session mine(engine(), {.threads = 1}, testing::settings_with(RuntimeCacheSetting::memory()));
      std::vector<Entered> scopes;
      for (int step = 0; step < 60; ++step) {
        const int pin = static_cast<int>(random() % 3) - 1;
        switch (random() % 14) {
          case 0:
            scopes.push_back({.config = std::make_unique<RuntimeConfigScope>(session, random_overrides(random))});
            break;
          case 1: scopes.push_back({.cache = std::make_unique<RuntimeCacheScope>(session, path("a"))}); break;
          case 2: scopes.push_back({.profile = std::make_unique<OptimizationProfileScope>(session, pin)}); break;
          case 3:
            scopes.push_back({.memory = std::make_unique<ResourceAllocationScope>(
                                  session, static_cast<ResourceAllocationStrategy>(random() % 2))});
            break;
          case 4:
          case 5:
            if (!scopes.empty()) scopes.erase(scopes.begin() + static_cast<std::ptrdiff_t>(random() % scopes.size()));
            break;
          case 6: session.cancel_specialization(); break;
          case 7: random() % 4 == 0 ? session.invalidate_context() : (void)session.wait_until_specialized(0.01); break;
          case 8: {
            ++contexts_asked;
            const Shape optimum = kOptima[random() % 2];
            session.warm(std::vector<std::vector<std::vector<std::int64_t>>>{{{optimum.first, optimum.second}}});
            break;
          }
          case 9: {
            if (const auto cache = session.runtime_cache()) cache->save(path("saved-" + std::to_string(t)));
            (void)session.stats();
            (void)session.layer_info({{2, 8}});
            break;
          }
          default: {
            std::vector<Tensor> x;
            const Shape s = random_shape(random);
            x.push_back(testing::random_tensor(DType::f32, {s.first, s.second}, random));
            ++contexts_asked;
            try {
              const auto got = session.execute(views(x));
              if (!testing::close(got[0], mine.execute(views(x))[0], 1e-5)) ++wrong;
              ++runs;
            } catch (const Error& e) {
              // Whichever profile was pinned by whom: a shape outside of both is never right.
              if (e.kind() != ErrorKind::user) ++wrong;
            }
          }
        }
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(runs, 10);
  EXPECT_EQ(session.runtime_settings(), base);
  EXPECT_EQ(session.resource_allocation_strategy(), ResourceAllocationStrategy::static_allocation);
  EXPECT_LE(session.num_execution_contexts_created(), contexts_asked);
  EXPECT_LE(session.stats().compiled, session.stats().distinct_kernels);
  const auto status = session.compile_status();
  EXPECT_EQ(status.failed, 0U);
  EXPECT_LE(status.specialized, 3U * 4U + 2U) << "each shape once";
  EXPECT_TRUE(status.specialized == 0 || reported > 0);
  EXPECT_TRUE(tries(session, {2, 8})) << "no pin is left";
  EXPECT_TRUE(tries(session, {5, 40}));
  EXPECT_EQ(session.optimization_profile(), 1);
  session.cancel_specialization();
  session.on_compile_status(nullptr);
}

}  // namespace
}  // namespace jitney
