// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/conformance.h"
#include "backend/cuda/compiling_services.h"
#include "backend/registry.h"
#include "compiler/compiler.h"

/// The suite on a real device; where there is none every test says so and is skipped.
namespace jitney::backend {
namespace {

/// The kernels of kernels/kernels.c as kernel_abi.h wants them. "count" counts its calls a block.
constexpr const char* kKernels = R"(
typedef long long i64;
typedef unsigned long long u64;

struct CountArgs { int* hits; u64* calls; i64 first; i64 begin; i64 end; int* fault; };
extern "C" __global__ void count(CountArgs a) {
  const u64 n = (u64)a.end - (u64)a.begin;
  for (u64 i = blockIdx.x * (u64)blockDim.x + threadIdx.x; i < n; i += gridDim.x * (u64)blockDim.x)
    atomicAdd(&a.hits[(i64)((u64)a.begin + i) - a.first], 1);
  if (threadIdx.x == 0) atomicAdd(a.calls, 1ull);
}

struct IdentifyArgs { int* cell; i64 begin; i64 end; int* fault; };
extern "C" __global__ void identify(IdentifyArgs a) { if (threadIdx.x == 0) *a.cell = IDENTITY; }

struct ReadArgs { const int* index; int* y; i64 extent; i64 begin; i64 end; int* fault; };
extern "C" __global__ void read(ReadArgs a) {
  for (i64 i = a.begin + blockIdx.x * (i64)blockDim.x + threadIdx.x; i < a.end; i += gridDim.x * (i64)blockDim.x) {
    if (a.index[i] < 0 || a.index[i] >= a.extent) *a.fault = 1;
    a.y[i] = a.index[i];
  }
}
)";

std::vector<std::byte> compiled(int identity) {
  const auto backend = load_backend("cuda");
  const auto info = backend ? (*backend)->device_info(0) : tl::unexpected(backend.error());
  EXPECT_TRUE(info) << info.error().message;
  if (!info) return {};
  static auto compiler = compiler::make_compiler({.language = SourceLanguage::cuda});
  auto outcome = compiler->compile({.language = SourceLanguage::cuda,
                                    .name = "kernels",
                                    .source = fmt::format("#define IDENTITY {}\n{}", identity, kKernels),
                                    .options = info->compiler_options});
  EXPECT_TRUE(outcome) << outcome.error().message;
  return outcome ? outcome->binary : std::vector<std::byte>{};
}

std::vector<std::byte> first_binary() {
  static const auto binary = compiled(1);
  return binary;
}
std::vector<std::byte> second_binary() {
  static const auto binary = compiled(2);
  return binary;
}

const Joining kCuda{.backend = "cuda",
                    .binary = first_binary,
                    .other_binary = second_binary,
                    .exclusions = {{"ChildOfAForkLaunches", "CUDA does not work in a child of a fork"}},
                    .services = [] { return &CompilingServices::of_cuda(); }};

INSTANTIATE_TEST_SUITE_P(Cuda, BackendConformance, testing::Values(kCuda));
INSTANTIATE_TEST_SUITE_P(Cuda, BackendCalls, testing::Values(kCuda));

/// What only an asynchronous device can show.
class CudaDevice : public BackendConformance {
 protected:
  /// Reads element `index` of 8 and gives what the fault word says afterwards.
  LaunchArgs args() {
    return {
        .pointers = pointers_, .numbers = &extent_, .pointer_count = 2, .number_count = 1, .end = 1, .fault = &fault_};
  }
  void set_index(const Memory& memory, std::int32_t index, StreamHandle stream) {
    upload(memory.data, &index, 4, stream);
  }
  void* pointers_[2] = {};
  std::int64_t extent_ = 8;
  std::int32_t fault_ = 0;
};

TEST_P(CudaDevice, FaultsReachTheHostFromLaunchesAndReplays) {
  const auto kernel = load_kernel("read");
  const auto stream = make_stream(0);
  const Memory index(backend_, 4), y(backend_, 4);
  pointers_[0] = index.data;
  pointers_[1] = y.data;
  for (const std::int32_t i : {3, 8, 0, -1}) {
    fault_ = 0;
    set_index(index, i, stream);
    ASSERT_TRUE(backend_->launch(0, kernel, args(), stream));
    ASSERT_TRUE(backend_->synchronize(0, stream));
    EXPECT_EQ(fault_ != 0, i < 0 || i >= 8) << i;
  }
  ASSERT_TRUE(backend_->begin_capture(0, stream));
  ASSERT_TRUE(backend_->launch(0, kernel, args(), stream));
  const auto graph = backend_->end_capture(0, stream);
  ASSERT_TRUE(graph) << graph.error().message;
  for (const std::int32_t i : {3, 8, 0, -1}) {
    fault_ = 0;
    set_index(index, i, stream);
    ASSERT_TRUE(backend_->replay(0, *graph, stream));
    ASSERT_TRUE(backend_->synchronize(0, stream));
    EXPECT_EQ(fault_ != 0, i < 0 || i >= 8) << i;
  }
  backend_->destroy_graph(0, *graph);
}

TEST_P(CudaDevice, LoadingAndAllocatingDoNotBreakACapture) {
  const auto kernel = load_kernel("read");
  const auto stream = make_stream(0);
  const Memory index(backend_, 4), y(backend_, 4);
  pointers_[0] = index.data;
  pointers_[1] = y.data;
  ASSERT_TRUE(backend_->begin_capture(0, stream));
  ASSERT_TRUE(backend_->launch(0, kernel, args(), stream));
  load_kernel("count");
  {
    const Memory more(backend_, 1 << 20);
  }
  ASSERT_TRUE(backend_->launch(0, kernel, args(), stream));
  const auto graph = backend_->end_capture(0, stream);
  ASSERT_TRUE(graph) << graph.error().message;
  set_index(index, 5, stream);
  ASSERT_TRUE(backend_->replay(0, *graph, stream));
  std::int32_t value = 0;
  download(&value, y.data, 4, stream);
  EXPECT_EQ(value, 5);
  backend_->destroy_graph(0, *graph);
}

INSTANTIATE_TEST_SUITE_P(Cuda, CudaDevice, testing::Values(kCuda));

}  // namespace
}  // namespace jitney::backend
