// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <set>
#include <thread>
#include <tuple>

#include "backend/cuda/green_context.h"
#include "runtime/executor.h"
#include "runtime_cuda/device.h"

/// Somebody else's captures, green contexts, weights and memory on a real device.
namespace jitney {
namespace {

using testing::OnDevice;
using testing::small_network;

constexpr auto kGeneric = DynamicShapesKernelSpecializationStrategy::none;

class DeviceGraphs : public OnDevice {
 protected:
  static CUstream native(StreamHandle s) { return reinterpret_cast<CUstream>(s); }  // NOLINT
};

/// Makes contexts, which compiles, loads, allocates and runs, until it goes.
class Neighbour {
 public:
  explicit Neighbour(bool product) : thread_([this, product] { work(product); }) {}
  ~Neighbour() {
    stop_ = true;
    thread_.join();
    EXPECT_EQ(problem_, "");
  }
  void wait_for_a_round() const {
    for (const int before = rounds_; rounds_ < before + 1 && problem_.empty();) std::this_thread::yield();
  }

 private:
  void work(bool product) {
    std::mt19937 rng(9);
    try {
      while (!stop_) {
        ExecutionContext another(testing::engine_of(small_network(product)),
                                 {.device = {Device::Type::cuda, 0}, .runtime_cache = "none"});
        const DeviceTensor a(testing::random_tensor(DType::f32, {3, 64}, rng), {Device::Type::cuda, 0});
        const DeviceTensor b(DType::f32, {3, 64}, {Device::Type::cuda, 0});
        const TensorView va = a.view(), vb = b.view();
        another.execute({&va, 1}, {&vb, 1});
        ++rounds_;
      }
    } catch (const std::exception& error) {
      problem_ = error.what();
      ++rounds_;
    }
  }
  std::atomic<bool> stop_{false};
  std::atomic<int> rounds_{0};
  std::string problem_;
  std::thread thread_;
};

class DeviceOuterGraphs : public DeviceGraphs, public ::testing::WithParamInterface<std::tuple<bool, bool>> {};

TEST_P(DeviceOuterGraphs, TheEngineLendsItselfWhateverOthersDo) {
  const auto [product, is_alone] = GetParam();
  ExecutionContext ctx(testing::engine_of(small_network(product)),
                       {.device = kDevice,
                        .runtime_cache = "none",
                        .cuda_graph_strategy = CudaGraphStrategy::whole_graph_capture,
                        .dynamic_shapes_kernel_specialization_strategy = kGeneric});
  std::mt19937 rng(2);
  DeviceTensor x(testing::random_tensor(DType::f32, {16, 64}, rng), kDevice), y(DType::f32, {16, 64}, kDevice);
  const TensorView in = x.view(), out = y.view();
  const StreamHandle s = stream();
  for (int i = 0; i < 3; ++i) ctx.execute({&in, 1}, {&out, 1}, s);
  ctx.synchronize(s);
  ASSERT_TRUE(ctx.is_monolithic_capturable({&in, 1}, s));
  std::string why;
  EXPECT_FALSE(ctx.is_monolithic_capturable({&in, 1}, 0, &why));
  EXPECT_EQ(why, "the legacy default stream cannot be captured");

  // As strict as can be: any unsafe call of any thread would end it.
  ASSERT_EQ(driver_.StreamBeginCapture(native(s), CU_STREAM_CAPTURE_MODE_GLOBAL), CUDA_SUCCESS);
  std::string problem;
  try {
    ctx.execute({&in, 1}, {&out, 1}, s);
    if (!is_alone) {
      const Neighbour neighbour(!product);
      neighbour.wait_for_a_round();
    }
    ctx.execute({&in, 1}, {&out, 1}, s);
  } catch (const std::exception& error) {
    problem = error.what();
  }
  CUgraph graph = nullptr;
  EXPECT_EQ(driver_.StreamEndCapture(native(s), &graph), CUDA_SUCCESS);
  ASSERT_EQ(problem, "");
  EXPECT_EQ(ctx.stats().graphs_lent, 2u);
  CUgraphExec executable = nullptr;
  ASSERT_EQ(driver_.GraphInstantiate(&executable, graph, 0), CUDA_SUCCESS);
  for (int i = 0; i < 3; ++i) {
    const Tensor fresh = testing::random_tensor(DType::f32, {16, 64}, rng);
    x.upload(fresh);
    ASSERT_EQ(driver_.GraphLaunch(executable, native(s)), CUDA_SUCCESS);
    ctx.synchronize(s);
    const auto want = value_or_throw(ir::interpret(small_network(product), {fresh}));
    EXPECT_TRUE(testing::close(y.download(), want[0], 1e-4));
  }
  driver_.GraphExecDestroy(executable);
  driver_.GraphDestroy(graph);
}

INSTANTIATE_TEST_SUITE_P(All, DeviceOuterGraphs, ::testing::Combine(::testing::Bool(), ::testing::Bool()),
                         [](const auto& info) {
                           return std::string(std::get<0>(info.param) ? "products" : "kernels") +
                                  (std::get<1>(info.param) ? "_alone" : "_with_a_neighbour");
                         });

TEST_F(DeviceGraphs, OnAGreenContextsStreamEverythingStaysOnItsMultiprocessors) {
  auto green = testing::GreenContext::make(16);
  if (!green) GTEST_SKIP() << "this driver has no green contexts";
  const StreamHandle s = reinterpret_cast<StreamHandle>(green->stream());
  // An executor's own launches and replays, of a kernel that says where it ran.
  const auto where_am_i = own_kernel(R"(
struct Args { int* y; long long begin, end; int* fault; };
extern "C" __global__ void own(Args a) {
  unsigned smid;
  asm volatile("mov.u32 %0, %smid;" : "=r"(smid));
  if (threadIdx.x == 0) a.y[blockIdx.x] = (int)smid;
})");
  constexpr std::int64_t kBlocks = 2000;
  auto program = std::make_shared<runtime::Program>();
  program->graph.outputs = {program->graph.add_node(ir::Op::relu, "y", {}, DType::i32, {ir::Dim(kBlocks)})};
  program->views.resize(1);
  program->views[0].root = 0;
  program->steps.resize(1);
  program->steps[0] = {.node = &program->graph.nodes[0], .roots = {0}, .distinct = 0};
  program->steps[0].emitted.block_threads = 32;
  program->steps[0].emitted.block_points = 1;
  program->sources = {program->steps[0].emitted};
  auto plan = std::make_shared<runtime::Plan>();
  plan->output_shapes = {{kBlocks}};
  plan->slots = {{runtime::Slot::Kind::output, 0}};
  plan->steps = {{.step = 0, .points = kBlocks, .slot_count = 1}};
  const runtime::Target target{backend_, 0, value_or_throw(backend_->device_info(0))};
  const auto multiprocessors_of = [&](runtime::Executor& e, StreamHandle on, bool captures) {
    const DeviceTensor y(DType::i32, {kBlocks}, kDevice);
    void* const out[] = {y.view().data};
    value_or_throw(
        e.run(*plan, {where_am_i}, {}, out, {.stream = on, .is_callers_stream = true, .captures = captures}));
    value_or_throw(e.synchronize(on));
    const Tensor t = y.download();
    return std::set<std::int32_t>(t.as<std::int32_t>(), t.as<std::int32_t>() + kBlocks);
  };
  for (const bool captures : {false, true}) {
    runtime::Executor executor(program, target, {});
    value_or_throw(executor.prepare());
    const StreamHandle plain = stream();
    std::set<std::int32_t> used;
    for (int i = 0; i < 4; ++i) {
      for (const auto m : multiprocessors_of(executor, s, captures)) used.insert(m);
      EXPECT_GT(multiprocessors_of(executor, plain, captures).size(), 32u) << "a plain stream has them all";
    }
    EXPECT_LE(used.size(), green->multiprocessors());
    EXPECT_GE(used.size(), 2u);
    EXPECT_EQ(executor.graph_counts().captured, captures ? 2u : 0u);
  }
  // Whole models, with library calls: the same results.
  for (const auto strategy : {CudaGraphStrategy::disabled, CudaGraphStrategy::whole_graph_capture}) {
    ExecutionContext ctx(testing::engine_of(small_network(true)),
                         {.device = kDevice,
                          .runtime_cache = "none",
                          .cuda_graph_strategy = strategy,
                          .dynamic_shapes_kernel_specialization_strategy = kGeneric});
    std::mt19937 rng(4);
    const Tensor x = testing::random_tensor(DType::f32, {300, 64}, rng);
    const DeviceTensor in(x, kDevice), out(DType::f32, {300, 64}, kDevice);
    const TensorView a = in.view(), b = out.view();
    for (int i = 0; i < 3; ++i) ctx.execute({&a, 1}, {&b, 1}, s);
    ctx.synchronize(s);
    EXPECT_TRUE(testing::close(out.download(), value_or_throw(ir::interpret(small_network(true), {x}))[0], 1e-4));
    EXPECT_EQ(ctx.stats().graphs_captured, strategy == CudaGraphStrategy::disabled ? 0u : 1u);
  }
}

TEST_F(DeviceGraphs, ClustersFitIntoTheSmallestGreenContexts) {
  ir::Graph g;
  g.symbols["n"] = {};
  g.inputs = {g.add_value("x", DType::f32, {2, ir::Dim::symbol("n")})};
  g.outputs = {
      g.add_node(ir::Op::softmax, "y", g.inputs, DType::f32, {2, ir::Dim::symbol("n")}, {{"axis", std::int64_t{1}}})};
  std::mt19937 rng(6);
  const Tensor x = testing::random_tensor(DType::f32, {2, 100'003}, rng);
  const Tensor expected = value_or_throw(ir::interpret(g, {x}))[0];
  for (const unsigned multiprocessors : {1u, 8u, 16u}) {  // at least
    auto green = testing::GreenContext::make(multiprocessors);
    if (!green) GTEST_SKIP() << "this driver has no green contexts";
    SCOPED_TRACE(green->multiprocessors());
    const StreamHandle s = reinterpret_cast<StreamHandle>(green->stream());
    for (const auto strategy : {CudaGraphStrategy::disabled, CudaGraphStrategy::whole_graph_capture}) {
      ExecutionContext ctx(testing::engine_of(g), {.device = kDevice,
                                                   .runtime_cache = "none",
                                                   .cuda_graph_strategy = strategy,
                                                   .dynamic_shapes_kernel_specialization_strategy = kGeneric});
      const DeviceTensor in(x, kDevice), out(DType::f32, x.shape(), kDevice);
      const TensorView a = in.view(), b = out.view();
      for (int i = 0; i < 3; ++i) ctx.execute({&a, 1}, {&b, 1}, s);
      ctx.synchronize(s);
      EXPECT_TRUE(testing::close(out.download(), expected, 1e-4, 0));
      EXPECT_EQ(ctx.stats().interpreted, 0);
    }
  }
}

using DeviceKernels = DeviceGraphs;

TEST_F(DeviceKernels, ManyOperandsAndEvenMore) {
  for (const int count : {300, 700}) {
    ir::Graph g;
    g.symbols["n"] = {};
    std::mt19937 rng(8);
    std::vector<Tensor> inputs;
    for (int i = 0; i < count; ++i) {
      g.inputs.push_back(g.add_value("x" + std::to_string(i), DType::f32, {ir::Dim::symbol("n"), 2}));
      inputs.push_back(testing::random_tensor(DType::f32, {3, 2}, rng));
    }
    g.outputs = {g.add_node(ir::Op::concat, "all", g.inputs, DType::f32, {ir::Dim::symbol("n"), 2 * count},
                            {{"axis", std::int64_t{1}}})};
    ExecutionContext ctx(testing::engine_of(g), {.device = kDevice, .runtime_cache = "none"});
    std::vector<DeviceTensor> on_device;
    std::vector<TensorView> views;
    for (const auto& t : inputs) on_device.emplace_back(t, kDevice);
    for (const auto& t : on_device) views.push_back(t.view());
    const DeviceTensor y(DType::f32, {3, 2 * count}, kDevice);
    const TensorView out = y.view();
    ctx.execute(views, {&out, 1});
    EXPECT_TRUE(testing::close(y.download(), value_or_throw(ir::interpret(g, inputs))[0], 0));
    RecordProperty("interpreted", ctx.stats().interpreted);
    std::printf("%d operands: %d kernels, %d interpreted\n", count, ctx.stats().kernels, ctx.stats().interpreted);
  }
}

class DeviceMemory : public OnDevice {};

TEST_F(DeviceMemory, WeightsAreOnTheDeviceOnce) {
  ir::Graph g;
  g.symbols["n"] = {};
  std::mt19937 rng(6);
  const auto x = g.add_value("x", DType::f32, {ir::Dim::symbol("n"), 1024});
  g.inputs = {x};
  const auto w = g.add_constant("w", testing::random_tensor(DType::f32, {1024, 1024}, rng));
  g.outputs = {g.add_node(ir::Op::matmul, "product", {x, w}, DType::f32, {ir::Dim::symbol("n"), 1024})};
  constexpr std::int64_t kWeights = 4 << 20;
  const std::int64_t before = backend_->live_bytes();
  {
    const DeviceTensor in(testing::random_tensor(DType::f32, {2, 1024}, rng), kDevice),
        out(DType::f32, {2, 1024}, kDevice);
    const TensorView a = in.view(), b = out.view();
    // Two engines, so that only their contents are one.
    ExecutionContext first(testing::engine_of(g), {.device = kDevice, .runtime_cache = "none"});
    first.execute({&a, 1}, {&b, 1});
    const std::int64_t one = backend_->live_bytes() - before;
    EXPECT_GE(one, kWeights);
    EXPECT_LT(one, 2 * kWeights);
    ExecutionContext second(testing::engine_of(g), {.device = kDevice, .runtime_cache = "none"});
    second.execute({&a, 1}, {&b, 1});
    EXPECT_LT(backend_->live_bytes() - before, one + kWeights);
  }
  EXPECT_EQ(backend_->live_bytes(), before);
}

class Limited final : public Allocator {
 public:
  explicit Limited(const backend::cuda::Driver& driver) : driver_(driver) {}
  void* allocate(std::size_t bytes, StreamHandle) override {
    CUdeviceptr memory = 0;
    if (used + bytes > limit || driver_.MemAlloc(&memory, bytes) != CUDA_SUCCESS) return nullptr;
    used += bytes;
    return reinterpret_cast<void*>(memory);  // NOLINT(performance-no-int-to-ptr)
  }
  void free(void* memory, std::size_t bytes, StreamHandle) noexcept override {
    used -= bytes;
    driver_.MemFree(reinterpret_cast<CUdeviceptr>(memory));
  }
  std::size_t limit = 0;
  std::atomic<std::size_t> used{0};

 private:
  const backend::cuda::Driver& driver_;
};

TEST_F(DeviceMemory, WhatDoesNotFitIsAnErrorAndTheNextCallIsRight) {
  const auto limited = std::make_shared<Limited>(driver_);
  const ir::Graph g = small_network(true);
  std::mt19937 rng(7);
  const Tensor x = testing::random_tensor(DType::f32, {500, 64}, rng);
  const DeviceTensor in(x, kDevice), out(DType::f32, {500, 64}, kDevice);
  const TensorView a = in.view(), b = out.view();
  set_allocator(kDevice, limited);
  {
    ExecutionContext ctx(testing::engine_of(g), {.device = kDevice, .runtime_cache = "none"});
    for (const std::size_t limit : {0, 20000, 40000, 100000}) {
      limited->limit = limit;
      try {
        ctx.execute({&a, 1}, {&b, 1});
        FAIL() << "there were only " << limit << " bytes";
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::environment);
        EXPECT_NE(std::string(error.what()).find("bytes were wanted for"), std::string::npos) << error.what();
      }
    }
    limited->limit = 1 << 30;
    ctx.execute({&a, 1}, {&b, 1});
    EXPECT_TRUE(testing::close(out.download(), value_or_throw(ir::interpret(g, {x}))[0], 1e-4));
    EXPECT_GT(limited->used, 0u);
  }
  EXPECT_EQ(limited->used, 0u);
  set_allocator(kDevice, nullptr);
}

}  // namespace
}  // namespace jitney
