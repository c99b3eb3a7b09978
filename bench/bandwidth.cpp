// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// How near elementwise kernels come to the memory's bandwidth: STREAM's copy, add and triad, with plain and with
// non-temporal stores, beside generated kernels on tensors far larger than any cache, in turns. Bytes are counted as
// STREAM does: each array once. Prints one JSON object: GB/s, and each kernel's ratio to the better of STREAM's loops.
// Usage: jitney-bench-bandwidth [MIB OF ONE TENSOR [ROUNDS [THREADS]]]
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <jitney/jitney.h>

#include "engine/engine_impl.h"
#include "ir/graph.h"
#include "passes/lower.h"
#include "passes/rewrite.h"

namespace {

using namespace jitney;
using ir::Op;
using ir::ValueId;

/// f over [0, n) in equal parts that begin at cache lines.
template <class F>
void in_parallel(std::int64_t n, int threads, F f) {
#pragma omp parallel num_threads(threads)
  {
    const std::int64_t part = (n / threads + 15) / 16 * 16, begin = std::min(n, part * omp_get_thread_num());
    f(begin, std::min(n, begin + part));
  }
}

struct Arrays {
  const float *a, *b;
  float* c;
  std::int64_t n;
  int threads;
};

void plain(const Arrays& x, int kind) {
  in_parallel(x.n, x.threads, [&](std::int64_t begin, std::int64_t end) {
    if (kind == 0)
      for (std::int64_t i = begin; i < end; ++i) x.c[i] = x.a[i];
    else if (kind == 1)
      for (std::int64_t i = begin; i < end; ++i) x.c[i] = x.a[i] + x.b[i];
    else
      for (std::int64_t i = begin; i < end; ++i) x.c[i] = x.a[i] + 3.0F * x.b[i];
  });
}

/// The same with stores that do not read the line first. Where there are none: the same.
void streaming(const Arrays& x, int kind) {
#if defined(__x86_64__)
  in_parallel(x.n, x.threads, [&](std::int64_t begin, std::int64_t end) {
    const __m128 three = _mm_set1_ps(3.0F);
    for (std::int64_t i = begin; i + 4 <= end; i += 4) {
      __m128 v = _mm_loadu_ps(x.a + i);
      if (kind == 1) v = _mm_add_ps(v, _mm_loadu_ps(x.b + i));
      if (kind == 2) v = _mm_add_ps(v, _mm_mul_ps(three, _mm_loadu_ps(x.b + i)));
      _mm_stream_ps(x.c + i, v);
    }
    _mm_sfence();
  });
#else
  plain(x, kind);
#endif
}

struct Kernel {
  std::string name;
  int stream;  ///< the loop of STREAM that moves as much
  int arrays;
  std::function<ValueId(ir::Graph&, ValueId, ValueId)> build;
};

/// The context that runs one kernel on tensors of one axis.
ExecutionContext context_of(const Kernel& kernel, int threads) {
  ir::Graph g;
  g.symbols["n"] = {};
  const ir::Shape shape{ir::Dim::symbol("n")};
  const ValueId a = g.add_value("a", DType::f32, shape);
  g.inputs = {a};
  ValueId b = a;
  if (kernel.arrays == 3) g.inputs.push_back(b = g.add_value("b", DType::f32, shape));
  g.outputs = {kernel.build(g, a, b)};
  ContextOptions options{.runtime_cache = "none"};
  options.threads = threads;
  return ExecutionContext(Engine(std::make_shared<EngineImpl>(value_or_throw(passes::optimize(g)))), options);
}

double seconds(const std::function<void()>& f) {
  const auto begin = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

ValueId scalar(ir::Graph& g, float value) {
  Tensor t(DType::f32, {});
  *t.as<float>() = value;
  return g.add_constant("c", t);
}

}  // namespace

int main(int argc, char** argv) {
  const std::int64_t mib = argc > 1 ? std::atoll(argv[1]) : 256;
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 9, threads = argc > 3 ? std::atoi(argv[3]) : 2;
  const std::int64_t n = mib * 1024 * 1024 / 4;
  const ir::Shape shape{ir::Dim::symbol("n")};
  auto unary = [&](Op op) {
    return [=](ir::Graph& g, ValueId a, ValueId) { return g.add_node(op, "y", {a}, DType::f32, shape); };
  };
  const std::vector<Kernel> kernels = {
      {"neg", 0, 2, unary(Op::neg)},
      {"gelu", 0, 2, unary(Op::gelu_erf)},
      {"add", 1, 3,
       [&](ir::Graph& g, ValueId a, ValueId b) { return g.add_node(Op::add, "y", {a, b}, DType::f32, shape); }},
      {"triad", 2, 3, [&](ir::Graph& g, ValueId a, ValueId b) {
         const ValueId p = g.add_node(Op::mul, "p", {b, scalar(g, 3)}, DType::f32, shape);
         return g.add_node(Op::add, "y", {a, p}, DType::f32, shape);
       }}};
  Tensor a(DType::f32, {n}), b(DType::f32, {n}), c(DType::f32, {n});
  for (Tensor* t : {&a, &b, &c}) std::fill_n(t->as<float>(), n, 1.5F);
  const Arrays arrays{a.as<float>(), b.as<float>(), c.as<float>(), n, threads};
  std::vector<ExecutionContext> contexts;
  for (const auto& k : kernels) contexts.push_back(context_of(k, threads));

  const std::vector<TensorView> one{a.view()}, two{a.view(), b.view()}, out{c.view()};
  std::vector<double> stream(6, 1e9), jitney(kernels.size(), 1e9);
  for (int round = 0; round < rounds; ++round) {
    for (int i = 0; i < 6; ++i)
      stream[static_cast<std::size_t>(i)] =
          std::min(stream[static_cast<std::size_t>(i)], seconds([&] { (i < 3 ? plain : streaming)(arrays, i % 3); }));
    for (std::size_t k = 0; k < kernels.size(); ++k)
      jitney[k] = std::min(jitney[k], seconds([&] { contexts[k].execute(kernels[k].arrays == 2 ? one : two, out); }));
  }
  const double bytes = static_cast<double>(n) * 4;
  nlohmann::ordered_json report = {{"mib", mib}, {"threads", threads}, {"rounds", rounds}};
  const char* names[] = {"copy", "add", "triad"};
  for (std::size_t i = 0; i < 6; ++i)
    report["stream"][names[i % 3]][i < 3 ? "plain" : "non_temporal"] = bytes * (i % 3 == 0 ? 2 : 3) / stream[i] / 1e9;
  for (std::size_t k = 0; k < kernels.size(); ++k) {
    const auto s = static_cast<std::size_t>(kernels[k].stream);
    report["kernels"][kernels[k].name] = {{"gb_per_second", bytes * kernels[k].arrays / jitney[k] / 1e9},
                                          {"stream", names[s]},
                                          {"ratio", std::min(stream[s], stream[s + 3]) / jitney[k]}};
  }
  std::cout << report.dump(1) << "\n";
}
