// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "backend/calls.h"

/// What every backend must do. A backend joins with one file that instantiates BackendConformance with its Joining.
namespace jitney::backend {

struct Joining {
  std::string backend;
  /// A binary with the kernels of kernels/kernels.c: at least "count" and "identify".
  std::function<std::vector<std::byte>()> binary;
  /// A second binary; its "identify" writes 2 where the first one's writes 1.
  std::function<std::vector<std::byte>()> other_binary;
  /// Tests that this backend is not held to, each with the reason. A name that is no test fails.
  std::map<std::string, std::string> exclusions;
  /// What planning of library calls is given; none where it needs none.
  std::function<PlanServices*()> services = [] { return nullptr; };
};
void PrintTo(const Joining& joining, std::ostream* out);

/// Loads the backend; skips what it is excluded from; checks afterwards that no memory is left.
class BackendConformance : public testing::TestWithParam<Joining> {
 protected:
  void SetUp() override;
  void TearDown() override;

  /// Device memory that frees itself.
  struct Memory {
    Backend* backend;
    void* data;
    std::size_t bytes;
    Memory(Backend* backend, std::size_t bytes);
    ~Memory();
    Memory(const Memory&) = delete;
  };
  void upload(void* to, const void* from, std::size_t bytes, StreamHandle stream = 0);
  void download(void* to, const void* from, std::size_t bytes, StreamHandle stream = 0);
  StreamHandle make_stream(int threads);
  KernelHandle load_kernel(const char* symbol);
  /// Launches "count" over [begin, end) and gives how often each iteration was done.
  std::vector<std::int32_t> count(KernelHandle kernel, std::int64_t begin, std::int64_t end, std::int64_t grain,
                                  StreamHandle stream, std::int64_t* calls = nullptr);

  Backend* backend_ = nullptr;
  std::int64_t live_before_ = 0;
  std::vector<StreamHandle> streams_;
  std::vector<ModuleHandle> modules_;
};

/// What holds for library calls. Backends that offer none refuse them; the other tests then have nothing to do.
class BackendCalls : public BackendConformance {
 protected:
  /// Runs one call and compares it with plain loops.
  void expect_right(const LibraryCall& call, std::mt19937& random, const ReadyCall::Options& options = {});
  /// The same for `count` calls that `make` gives, as far as they are offered.
  void expect_right_where_offered(int count, const std::function<LibraryCall(std::mt19937&, DType)>& make);
};

/// Plain calls in f32.
ConvolutionCall some_convolution();
MatMulCall some_matmul();
PoolingCall some_pooling();

/// The bytes of a file that the build made for the tests.
std::vector<std::byte> read_test_binary(const std::string& name);

}  // namespace jitney::backend
