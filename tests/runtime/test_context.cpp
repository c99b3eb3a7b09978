// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// The execution context: caching, threads, failing compilers, the null device.
#include <cstdlib>
#include <filesystem>
#include <thread>

#include <pthread.h>

#include <functional>

#include "runtime/support.h"

namespace jitney {
namespace {

using ir::Dim;
using ir::Graph;
using ir::Op;
using ir::ValueId;

Graph softmax_graph() {
  Graph g;
  Dim n = Dim::symbol("n");
  g.symbols["n"] = {};
  ValueId x = g.add_value("x", DType::f32, {n, 8});
  g.inputs = {x};
  g.outputs = {g.add_node(Op::softmax, "s", {x}, DType::f32, {n, 8}, {{"axis", std::int64_t{1}}})};
  return g;
}

struct TempDir {
  std::filesystem::path path;
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "jitney-test-XXXXXX").string();
    path = mkdtemp(name.data());
  }
  ~TempDir() { std::filesystem::remove_all(path); }
};

struct Environment {
  std::string name;
  Environment(const char* n, const std::string& value) : name(n) { setenv(n, value.c_str(), 1); }
  ~Environment() { unsetenv(name.c_str()); }
};

TEST(Context, SecondContextTakesKernelsFromTheStore) {
  TempDir dir;
  std::mt19937 rng(1);
  std::vector<Tensor> inputs{testing::random_tensor(DType::f32, {4, 8}, rng)};
  Engine engine = testing::engine_of(softmax_graph());
  std::vector<Tensor> first;
  {
    ExecutionContext c(engine, {.runtime_cache = dir.path.string()});
    first = c.execute(testing::views(inputs));
    EXPECT_EQ(c.stats().compiled, 1);
    EXPECT_EQ(c.stats().from_cache, 0);
  }
  ExecutionContext c(engine, {.runtime_cache = dir.path.string()});
  auto second = c.execute(testing::views(inputs));
  EXPECT_EQ(c.stats().compiled, 0);
  EXPECT_EQ(c.stats().from_cache, 1);
  EXPECT_EQ(c.stats().workers_started, 0);
  EXPECT_EQ(std::memcmp(first[0].data(), second[0].data(), first[0].num_bytes()), 0);
}

TEST(Context, ADamagedEntryIsCompiledAgain) {
  TempDir dir;
  std::mt19937 rng(1);
  std::vector<Tensor> inputs{testing::random_tensor(DType::f32, {4, 8}, rng)};
  Engine engine = testing::engine_of(softmax_graph());
  auto run = [&] {
    ExecutionContext c(engine, {.runtime_cache = dir.path.string()});
    auto out = c.execute(testing::views(inputs));
    EXPECT_TRUE(testing::close(out[0], value_or_throw(ir::interpret(softmax_graph(), inputs))[0], 1e-5));
    return c.stats();
  };
  run();
  int damaged = 0;
  for (const auto& f : std::filesystem::recursive_directory_iterator(dir.path))
    if (f.is_regular_file() && f.file_size() > 2000) {
      auto size = f.file_size();
      std::filesystem::resize_file(f.path(), size / 2);
      ++damaged;
    }
  ASSERT_GT(damaged, 0);
  auto stats = run();
  EXPECT_EQ(stats.compiled, 1);
  EXPECT_EQ(run().compiled, 0) << "the entry must have been replaced";
}

TEST(Context, ManyThreadsAndShapesAtOnce) {
  Graph g = softmax_graph();
  ExecutionContext context(testing::engine_of(g), {.threads = 1, .runtime_cache = "none"});
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      std::mt19937 rng(static_cast<unsigned>(t));
      for (int i = 0; i < 50; ++i) {
        std::vector<Tensor> in{testing::random_tensor(DType::f32, {1 + (i * 7 + t) % 20, 8}, rng)};
        auto got = context.execute(testing::views(in));
        if (!testing::close(got[0], value_or_throw(ir::interpret(g, in))[0], 1e-5)) ++wrong;
      }
    });
  for (auto& t : threads) t.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(context.stats().compiled, 1);
}

TEST(Context, WithoutACompilerTheInterpreterRuns) {
  Graph g = softmax_graph();
  std::mt19937 rng(1);
  std::vector<Tensor> in{testing::random_tensor(DType::f32, {4, 8}, rng)};
  // The compiler that contexts of this process share exists already: the test runs in a process of its own.
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        Environment none("JITNEY_COMPILER_CLANG", "/nonexistent/compiler");
        ExecutionContext c(testing::engine_of(g), {.runtime_cache = "none"});
        auto got = c.execute(testing::views(in));
        bool right = testing::close(got[0], value_or_throw(ir::interpret(g, in))[0], 1e-5) &&
                     c.stats().interpreted == 1 && c.stats().failed == 1;
        std::exit(right ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "compiler");
}

TEST(Context, NullDeviceLaunchesAndComputesNothing) {
  Graph g = softmax_graph();
  ExecutionContext c(testing::engine_of(g), {.device = {Device::Type::null, 0}, .runtime_cache = "none"});
  c.prepare();
  EXPECT_EQ(c.stats().compiled, 0);
  EXPECT_EQ(c.stats().distinct_kernels, 1);
}

TEST(Context, GraphsAreCapturedOnTheSecondRunAndReplayed) {
  const Device null{Device::Type::null, 0};
  ExecutionContext c(
      testing::engine_of(softmax_graph()),
      {.device = {Device::Type::null, 0},
       .runtime_cache = "none",
       .cuda_graph_strategy = CudaGraphStrategy::whole_graph_capture,
       // Kernels that become ready between two runs are a reason to capture anew.
       .dynamic_shapes_kernel_specialization_strategy = DynamicShapesKernelSpecializationStrategy::none});
  std::vector<DeviceTensor> kept;  // so that no address comes again
  for (std::int64_t rows : {3, 5}) {
    for (int i = 0; i < 4; ++i) {
      // New addresses each time: they are no reason to capture anew.
      const TensorView input = kept.emplace_back(DType::f32, std::vector{rows, std::int64_t{8}}, null).view();
      const auto shapes = c.output_shapes({&input, 1});
      const TensorView output = kept.emplace_back(DType::f32, shapes[0], null).view();
      c.execute({&input, 1}, {&output, 1});
    }
  }
  EXPECT_EQ(c.stats().graphs_captured, 2u);
  EXPECT_EQ(c.stats().graph_replays, 6u);
  EXPECT_EQ(c.stats().graph_updates, 4u) << "a capture has the addresses of its first replay";
  EXPECT_EQ(c.stats().graph_fallbacks, 0u);
}

std::string error_of(ExecutionContext& c, const std::vector<TensorView>& in) {
  try {
    c.execute(in);
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::user);
    return e.what();
  }
  return "";
}

TEST(Context, WrongInputsAreNamed) {
  ExecutionContext c(testing::engine_of(softmax_graph()), {.runtime_cache = "none"});
  Tensor ok(DType::f32, {2, 8}), type(DType::f64, {2, 8}), rank(DType::f32, {2, 8, 1}), extent(DType::f32, {2, 9});
  EXPECT_NE(error_of(c, {}).find("1 input"), std::string::npos);
  EXPECT_NE(error_of(c, {type.view()}).find("'x'"), std::string::npos);
  EXPECT_NE(error_of(c, {rank.view()}).find("'x'"), std::string::npos);
  EXPECT_NE(error_of(c, {extent.view()}).find("'x'"), std::string::npos);
  TensorView cuda = ok.view();
  cuda.device = {Device::Type::cuda, 0};
  EXPECT_NE(error_of(c, {cuda}).find("cpu"), std::string::npos);
  EXPECT_EQ(error_of(c, {ok.view()}), "");
}

TEST(Context, OutputsOfTheCallers) {
  Graph g = softmax_graph();
  ExecutionContext c(testing::engine_of(g), {.runtime_cache = "none"});
  std::mt19937 rng(1);
  std::vector<Tensor> in{testing::random_tensor(DType::f32, {3, 8}, rng)};
  auto views = testing::views(in);
  EXPECT_EQ(c.output_shapes(views), (std::vector<std::vector<std::int64_t>>{{3, 8}}));
  Tensor out(DType::f32, {3, 8}), bad(DType::f32, {8, 3});
  std::vector<TensorView> outs{out.view()}, bads{bad.view()};
  c.execute(views, outs);
  EXPECT_TRUE(testing::close(out, value_or_throw(ir::interpret(g, in))[0], 1e-5));
  EXPECT_THROW(c.execute(views, bads), Error);
}

/// Runs `work` on a thread with a stack of this many bytes.
void on_small_stack(std::size_t bytes, const std::function<void()>& work) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, bytes);
  pthread_t thread;
  ASSERT_EQ(pthread_create(
                &thread, &attributes,
                [](void* f) -> void* {
                  (*static_cast<const std::function<void()>*>(f))();
                  return nullptr;
                },
                const_cast<std::function<void()>*>(&work)),
            0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

TEST(Context, ADeepModelNeedsNoDeepStack) {
  ir::Graph g;
  g.symbols["n"] = {};
  ir::ValueId x = g.add_value("x", DType::f32, {ir::Dim::symbol("n")});
  g.inputs = {x};
  ir::ValueId y = x;
  for (int i = 0; i < 20000; ++i) y = g.add_node(ir::Op::neg, "n", {y}, DType::f32, {ir::Dim::symbol("n")});
  g.outputs = {y};
#ifdef __SANITIZE_ADDRESS__
  constexpr std::size_t kStack = 4 << 20;  // its frames are several times larger
#else
  constexpr std::size_t kStack = 256 << 10;
#endif
  on_small_stack(kStack, [&] {
    ExecutionContext context(testing::engine_of(g), {.runtime_cache = "none"});
    Tensor in(DType::f32, {3});
    in.as<float>()[1] = 5;
    EXPECT_EQ(context.execute(testing::views({in}))[0].as<float>()[1], 5);
    EXPECT_LE(context.stats().distinct_kernels, 2);
  });
}

}  // namespace
}  // namespace jitney
