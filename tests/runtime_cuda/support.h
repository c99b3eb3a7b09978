// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "backend/cuda/cuda_backend.h"
#include "backend/cuda/fake_driver.h"
#include "runtime/executor.h"

namespace jitney::runtime {

using backend::cuda::FakeDriver;

/// The CUDA backend on the fake driver, with one library call: z = y + 1.
class FakeBackend final : public backend::cuda::CudaBackend {
 public:
  explicit FakeBackend(FakeDriver& fake) : CudaBackend(backend::cuda::open_fake), fake_(fake) {}
  Expected<std::unique_ptr<backend::Invocation>> invocation(int, std::shared_ptr<const backend::Primitive>,
                                                            std::shared_ptr<const backend::PackedWeights>) override {
    return std::make_unique<backend::Invocation>();
  }
  Status run(int device, backend::Invocation& invocation, std::span<void* const> pointers, void* scratch,
             backend::StreamHandle stream) override;

 private:
  FakeDriver& fake_;
};

/// An executor of z = 2 x + 1 over kCount floats in two steps, on the fake driver: a kernel "double", and "increment",
/// which is a kernel or a library call.
class FakeExecutor : public testing::Test {
 protected:
  static constexpr std::int64_t kCount = 5;
  static constexpr std::size_t kBytes = kCount * sizeof(float);

  FakeExecutor();
  void TearDown() override;
  /// captures: native graphs; is_call: who does the second step.
  void make(bool captures, bool is_call = false);

  /// Memory of kCount floats in the order of a stream.
  float* tensor(CUstream stream, float value = 0);
  void free(float* memory, CUstream stream) { backend_->free(0, memory, kBytes, handle(stream)); }
  /// What a caller's kernel does on its stream: fills x, copies z to where the test looks.
  void produce(CUstream stream, float* x, float value);
  void consume(CUstream stream, const float* z, float& result);

  Status run(CUstream stream, float* x, float* z);
  Status run_and_wait(float* x, float* z);
  static backend::StreamHandle handle(CUstream stream) { return reinterpret_cast<backend::StreamHandle>(stream); }

  FakeDriver fake_;
  std::unique_ptr<FakeBackend> backend_;
  std::shared_ptr<Program> program_;
  std::shared_ptr<Plan> plan_;
  std::vector<backend::KernelHandle> kernels_;
  std::unique_ptr<Executor> executor_;
  bool captures_ = false;
};

}  // namespace jitney::runtime
