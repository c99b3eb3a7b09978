// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <jitney/jitney.h>

namespace jitney {
namespace {

using Specialization = DynamicShapesKernelSpecializationStrategy;

template <typename F>
std::string message_of(F f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

TEST(RuntimeSettings, Defaults) {
  const RuntimeSettings s;
  EXPECT_EQ(s.dynamic_shapes_kernel_specialization_strategy, Specialization::lazy);
  EXPECT_EQ(s.cuda_graph_strategy, CudaGraphStrategy::disabled);
  EXPECT_EQ(s.runtime_cache.path(), default_cache_path());
}

TEST(RuntimeSettings, NamesAndNumbersGoBothWays) {
  for (int i = 0; i < 3; ++i) {
    const auto s = from_underlying<Specialization>(i);
    EXPECT_EQ(static_cast<int>(s), i);
    EXPECT_EQ(from_string<Specialization>(to_string(s)), s);
  }
  for (int i = 0; i < 2; ++i) {
    const auto s = from_underlying<CudaGraphStrategy>(i);
    EXPECT_EQ(static_cast<int>(s), i);
    EXPECT_EQ(from_string<CudaGraphStrategy>(to_string(s)), s);
  }
}

TEST(RuntimeSettings, WhatIsUnknownIsNamedWithWhatIsAllowed) {
  EXPECT_EQ(message_of([] { from_string<CudaGraphStrategy>("x"); }),
            "Invalid cuda_graph_strategy: 'x'. Expected one of ['disabled', 'whole_graph_capture']");
  EXPECT_EQ(message_of([] { from_string<Specialization>(""); }),
            "Invalid dynamic_shapes_kernel_specialization_strategy: ''. Expected one of ['lazy', 'eager', 'none']");
  EXPECT_EQ(message_of([] { from_underlying<CudaGraphStrategy>(2); }),
            "Invalid cuda_graph_strategy: 2. Expected one of ['disabled', 'whole_graph_capture']");
  EXPECT_NE(message_of([] { from_underlying<Specialization>(-1); }), "");
}

TEST(RuntimeSettings, EqualByAllFields) {
  RuntimeSettings a, b;
  EXPECT_EQ(a, b);
  b.cuda_graph_strategy = CudaGraphStrategy::whole_graph_capture;
  EXPECT_NE(a, b);
  b = a;
  b.runtime_cache = RuntimeCacheSetting::memory();
  EXPECT_NE(a, b);
  a.runtime_cache = "";
  EXPECT_EQ(a, b) << "no path is memory";
}

TEST(RuntimeSettings, LinesForPeople) {
  RuntimeSettings s;
  s.runtime_cache = "kernels/";
  EXPECT_EQ(to_string(s),
            "Dynamic Shapes Kernel Strategy: lazy\nCUDA Graph Strategy: disabled\nRuntime Cache: kernels/");
  s.runtime_cache = RuntimeCacheSetting::memory();
  EXPECT_NE(to_string(s).find("Runtime Cache: <engine-local, in-memory>"), std::string::npos);
}

TEST(RuntimeSettings, AVariableThatIsWrongIsNamed) {
  ::setenv("JITNEY_CUDA_GRAPH_STRATEGY", "x", 1);
  try {
    default_runtime_settings();
    ADD_FAILURE() << "it was taken";
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::user);
    EXPECT_NE(std::string(e.what()).find("JITNEY_CUDA_GRAPH_STRATEGY: Invalid cuda_graph_strategy: 'x'"),
              std::string::npos)
        << e.what();
  }
  ::unsetenv("JITNEY_CUDA_GRAPH_STRATEGY");
}

}  // namespace
}  // namespace jitney
