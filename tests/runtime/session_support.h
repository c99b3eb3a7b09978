// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/session.h>

#include <unistd.h>
#include <filesystem>

#include "support.h"

namespace jitney::testing {

/// softmax over [n, m] and a sum: kernels that are better when shapes are known.
inline Engine softmax_engine() {
  ir::Graph g;
  g.symbols["n"] = {};
  g.symbols["m"] = {};
  const std::vector<ir::Dim> shape{ir::Dim::symbol("n"), ir::Dim::symbol("m")};
  const auto x = g.add_value("x", DType::f32, shape);
  g.inputs.push_back(x);
  const auto s = g.add_node(ir::Op::softmax, "s", {x}, DType::f32, shape, {{"axis", std::int64_t{1}}});
  g.outputs.push_back(g.add_node(ir::Op::add, "y", {s, x}, DType::f32, shape));
  return engine_of(g);
}

inline RuntimeSettings settings_with(RuntimeCacheSetting cache) {
  RuntimeSettings s;
  s.dynamic_shapes_kernel_specialization_strategy = DynamicShapesKernelSpecializationStrategy::none;
  s.runtime_cache = std::move(cache);
  return s;
}

/// How many kernels a packed file holds. (A compiler's identity may be kept beside them.)
inline std::size_t kernels_at(const std::string& path) {
  RuntimeCache cache(path);
  cache.load();
  std::size_t count = 0;
  for (const auto& entry : cache.entries()) count += entry.fields.contains("source");
  return count;
}

/// A folder of its own, and runs that are compared with an engine that keeps to generic kernels.
class SessionTest : public ::testing::Test {
 protected:
  SessionTest() { std::filesystem::create_directories(folder_); }
  ~SessionTest() override { std::filesystem::remove_all(folder_); }

  static Engine engine() { return softmax_engine(); }
  std::string path(const std::string& name) const { return folder_ / name; }

  std::vector<Tensor> input(std::int64_t n, std::int64_t m) {
    std::vector<Tensor> t;
    t.push_back(random_tensor(DType::f32, {n, m}, rng_));
    return t;
  }
  Tensor reference(const std::vector<Tensor>& x) { return std::move(reference_.execute(views(x))[0]); }
  void run(Session& session, std::int64_t n, std::int64_t m) {
    const auto x = input(n, m);
    EXPECT_TRUE(close(session.execute(views(x))[0], reference_.execute(views(x))[0], 1e-5)) << n << "x" << m;
  }

 private:
  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("jitney-session-" + std::to_string(::getpid()) + "-" +
                                                ::testing::UnitTest::GetInstance()->current_test_info()->name());
  std::mt19937 rng_{5};
  Session reference_{engine(), {}, settings_with(RuntimeCacheSetting::memory())};
};

}  // namespace jitney::testing
