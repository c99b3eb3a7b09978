// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Mode 35: whatever ends first. What is needed is held by reference, so every order in which the parts of a program go
// is right, also at the end of the process, while kernels are compiled, and when memory runs out.
#include <jitney/session.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <optional>
#include <thread>

#include "runtime/support.h"

namespace jitney::testing {
namespace {

ir::Graph chain() {
  ir::Graph g;
  const ir::Dim n = ir::Dim::symbol("n");
  g.symbols["n"] = {};
  const auto x = g.add_value("x", DType::f32, {n, 8});
  g.inputs = {x};
  g.outputs = {g.add_node(ir::Op::softmax, "s", {x}, DType::f32, {n, 8}, {{"axis", std::int64_t{1}}})};
  return g;
}

std::vector<Tensor> input(std::int64_t rows = 3) {
  std::mt19937 rng(1);
  std::vector<Tensor> tensors;
  tensors.push_back(random_tensor(DType::f32, {rows, 8}, rng));
  return tensors;
}

struct Parts {
  std::shared_ptr<RuntimeCache> cache = std::make_shared<RuntimeCache>();
  std::optional<Engine> engine;
  std::optional<ExecutionContext> first, second;
  std::vector<Tensor> outputs;

  Parts() {
    engine = engine_of(chain());
    ContextOptions options = testing::options();
    options.cache = cache;
    first.emplace(*engine, options);
    second.emplace(*engine, options);
    outputs = execute(*first, input());
    execute(*second, input());
  }
  void drop(int part) {
    switch (part) {
      case 0: cache.reset(); break;
      case 1: engine.reset(); break;
      case 2: first.reset(); break;
      case 3: second.reset(); break;
      default: outputs.clear(); break;
    }
  }
  /// What is still there still works.
  void use() {
    for (auto* context : {&first, &second}) {
      if (!*context) continue;
      const auto got = execute(**context, input());
      EXPECT_TRUE(outputs.empty() || close(got[0], outputs[0], 1e-6));
    }
    EXPECT_TRUE(!cache || !cache->serialize().empty());
  }
};

TEST(Teardown, Mode35_EveryOrderIsRight) {
  std::vector<int> order(5);
  std::iota(order.begin(), order.end(), 0);
  const int step = std::getenv("JITNEY_CHECK") != nullptr ? 1 : 11;
  int n = 0;
  do {
    if (n++ % step != 0) continue;
    Parts parts;
    for (const int part : order) {
      parts.drop(part);
      parts.use();
    }
  } while (std::next_permutation(order.begin(), order.end()));
  EXPECT_EQ(n, 120);
}

TEST(Teardown, Mode35_ContextsGoWhileTheirKernelsAreCompiled) {
  const Engine engine = engine_of(chain());
  const int rounds = std::getenv("JITNEY_CHECK") != nullptr ? 200 : 12;
  for (int i = 0; i < rounds; ++i) {
    std::optional<ExecutionContext> context;
    context.emplace(engine, testing::options());
    for (std::int64_t rows = 1; rows < 6; ++rows) execute(*context, input(rows + 7 * i));
    // Background compiles are somewhere between their queue and the worker.
    std::this_thread::sleep_for(std::chrono::microseconds(i * 3301 % 40'000));
    context.reset();
  }
}

TEST(Teardown, Mode35_ThreadsStillRunWhenTheContextIsForgotten) {
  const Engine engine = engine_of(chain());
  for (int i = 0; i < 10; ++i) {
    auto context = std::make_shared<ExecutionContext>(engine, testing::options());
    std::vector<std::jthread> threads;
    for (int t = 0; t < 3; ++t)
      threads.emplace_back([held = context] {
        for (int k = 0; k < 20; ++k) execute(*held, input());
      });
    context.reset();  // the last thread's copy is the last owner
  }
}

/// The work in a child that ends through exit(), with everything that static storage holds; its exit code.
template <class F>
int exits(F work) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    work();
    std::exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

// Statics of a function end in the reverse order of their making, and before what was made earlier.
void cache_before_context() {
  static auto cache = RuntimeCache::owned("");
  ContextOptions options = testing::options();
  options.cache = cache;
  static ExecutionContext context(engine_of(chain()), options);
  execute(context, input());
}

void context_before_cache() {
  static std::optional<ExecutionContext> context;
  static std::shared_ptr<RuntimeCache> cache;
  cache = RuntimeCache::owned("");
  ContextOptions options = testing::options();
  options.cache = cache;
  context.emplace(engine_of(chain()), options);
  execute(*context, input());
}

void exit_while_compiling() {
  static ExecutionContext context(engine_of(chain()), testing::options());
  for (std::int64_t rows = 1; rows < 9; ++rows) execute(context, input(rows));
}

void exit_from_a_thread() {
  static ExecutionContext context(engine_of(chain()), testing::options());
  std::thread([] {
    execute(context, input());
    std::exit(0);
  }).join();
}

/// A static object that runs a context in its destructor, after main. (Models are built and loaded before.)
void used_after_main() {
  static struct Late {
    ExecutionContext context{engine_of(chain()), testing::options()};
    ~Late() { execute(context, input()); }
  } late;
  execute(late.context, input());
}

// Each in a process of its own, which has nothing of this one's threads.
TEST(TeardownChild, DISABLED_CacheBeforeContext) { cache_before_context(); }
TEST(TeardownChild, DISABLED_ContextBeforeCache) { context_before_cache(); }
TEST(TeardownChild, DISABLED_ExitWhileCompiling) { exit_while_compiling(); }
TEST(TeardownChild, DISABLED_ExitFromAThread) { exit_from_a_thread(); }
TEST(TeardownChild, DISABLED_UsedAfterMain) { used_after_main(); }

TEST(Teardown, Mode35_StaticObjectsMayEndInAnyOrder) {
  const std::string program = std::filesystem::read_symlink("/proc/self/exe").string();
  for (const char* name :
       {"CacheBeforeContext", "ContextBeforeCache", "ExitWhileCompiling", "ExitFromAThread", "UsedAfterMain"}) {
    const std::string command =
        fmt::format("'{}' --gtest_also_run_disabled_tests --gtest_filter=TeardownChild.DISABLED_{}", program, name);
    EXPECT_EQ(std::system(("timeout 60 " + command + " >/dev/null").c_str()), 0) << name;
  }
}

/// Address space that ends at any point of a run: an error that says so, never a crash; and the same context is right
/// once there is memory again.
TEST(Teardown, Mode35_MemoryThatRunsOutIsAnErrorAndTheNextRunIsRight) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "their shadow memory allows no limit";
#endif
  const Engine engine = engine_of(chain());
  EXPECT_EQ(exits([&] {
              ExecutionContext context(engine, testing::options());
              const auto small = input();
              const auto before = execute(context, small);
              if (!context.wait_until_specialized(30)) std::_Exit(2);
              struct rlimit limit{};
              getrlimit(RLIMIT_AS, &limit);
              const struct rlimit little = {1, limit.rlim_max};
              // 256 MiB each for input and output: the input exists, the output cannot.
              std::vector<Tensor> large;
              large.emplace_back(DType::f32, std::vector<std::int64_t>{std::int64_t{1} << 23, 8});
              setrlimit(RLIMIT_AS, &little);
              bool refused = false;
              try {
                context.execute(views(large));
              } catch (const Error& error) {
                refused = error.kind() == ErrorKind::environment;
              } catch (const std::bad_alloc&) {
                refused = true;
              }
              setrlimit(RLIMIT_AS, &limit);
              if (!refused) std::_Exit(3);
              if (!close(execute(context, small)[0], before[0], 0)) std::_Exit(4);
            }),
            0);
}

}  // namespace
}  // namespace jitney::testing
