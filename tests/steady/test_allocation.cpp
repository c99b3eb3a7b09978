// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// A steady execute allocates nothing. Every operator new of the process is counted here, but for those that oneDNN
// makes for itself inside a call (about nine small ones, for its table of arguments).
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <new>

#include <jitney/jitney.h>

#include "engine/engine_impl.h"
#include "passes/lower.h"

namespace {

std::atomic<bool> counting{false};
std::atomic<int> allocations{0}, library_allocations{0};

void* count_and_allocate(std::size_t bytes, std::size_t alignment, const void* caller) {
  if (counting.load(std::memory_order_relaxed)) {
    Dl_info info{};
    const bool library = dladdr(caller, &info) != 0 && info.dli_fname && std::strstr(info.dli_fname, "libdnnl");
    ++(library ? library_allocations : allocations);
  }
  void* p = nullptr;
  if (posix_memalign(&p, alignment < sizeof(void*) ? sizeof(void*) : alignment, bytes ? bytes : 1) != 0)
    throw std::bad_alloc();
  return p;
}

}  // namespace

void* operator new(std::size_t n) { return count_and_allocate(n, 16, __builtin_return_address(0)); }
void* operator new[](std::size_t n) { return count_and_allocate(n, 16, __builtin_return_address(0)); }
void* operator new(std::size_t n, std::align_val_t a) {
  return count_and_allocate(n, static_cast<std::size_t>(a), __builtin_return_address(0));
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

namespace jitney {
namespace {

using ir::Dim;
using ir::Op;

Tensor filled(std::vector<std::int64_t> shape) {
  Tensor t(DType::f32, std::move(shape));
  for (std::int64_t i = 0; i < t.num_elements(); ++i) t.as<float>()[i] = static_cast<float>(i % 7) / 8;
  return t;
}

/// A strided convolution (the library's), one of 3x3 and a product (our own), an activation and a mean (generated).
Engine small_network() {
  ir::Graph g;
  g.symbols["n"] = {};
  const Dim n = Dim::symbol("n");
  auto conv = [&](ir::ValueId x, std::int64_t c, std::int64_t o, std::int64_t stride, const ir::Shape& out) {
    return g.add_node(Op::conv, "conv",
                      {x, g.add_constant("w" + std::to_string(g.values.size()), filled({o, c, 3, 3}))}, DType::f32, out,
                      {{"strides", std::vector<std::int64_t>{stride, stride}},
                       {"dilations", std::vector<std::int64_t>{1, 1}},
                       {"pads", std::vector<std::int64_t>{1, 1, 1, 1}},
                       {"groups", std::int64_t{1}}});
  };
  g.inputs = {g.add_value("x", DType::f32, {n, 3, 64, 64})};
  ir::ValueId a = conv(g.inputs[0], 3, 64, 2, {n, 64, 32, 32});
  ir::ValueId b = conv(g.add_node(Op::relu, "relu", {a}, DType::f32, {n, 64, 32, 32}), 64, 64, 1, {n, 64, 32, 32});
  ir::ValueId mean = g.add_node(Op::reduce_mean, "mean", {b}, DType::f32, {n, 64},
                                {{"axes", std::vector<std::int64_t>{2, 3}}, {"keepdims", std::int64_t{0}}});
  ir::ValueId wide =
      g.add_node(Op::matmul, "wide", {mean, g.add_constant("v", filled({64, 128}))}, DType::f32, {n, 128});
  ir::ValueId y = g.add_node(Op::matmul, "y", {wide, g.add_constant("u", filled({128, 64}))}, DType::f32, {n, 64});
  g.outputs = {g.add_node(Op::gelu_erf, "gelu", {y}, DType::f32, {n, 64})};
  return Engine(std::make_shared<EngineImpl>(value_or_throw(passes::optimize(g))));
}

/// The fewest of three rounds: a thread that reaps compilers, now and then, is not what is asked about.
int allocations_of(const std::function<void()>& work) {
  int fewest = 1 << 30;
  for (int round = 0; round < 3; ++round) {
    const int before = allocations.load();
    counting = true;
    for (int i = 0; i < 10; ++i) work();
    counting = false;
    fewest = std::min(fewest, allocations.load() - before);
  }
  return fewest;
}

TEST(Steady, AnExecuteAllocatesNothing) {
  ExecutionContext context(small_network(), {.runtime_cache = "none"});
  const Tensor one = filled({1, 3, 64, 64}), two = filled({2, 3, 64, 64});
  Tensor y1 = filled({1, 64}), y2 = filled({2, 64});
  const std::vector<TensorView> in1{one.view()}, in2{two.view()}, out1{y1.view()}, out2{y2.view()};
  for (int i = 0; i < 2; ++i) {  // both shapes are seen before it counts
    context.execute(in1, out1);
    context.execute(in2, out2);
  }
  ASSERT_TRUE(context.wait_until_specialized(60)) << "compiling in the background allocates";
  context.execute(in1, out1);
  context.execute(in2, out2);
  ASSERT_GT(context.stats().library_calls, 2);
  EXPECT_EQ(allocations_of([&] {
              context.execute(in1, out1);
              context.execute(in2, out2);
            }),
            0);
  bool uses_onednn = false;
  for (const auto& step : context.profile(in1, 1).steps)
    uses_onednn = uses_onednn || step.done_by.starts_with("jit") || step.done_by.starts_with("brg");
  if (uses_onednn) {
    EXPECT_GT(library_allocations.load(), 0) << "oneDNN's are seen, so that ours would be, too";
  }
}

TEST(Steady, AnExecuteAllocatesNothingWhileATraceIsOn) {
  ExecutionContext context(small_network(), {.runtime_cache = "none"});
  const Tensor x = filled({1, 3, 64, 64});
  Tensor y = filled({1, 64});
  const std::vector<TensorView> in{x.view()}, out{y.view()};
  for (int i = 0; i < 2; ++i) context.execute(in, out);
  const std::string path = ::testing::TempDir() + "steady-trace.json";
  Trace trace(path);
  EXPECT_EQ(allocations_of([&] {
              const CorrelationId id("request");
              context.execute(in, out);
            }),
            0);
  EXPECT_TRUE(is_tracing());
  trace.stop();
  std::remove(path.c_str());
}

TEST(Steady, TheCountWorks) {
  EXPECT_EQ(allocations_of([] { delete new std::string(100, 'x'); }), 20);
}

}  // namespace
}  // namespace jitney
