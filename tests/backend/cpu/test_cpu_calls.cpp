// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// What is special about the CPU's library calls; the rest is in test_calls.cpp.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "backend/calls.h"
#include "backend/conformance.h"
#include "backend/cpu/denormals.h"
#include "backend/cpu/parallel_for.h"
#include "backend/registry.h"

#ifndef JITNEY_TSAN
extern "C" int omp_get_max_threads();
extern "C" void omp_set_num_threads(int threads);
#endif

namespace jitney::backend {
namespace {

class CpuCalls : public testing::Test {
 protected:
  void SetUp() override {
    backend_ = value_or_throw(load_backend("cpu"));
    if (std::getenv("JITNEY_TEST_CHILD") == nullptr && !backend_->offers(0, some_pooling())) {
      GTEST_SKIP() << "this build has no oneDNN";
    }
  }
  StreamHandle stream(int threads) { return value_or_throw(backend_->create_stream(0, {.threads = threads})); }
  std::string diagnosis() const {
    std::string text;
    for (const auto& line : backend_->diagnose()) text += line + "\n";
    return text;
  }

  Backend* backend_ = nullptr;
};

/// Runs one test of this program in another process and environment; gives what it wrote, or "" when it passed.
std::string run_test(const std::string& environment, const std::string& test) {
  const std::string log = JITNEY_TEST_OUTPUT "/" + test + ".log";
  const std::string command =
      "JITNEY_TEST_CHILD=1 " + environment + " '" + std::filesystem::read_symlink("/proc/self/exe").string() +
      "' --gtest_also_run_disabled_tests --gtest_filter='CpuCalls.DISABLED_" + test + "' > '" + log + "' 2>&1";
  if (std::system(command.c_str()) == 0) return "";  // NOLINT(concurrency-mt-unsafe,cert-env33-c)
  std::ifstream file(log);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_F(CpuCalls, OffersWhatModelsConsistOf) {
  EXPECT_TRUE(backend_->offers(0, some_convolution()));
  EXPECT_TRUE(backend_->offers(0, some_matmul()));
  EXPECT_TRUE(backend_->offers(0, some_pooling()));
  EXPECT_NE(diagnosis().find("oneDNN 3."), std::string::npos) << diagnosis();
}

struct Layer {
  std::int64_t c, extent, o, kernel, stride, groups;
};

TEST_F(CpuCalls, NoLayerOfACommonNetworkIsAReferenceImplementation) {
  const Layer layers[] = {
      {3, 224, 64, 7, 2, 1},    {64, 56, 64, 3, 1, 1},   {64, 56, 128, 3, 2, 1},    {64, 56, 128, 1, 2, 1},
      {128, 28, 128, 3, 1, 1},  {256, 14, 256, 3, 1, 1}, {256, 14, 512, 1, 2, 1},   {512, 7, 512, 3, 1, 1},
      {64, 56, 256, 1, 1, 1},   {256, 56, 64, 1, 1, 1},  {2048, 7, 512, 1, 1, 1},   {3, 224, 32, 3, 2, 1},
      {32, 112, 32, 3, 1, 32},  {32, 112, 16, 1, 1, 1},  {16, 112, 96, 1, 1, 1},    {96, 112, 96, 3, 2, 96},
      {96, 56, 24, 1, 1, 1},    {144, 56, 24, 1, 1, 1},  {144, 56, 144, 3, 1, 144}, {576, 14, 576, 3, 1, 576},
      {960, 7, 960, 3, 1, 960}, {960, 7, 320, 1, 1, 1},  {320, 7, 1280, 1, 1, 1},   {3, 224, 768, 16, 16, 1}};
  for (const auto& l : layers) {
    const std::int64_t pad = l.kernel == 16 ? 0 : l.kernel / 2;
    const std::int64_t out = (l.extent + 2 * pad - l.kernel) / l.stride + 1;
    for (const bool has_residual : {false, true}) {
      ConvolutionCall call{.x = tensor({1, l.extent, l.extent, l.c}),
                           .w = tensor({l.o, l.c / l.groups, l.kernel, l.kernel}),
                           .y = tensor({1, out, out, l.o}),
                           .strides = {l.stride, l.stride},
                           .dilations = {1, 1},
                           .pads_begin = {pad, pad},
                           .pads_end = {pad, pad},
                           .groups = l.groups,
                           .has_bias = true,
                           .constant_w = true};
      if (has_residual) call.epilogue.push_back({.kind = PostOp::Kind::add_operand, .operand = call.y});
      call.epilogue.push_back({.kind = PostOp::Kind::relu});
      const auto primitive = backend_->plan(0, call, {});
      ASSERT_TRUE(primitive) << primitive.error().message;
      EXPECT_FALSE((*primitive)->is_reference()) << describe(call) << " " << (*primitive)->implementation();
      EXPECT_EQ((*primitive)->implementation().find(" + "), std::string::npos)
          << "an epilogue of its own: " << describe(call) << " " << (*primitive)->implementation();
    }
  }
}

TEST_F(CpuCalls, DenormalsAreFlushedOnEveryThreadAndTheModeComesBack) {
  // Large enough for both threads; every product is denormal.
  MatMulCall call{.a = tensor({64, 512}), .b = tensor({512, 512}), .c = tensor({64, 512})};
  Values values{std::vector<double>(64 * 512, 0x1p-100), std::vector<double>(512 * 512, 0x1p-40),
                std::vector<double>(64 * 512, 1)};
  const auto ready = value_or_throw(ReadyCall::make(backend_, call, values, {.stream = stream(2)}));
  ASSERT_TRUE(ready->run());
  const auto result = ready->fetch();
  EXPECT_EQ(std::ranges::count(result, 0.0), static_cast<std::ptrdiff_t>(result.size()));
  std::atomic<int> kept = 0;
  parallel_for(
      2, 0, 2, 1,
      [](void* count, std::int64_t begin, std::int64_t end) {
        volatile float input = 0x1p-140f;
        const float doubled = input * 2;
        if (std::bit_cast<std::uint32_t>(doubled) != 0)
          *static_cast<std::atomic<int>*>(count) += static_cast<int>(end - begin);
      },
      &kept);
  EXPECT_EQ(kept, 2) << "a thread kept the flushing mode";
}

TEST_F(CpuCalls, DenormalsAreKeptOnRequest) {
  MatMulCall call{.a = tensor({64, 512}), .b = tensor({512, 512}), .c = tensor({64, 512})};
  for (const bool constant : {false, true}) {
    call.constant_b = constant;  // the library's code, and ours
    Values values{std::vector<double>(64 * 512, 0x1p-100), std::vector<double>(512 * 512, 0x1p-40),
                  std::vector<double>(64 * 512, 1)};
    for (const int threads : {1, 2}) {
      const auto keep = value_or_throw(backend_->create_stream(0, {.threads = threads, .keep_denormals = true}));
      const auto ready = value_or_throw(ReadyCall::make(backend_, call, values, {.stream = keep}));
      {
        const FlushDenormals callers(true);
        ASSERT_TRUE(ready->run());
        EXPECT_TRUE(FlushDenormals::is_set()) << "the caller's mode is its own";
      }
      const auto result = ready->fetch();
      EXPECT_EQ(std::ranges::count(result, 512 * 0x1p-140), static_cast<std::ptrdiff_t>(result.size()))
          << ready->primitive().implementation() << ", threads: " << threads;
    }
  }
}

#ifndef JITNEY_TSAN
TEST_F(CpuCalls, TheCallersNumberOfThreadsComesBack) {
  std::mt19937 random(1);
  const LibraryCall call = some_convolution();
  const auto values = random_values(call, random);
  const int before = omp_get_max_threads();
  for (const int mine : {1, 3}) {
    omp_set_num_threads(mine);
    for (const int threads : {1, 2, 4}) {
      const auto ready = value_or_throw(ReadyCall::make(backend_, call, values, {.stream = stream(threads)}));
      ASSERT_TRUE(ready->run());
      EXPECT_EQ(compare(call, ready->fetch(), reference(call, values)), "");
      EXPECT_EQ(omp_get_max_threads(), mine);
    }
  }
  omp_set_num_threads(before);
}
#endif

TEST_F(CpuCalls, RunsInsideAParallelRegionOfTheCaller) {
  std::mt19937 random(1);
  auto call = some_convolution();
  call.epilogue = {{.kind = PostOp::Kind::add_operand, .operand = call.y}};
  const auto values = random_values(call, random);
  struct Context {
    LibraryCall call;
    std::vector<std::unique_ptr<ReadyCall>> ready;
    std::vector<double> expected;
    std::atomic<int> right = 0;
  } context{call, {}, reference(call, values)};
  for (int i = 0; i < 2; ++i) {
    context.ready.push_back(value_or_throw(ReadyCall::make(backend_, call, values, {.stream = stream(2)})));
  }
  parallel_for(
      2, 0, 2, 1,
      [](void* data, std::int64_t begin, std::int64_t end) {
        auto& c = *static_cast<Context*>(data);
        for (; begin < end; ++begin) {
          auto& ready = *c.ready[static_cast<std::size_t>(begin)];
          if (ready.run() && compare(c.call, ready.fetch(), c.expected).empty()) ++c.right;
        }
      },
      &context);
  EXPECT_EQ(context.right, 2);
}

TEST_F(CpuCalls, DISABLED_KeepsToTheTarget) {
  ASSERT_TRUE(backend_->offers(0, some_pooling()));
  const auto primitive = value_or_throw(backend_->plan(0, some_pooling(), {}));
  EXPECT_NE(primitive->implementation().find("avx2"), std::string::npos) << primitive->implementation();
  auto half = some_convolution();
  half.x.dtype = half.w.dtype = half.y.dtype = DType::bf16;
  EXPECT_FALSE(backend_->offers(0, half));
}

TEST_F(CpuCalls, DISABLED_TheLowestTargetHasNoLibrary) {
  EXPECT_FALSE(backend_->offers(0, some_pooling()));
  EXPECT_NE(diagnosis().find("x86-64-v2"), std::string::npos) << diagnosis();
}

TEST_F(CpuCalls, DISABLED_SaysThatTheLibraryIsMissing) {
  EXPECT_FALSE(backend_->offers(0, some_pooling()));
  const auto primitive = backend_->plan(0, some_pooling(), {});
  ASSERT_FALSE(primitive);
  EXPECT_EQ(primitive.error().kind, ErrorKind::environment);
  EXPECT_NE(diagnosis().find("libdnnl.so.3"), std::string::npos) << diagnosis();
}

TEST_F(CpuCalls, ATargetLimitsTheLibrary) {
  if (value_or_throw(backend_->device_info(0)).target_key.find("x86-64-v4") == std::string::npos) {
    GTEST_SKIP() << "this CPU has no lower target to go to";
  }
  EXPECT_EQ(run_test("JITNEY_CPU_TARGET=x86-64-v3", "KeepsToTheTarget"), "");
  EXPECT_EQ(run_test("JITNEY_CPU_TARGET=x86-64", "TheLowestTargetHasNoLibrary"), "");
}

TEST_F(CpuCalls, AMissingLibraryIsNoDisaster) {
  // The plugin alone, in a folder beside which there is nothing.
  const std::filesystem::path folder = JITNEY_TEST_OUTPUT "/alone/jitney";
  std::filesystem::create_directories(folder);
  const std::string plugin = value_or_throw(find_plugin({"cpu", "jitney-backend-cpu.so", ""}, plugin_directories()));
  std::filesystem::copy_file(plugin, folder / "jitney-backend-cpu.so",
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_EQ(run_test("JITNEY_BACKEND_PATH='" + folder.string() + "'", "SaysThatTheLibraryIsMissing"), "");
}

}  // namespace
}  // namespace jitney::backend
