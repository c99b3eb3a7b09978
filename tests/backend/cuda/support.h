// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backend/cuda/cuda_backend.h"
#include "backend/cuda/fake_driver.h"

namespace jitney::backend::cuda {

/// A backend on a fake driver. Afterwards no rule was broken, and what is left goes when the backend does.
class FakeCuda : public testing::Test {
 protected:
  void TearDown() override {
    backend_.reset();
    EXPECT_EQ(fake_.breaches, std::vector<std::string>{});
    EXPECT_TRUE(!expect_empty_ || fake_.empty());
  }

  static std::vector<std::byte> ptx() {
    constexpr std::string_view text = ".version 8.0\n.target sm_90\n";
    const auto* bytes = reinterpret_cast<const std::byte*>(text.data());
    return {bytes, bytes + text.size()};
  }
  StreamHandle stream(int device = 0) { return backend_->create_stream(device, {}).value_or(0); }
  KernelHandle kernel(const char* name, int device = 0) {
    const auto module = backend_->load(device, ptx());
    EXPECT_TRUE(module) << module.error().message;
    const auto kernel = backend_->kernel(device, module.value_or(0), name);
    EXPECT_TRUE(kernel) << kernel.error().message;
    return kernel.value_or(0);
  }
  /// Launches over [0, 1) with no operands.
  Status launch(KernelHandle kernel, StreamHandle stream, std::int32_t* fault = nullptr) {
    return backend_->launch(0, kernel, {.end = 1, .fault = fault}, stream);
  }

  FakeDriver fake_;
  bool expect_empty_ = true;
  std::unique_ptr<CudaBackend> backend_ = std::make_unique<CudaBackend>(open_fake);
};

/// A kernel that reports a bad index.
inline void report_fault(const FakeDriver::Launch& launch) {
  *reinterpret_cast<std::int32_t*>(launch.words.back()) = 7;  // NOLINT(performance-no-int-to-ptr)
}

}  // namespace jitney::backend::cuda
