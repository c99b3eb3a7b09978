// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <vector>

#include "backend/cuda/driver.h"
#include "backend/registry.h"
#include "compiler/compiler.h"
#include "runtime/support.h"

namespace jitney::testing {

/// Tests on a real device, skipped where there is none, unless JITNEY_TEST_GPU=required. What a program does on its own
/// streams is done through the backend.
class OnDevice : public ::testing::Test {
 protected:
  static constexpr Device kDevice{Device::Type::cuda, 0};

  void SetUp() override {
    auto loaded = backend::load_backend("cuda");
    if (!loaded || (*loaded)->device_count() == 0) {
      const char* required = std::getenv("JITNEY_TEST_GPU");
      if (required != nullptr && std::string_view(required) == "required") FAIL() << "there is no GPU";
      GTEST_SKIP() << "there is no GPU";
    }
    backend_ = *loaded;
    driver_ = value_or_throw(backend::cuda::open_driver());
    value_or_throw(backend_->synchronize(0, 0));  // this thread has the context now
  }
  void TearDown() override {
    if (backend_ == nullptr) return;
    for (auto s : streams_) backend_->destroy_stream(0, s);
    for (auto m : modules_) backend_->unload(0, m);
  }

  StreamHandle stream() { return streams_.emplace_back(value_or_throw(backend_->create_stream(0, {}))); }
  /// A kernel of the program's own: CUDA C++ by the rules of kernel_abi.h, called "own".
  backend::KernelHandle own_kernel(const std::string& source) {
    static auto compiler = compiler::make_compiler({.language = backend::SourceLanguage::cuda});
    const auto info = value_or_throw(backend_->device_info(0));
    auto made = compiler->compile(
        {.language = backend::SourceLanguage::cuda, .name = "own", .source = source, .options = info.compiler_options});
    if (!made) throw Error(ErrorKind::environment, made.error().message);
    modules_.push_back(value_or_throw(backend_->load(0, made->binary)));
    return value_or_throw(backend_->kernel(0, modules_.back(), "own"));
  }
  /// Takes its time, then fills n floats with a value.
  backend::KernelHandle slow_fill() {
    return own_kernel(R"(
struct Args { float* x; long long n, value, ns, begin, end; int* fault; };
extern "C" __global__ void own(Args a) {
  unsigned long long start, now;
  asm volatile("mov.u64 %0, %globaltimer;" : "=l"(start));
  do asm volatile("mov.u64 %0, %globaltimer;" : "=l"(now)); while (now - start < (unsigned long long)a.ns);
  for (long long i = threadIdx.x; i < a.n; i += blockDim.x) a.x[i] = (float)a.value;
})");
  }
  void fill(backend::KernelHandle kernel, void* x, std::int64_t n, std::int64_t value, double seconds,
            StreamHandle stream) {
    const std::int64_t numbers[] = {n, value, static_cast<std::int64_t>(seconds * 1e9)};
    value_or_throw(backend_->launch(0, kernel,
                                    {.pointers = &x,
                                     .numbers = numbers,
                                     .pointer_count = 1,
                                     .number_count = 3,
                                     .end = 1,
                                     .block_threads = 256,
                                     .block_points = 256},
                                    stream));
  }

  backend::Backend* backend_ = nullptr;
  backend::cuda::Driver driver_;
  std::vector<StreamHandle> streams_;
  std::vector<backend::ModuleHandle> modules_;
};

/// y = softmax(3 relu(x)) + x over [n, 64]: generated kernels only. With `product`, x goes through a matrix first and y
/// through another: library calls read the input and write the output.
inline ir::Graph small_network(bool product = false) {
  using ir::Op;
  ir::Graph g;
  const ir::Shape shape = {ir::Dim::symbol("n"), 64};
  g.symbols["n"] = {};
  std::mt19937 rng(3);
  const auto weights = [&](const char* name) {
    Tensor w = random_tensor(DType::f32, {64, 64}, rng);
    for (int i = 0; i < 64 * 64; ++i) w.as<float>()[i] *= 0.1f;
    return g.add_constant(name, w);
  };
  auto x = g.add_value("x", DType::f32, shape);
  g.inputs = {x};
  if (product) x = g.add_node(Op::matmul, "in", {x, weights("w1")}, DType::f32, shape);
  auto y = g.add_node(Op::relu, "relu", {x}, DType::f32, shape);
  y = g.add_node(Op::softmax, "softmax", {y}, DType::f32, shape, {{"axis", std::int64_t{1}}});
  y = g.add_node(Op::add, "sum", {y, x}, DType::f32, shape);
  if (product) y = g.add_node(Op::matmul, "out", {y, weights("w2")}, DType::f32, shape);
  g.outputs = {y};
  return g;
}

}  // namespace jitney::testing
