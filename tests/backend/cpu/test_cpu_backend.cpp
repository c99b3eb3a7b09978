// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <fstream>
#include <limits>
#include <thread>

#include "backend/conformance.h"
#include "backend/cpu/denormals.h"
#include "backend/cpu/parallel_for.h"
#include "backend/registry.h"

namespace jitney::backend {
namespace {

class Cpu : public testing::Test {
 protected:
  void SetUp() override {
    backend_ = value_or_throw(load_backend("cpu"));
    module_ = value_or_throw(backend_->load(0, read_test_binary("kernels.so")));
  }
  void TearDown() override { backend_->unload(0, module_); }
  KernelHandle find(const char* name) { return value_or_throw(backend_->kernel(0, module_, name)); }
  StreamHandle stream(int threads) { return value_or_throw(backend_->create_stream(0, {.threads = threads})); }

  Backend* backend_ = nullptr;
  ModuleHandle module_ = 0;
};

TEST_F(Cpu, DescribesC) {
  const auto info = value_or_throw(backend_->device_info(0));
  EXPECT_EQ(info.language, SourceLanguage::c);
  ASSERT_GE(info.compiler_options.size(), 4u);
  EXPECT_EQ(info.compiler_options[0], "-triple");
  EXPECT_EQ(info.compiler_options[2], "-target-cpu");
}

TEST_F(Cpu, KernelsFindTheMathematicalFunctions) {
  const float x = 0.5f;
  float y = 0;
  void* const pointers[] = {const_cast<float*>(&x), &y};
  ASSERT_TRUE(backend_->launch(0, find("tangent"), {.pointers = pointers, .end = 1}, 0));
  EXPECT_NEAR(y, std::tan(0.5) + std::atan(0.5), 1e-6);
}

TEST_F(Cpu, KernelsReportFaults) {
  std::int32_t fault = 0;
  ASSERT_TRUE(backend_->launch(0, find("report_fault"), {.end = 100, .fault = &fault}, stream(2)));
  EXPECT_EQ(fault, 1);
}

TEST_F(Cpu, EachThreadGetsAtLeastTheGrain) {
  for (const std::int64_t size : {1, 99, 100, 199, 200, 1000}) {
    for (const int threads : {1, 2, 5}) {
      std::int64_t shortest = std::numeric_limits<std::int64_t>::max();
      void* const pointers[] = {&shortest};
      ASSERT_TRUE(
          backend_->launch(0, find("shortest"), {.pointers = pointers, .end = size, .grain = 100}, stream(threads)));
      EXPECT_GE(shortest, std::min<std::int64_t>(size, 100)) << size << " on " << threads;
      if (threads > 1 && size >= 200) {
        EXPECT_LT(shortest, size) << "nothing went parallel";
      }
    }
  }
}

TEST_F(Cpu, DenormalsAreFlushedOnEveryThreadAndTheModeComesBack) {
  const std::size_t n = 1000;
  const float tiny = std::numeric_limits<float>::denorm_min() * 1000;
  std::vector<float> x(n, tiny), y(n, 1);
  void* const pointers[] = {x.data(), y.data()};
  ASSERT_TRUE(
      backend_->launch(0, find("twice"), {.pointers = pointers, .end = static_cast<std::int64_t>(n)}, stream(2)));
  EXPECT_EQ(std::ranges::count(y, 0.0f), static_cast<std::ptrdiff_t>(n));
  volatile float input = tiny;
  const float doubled = input * 2;
  EXPECT_NE(std::bit_cast<std::uint32_t>(doubled), 0u) << "the caller's mode was changed";
}

TEST_F(Cpu, ACallersFlushingModeStays) {
  const FlushDenormals mine(true);
  volatile float input = std::numeric_limits<float>::denorm_min() * 1000;
  float x[2] = {1, 2}, y[2] = {};
  void* const pointers[] = {x, y};
  ASSERT_TRUE(backend_->launch(0, find("twice"), {.pointers = pointers, .end = 2}, 0));
  EXPECT_EQ(y[1], 4);
  const float doubled = input * 2;
  EXPECT_EQ(std::bit_cast<std::uint32_t>(doubled), 0u);
}

TEST_F(Cpu, UnloadWaitsForTheLaunchInside) {
  const auto mapped_modules = [] {
    std::ifstream maps("/proc/self/maps");
    int count = 0;
    for (std::string line; std::getline(maps, line);) count += line.find("jitney-kernel") != std::string::npos;
    return count;
  };
  const int before = mapped_modules();
  ASSERT_GT(before, 0);
  const auto kernel = find("hold");
  std::int32_t cells[2] = {};
  void* const pointers[] = {cells};
  std::thread launcher([&] { EXPECT_TRUE(backend_->launch(0, kernel, {.pointers = pointers, .end = 1}, 0)); });
  while (std::atomic_ref(cells[0]).load() == 0) std::this_thread::yield();
  backend_->unload(0, module_);
  EXPECT_EQ(mapped_modules(), before) << "code was unmapped under a running launch";
  EXPECT_FALSE(backend_->launch(0, kernel, {.pointers = pointers, .end = 1}, 0)) << "no new launch after unload";
  std::atomic_ref(cells[1]).store(1);
  launcher.join();
  EXPECT_LT(mapped_modules(), before) << "the last launch closes the module";
}

TEST_F(Cpu, ModulesHoldNoDescriptors) {
  const auto open_descriptors = [] {
    int count = 0;
    DIR* folder = opendir("/proc/self/fd");
    while (readdir(folder) != nullptr) ++count;  // NOLINT(concurrency-mt-unsafe)
    closedir(folder);
    return count;
  };
  const int before = open_descriptors();
  std::vector<ModuleHandle> modules;
  for (int i = 0; i < 20; ++i) modules.push_back(value_or_throw(backend_->load(0, read_test_binary("kernels.so"))));
  EXPECT_EQ(open_descriptors(), before);
  for (const auto module : modules) backend_->unload(0, module);
}

TEST_F(Cpu, NamesOfOtherLibrariesAreNoKernels) {
  EXPECT_FALSE(backend_->kernel(0, module_, "tanf"));
  EXPECT_FALSE(backend_->kernel(0, module_, "malloc"));
}

TEST_F(Cpu, ForgedHandlesAreErrors) {
  for (const KernelHandle handle :
       {KernelHandle{1}, KernelHandle{0xdeadbeef}, ~KernelHandle{0}, KernelHandle{module_}}) {
    EXPECT_FALSE(backend_->launch(0, handle, {.end = 1}, 0));
    EXPECT_FALSE(backend_->kernel(0, handle ^ 0x0fffffffffffffff, "count"));
  }
}

TEST(ParallelFor, NestedCallsRunOnTheirThread) {
  struct Context {
    std::atomic<int> outer = 0, inner = 0;
    std::atomic<bool> strayed = false;
  } context;
  parallel_for(
      4, 0, 4, 1,
      [](void* c, std::int64_t begin, std::int64_t end) {
        auto& outer = *static_cast<Context*>(c);
        outer.outer += static_cast<int>(end - begin);
        struct Inner {
          Context* context;
          std::thread::id thread;
        } inner{&outer, std::this_thread::get_id()};
        parallel_for(
            4, 0, 100, 1,
            [](void* i, std::int64_t b, std::int64_t e) {
              auto& self = *static_cast<Inner*>(i);
              self.context->inner += static_cast<int>(e - b);
              if (std::this_thread::get_id() != self.thread) self.context->strayed = true;
            },
            &inner);
      },
      &context);
  EXPECT_EQ(context.outer, 4);
  EXPECT_GE(context.inner, 100);
  EXPECT_EQ(context.inner % 100, 0);
  EXPECT_FALSE(context.strayed);
}

TEST(ParallelFor, TheWholeRangeOfIntegers) {
  struct Context {
    std::atomic<std::uint64_t> total = 0;
    std::atomic<int> calls = 0;
  } context;
  const auto add = [](void* c, std::int64_t begin, std::int64_t end) {
    auto& self = *static_cast<Context*>(c);
    EXPECT_LT(begin, end);
    self.total += static_cast<std::uint64_t>(end) - static_cast<std::uint64_t>(begin);
    ++self.calls;
  };
  parallel_for(3, std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max(), 1, add, &context);
  EXPECT_EQ(context.total, std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(context.calls, 3);
}

}  // namespace
}  // namespace jitney::backend
