// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "backend/cuda/architecture.h"
#include "backend/cuda/support.h"

namespace jitney::backend::cuda {
namespace {

TEST_F(FakeCuda, DescribesDevicesWithoutAContext) {
  EXPECT_EQ(backend_->name(), "cuda");
  ASSERT_EQ(backend_->device_count(), 2);
  const auto info = backend_->device_info(1);
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->name, "Fake GPU");
  EXPECT_EQ(info->target_key, "sm_90");
  EXPECT_EQ(info->language, SourceLanguage::cuda);
  EXPECT_EQ(info->parallel_units, FakeDriver::kMultiprocessors);
  EXPECT_EQ(info->memory_bytes, static_cast<std::int64_t>(FakeDriver::kMemory));
  EXPECT_EQ(info->alignment, 256u);
  EXPECT_EQ(info->vector_bytes, 16);
  EXPECT_FALSE(info->host_memory);
  EXPECT_EQ(std::ranges::count(info->compiler_options, "--gpu-architecture=sm_90"), 1);
  EXPECT_EQ(fake_.count("cuDevicePrimaryCtxRetain"), 0);
  EXPECT_FALSE(backend_->offers(0, MatMulCall{}));
  const auto lines = backend_->diagnose();
  ASSERT_EQ(lines.size(), 5u);  // and two libraries
  EXPECT_EQ(lines[0], "NVIDIA driver for CUDA 13.0");
}

TEST(CudaArchitecture, NewerDevicesGetPtx) {
  EXPECT_EQ(target_key(7, 5), "sm_75");
  EXPECT_EQ(target_key(12, 1), "sm_121");
  EXPECT_EQ(target_key(13, 0), "sm_130+ptx");
  EXPECT_EQ(compiler_options(12, 0).front(), "--gpu-architecture=sm_120");
  EXPECT_EQ(compiler_options(13, 0).front(), "--gpu-architecture=compute_130");
}

TEST_F(FakeCuda, DevicesThatAreNotThereAreNamed) {
  const auto info = backend_->device_info(2);
  ASSERT_FALSE(info);
  EXPECT_EQ(info.error().kind, ErrorKind::user);
  EXPECT_EQ(info.error().message, "there is no device cuda:2; this machine has cuda:0 to cuda:1");
  EXPECT_FALSE(backend_->allocate(-1, 8, 0));
  EXPECT_FALSE(backend_->create_stream(2, {}));
  EXPECT_FALSE(backend_->copy(2, nullptr, nullptr, 0, CopyKind::host_to_device, 0));
  backend_->free(2, &fake_, 8, 0);
  backend_->destroy_stream(2, 1);
  backend_->unload(2, 1);
}

TEST(CudaDriver, MissingDriverIsOneSentence) {
  CudaBackend backend([]() -> Expected<Driver> { return environment_error("there is no NVIDIA driver: gone"); });
  EXPECT_EQ(backend.device_count(), 0);
  const auto info = backend.device_info(0);
  ASSERT_FALSE(info);
  EXPECT_EQ(info.error().kind, ErrorKind::environment);
  EXPECT_EQ(info.error().message, "there is no device cuda:0: there is no NVIDIA driver: gone");
  EXPECT_FALSE(backend.allocate(0, 8, 0));
  EXPECT_EQ(backend.live_bytes(), 0);
  EXPECT_EQ(backend.diagnose(), std::vector<std::string>{"no CUDA device: there is no NVIDIA driver: gone"});
}

TEST(CudaDriver, RealOneOpensOrSaysWhy) {
  const auto driver = open_driver();
  if (!driver) {
    EXPECT_EQ(driver.error().kind, ErrorKind::environment);
    EXPECT_NE(driver.error().message.find("NVIDIA driver"), std::string::npos) << driver.error().message;
  }
}

TEST_F(FakeCuda, DriverWithoutDevices) {
  fake_.failures["cuInit"] = CUDA_ERROR_NO_DEVICE;
  EXPECT_EQ(backend_->device_count(), 0);
  const auto lines = backend_->diagnose();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0],
            "no CUDA device: cuInit failed with CUDA_ERROR_NO_DEVICE (100, as a test asked) while looking for CUDA "
            "devices");
}

TEST_F(FakeCuda, NoDevicesAtAll) {
  fake_.devices = 0;
  EXPECT_EQ(backend_->device_count(), 0);
  EXPECT_EQ(backend_->device_info(0).error().message, "there is no device cuda:0: the NVIDIA driver finds no device");
}

TEST_F(FakeCuda, ErrorsNameTheCallTheErrorAndWhatWasAsked) {
  fake_.failures["cuMemcpyHtoDAsync"] = CUDA_ERROR_INVALID_VALUE;
  int value = 0;
  const auto failed = backend_->copy(0, &value, &value, 4, CopyKind::host_to_device, 0);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::environment);
  EXPECT_EQ(failed.error().message,
            "cuMemcpyHtoDAsync failed with CUDA_ERROR_OTHER (1, as a test asked) while copying 4 bytes to cuda:0");
}

TEST_F(FakeCuda, LostContextIsSaid) {
  fake_.failures["cuStreamSynchronize"] = CUDA_ERROR_ILLEGAL_ADDRESS;
  const auto failed = backend_->synchronize(0, 0);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message,
            "cuStreamSynchronize failed with CUDA_ERROR_ILLEGAL_ADDRESS (700, as a test asked) while waiting for a "
            "stream of cuda:0; the CUDA context of this process is lost, only a new process can use the device");
  fake_.failures.clear();
}

TEST_F(FakeCuda, ContextThatCannotBeHadIsAskedForAgain) {
  fake_.failures["cuMemPoolSetAttribute"] = CUDA_ERROR_OUT_OF_MEMORY;
  EXPECT_FALSE(backend_->allocate(0, 8, 0));
  EXPECT_TRUE(fake_.empty());
  fake_.failures.clear();
  void* memory = backend_->allocate(0, 8, 0).value_or(nullptr);
  EXPECT_NE(memory, nullptr);
  backend_->free(0, memory, 8, 0);
  ASSERT_TRUE(backend_->synchronize(0, 0));
}

}  // namespace
}  // namespace jitney::backend::cuda
