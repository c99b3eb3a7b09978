// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/support.h"

namespace jitney::backend::cuda {
namespace {

using Calls = std::vector<std::string>;

TEST_F(FakeCuda, MemoryIsStreamOrderedFromAPoolThatKeepsIt) {
  const auto s = stream();
  fake_.calls.clear();
  void* memory = backend_->allocate(0, 100, s).value_or(nullptr);
  ASSERT_NE(memory, nullptr);
  EXPECT_EQ(backend_->live_bytes(), 100);
  const int value = 42;
  ASSERT_TRUE(backend_->copy(0, memory, &value, sizeof value, CopyKind::host_to_device, s));
  backend_->free(0, memory, 100, s);
  EXPECT_EQ(backend_->live_bytes(), 0);
  EXPECT_EQ(fake_.memory.size(), 1u) << "freed when the stream gets there";
  ASSERT_TRUE(backend_->synchronize(0, s));
  EXPECT_EQ(fake_.memory.size(), 0u);
  EXPECT_EQ(fake_.calls, (Calls{"cuMemAllocFromPoolAsync", "cuMemcpyHtoDAsync", "cuStreamSynchronize", "cuMemFreeAsync",
                                "cuStreamSynchronize"}));
  EXPECT_EQ(fake_.count("cuMemPoolSetAttribute"), 0) << "once, when the context was made";
  backend_->destroy_stream(0, s);
}

TEST_F(FakeCuda, LibrariesMayReadAWholeVectorAtTheEnd) {
  void* memory = backend_->allocate(0, 614, 0).value_or(nullptr);
  ASSERT_EQ(fake_.memory.size(), 1u);
  EXPECT_EQ(fake_.memory.begin()->second, 624u);
  EXPECT_EQ(backend_->live_bytes(), 614) << "what was asked for";
  backend_->free(0, memory, 614, 0);
  ASSERT_TRUE(backend_->synchronize(0, 0));
}

TEST_F(FakeCuda, MemoryOfTheDefaultStreamIsThereAtOnce) {
  void* memory = backend_->allocate(0, 8, 0).value_or(nullptr);
  EXPECT_EQ(fake_.calls.back(), "cuStreamSynchronize");
  backend_->free(0, memory, 8, 0);
  ASSERT_TRUE(backend_->synchronize(0, 0));
}

TEST_F(FakeCuda, WithoutPoolsMemoryIsPlain) {
  fake_.pools = false;
  void* memory = backend_->allocate(0, 8, 0).value_or(nullptr);
  ASSERT_NE(memory, nullptr);
  backend_->free(0, memory, 8, 0);
  EXPECT_EQ(fake_.count("cuMemAlloc"), 1);
  EXPECT_EQ(fake_.count("cuMemFree"), 1);
  EXPECT_EQ(fake_.count("cuMemPoolCreate"), 0);
  EXPECT_TRUE(fake_.memory.empty());
}

TEST_F(FakeCuda, MemoryOfAStreamThatIsGoneIsFreedAllTheSame) {
  const auto s = stream();
  void* memory = backend_->allocate(0, 8, s).value_or(nullptr);
  backend_->destroy_stream(0, s);
  backend_->free(0, memory, 8, s);
  EXPECT_TRUE(fake_.memory.empty());
}

TEST_F(FakeCuda, NoBytesAskTheDriverNothing) {
  ASSERT_TRUE(backend_->allocate(0, 0, 0));
  EXPECT_EQ(*backend_->allocate(0, 0, 0), nullptr);
  EXPECT_TRUE(backend_->copy(0, nullptr, nullptr, 0, CopyKind::host_to_device, 0));
  backend_->free(0, nullptr, 0, 0);
  EXPECT_EQ(fake_.count("cuMemAllocFromPoolAsync"), 0);
}

TEST_F(FakeCuda, OutOfMemoryNamesTheBytesAskedAndFree) {
  void* memory = backend_->allocate(0, FakeDriver::kMemory - 992, 0).value_or(nullptr);
  ASSERT_NE(memory, nullptr);
  for (const std::size_t bytes : {std::size_t{993}, FakeDriver::kMemory + 1, ~std::size_t{0}}) {
    const auto more = backend_->allocate(0, bytes, 0);
    ASSERT_FALSE(more);
    EXPECT_EQ(more.error().kind, ErrorKind::environment);
    EXPECT_EQ(more.error().message,
              fmt::format("cuda:0 cannot allocate {} bytes: 992 of its {} are free", bytes, FakeDriver::kMemory));
  }
  EXPECT_EQ(backend_->live_bytes(), static_cast<std::int64_t>(FakeDriver::kMemory - 992));
  backend_->free(0, memory, FakeDriver::kMemory - 992, 0);
  ASSERT_TRUE(backend_->synchronize(0, 0));
}

TEST_F(FakeCuda, PageableMemoryIsDoneWhenCopyReturnsPageLockedLater) {
  const auto s = stream();
  void* memory = backend_->allocate(0, 4, s).value_or(nullptr);
  std::int32_t value = 1, back = 0;
  ASSERT_TRUE(backend_->copy(0, memory, &value, 4, CopyKind::host_to_device, s));
  value = 2;  // too late to be copied
  ASSERT_TRUE(backend_->copy(0, &back, memory, 4, CopyKind::device_to_host, s));
  EXPECT_EQ(back, 1);
  fake_.page_locked = {&value, &back};
  ASSERT_TRUE(backend_->copy(0, memory, &value, 4, CopyKind::host_to_device, s));
  ASSERT_TRUE(backend_->copy(0, &back, memory, 4, CopyKind::device_to_host, s));
  EXPECT_EQ(back, 1) << "nobody has waited";
  ASSERT_TRUE(backend_->synchronize(0, s));
  EXPECT_EQ(back, 2);
  backend_->free(0, memory, 4, s);
  backend_->destroy_stream(0, s);
}

TEST_F(FakeCuda, EventsOrderStreams) {
  const auto first = stream(), second = stream();
  auto* a = static_cast<std::int32_t*>(backend_->allocate(0, 8, first).value_or(nullptr));
  a[0] = 5;
  a[1] = 0;
  ASSERT_TRUE(backend_->copy(0, &a[1], &a[0], 4, CopyKind::device_to_device, first));
  const auto event = backend_->record(0, first);
  ASSERT_TRUE(event);
  ASSERT_TRUE(backend_->wait(0, second, *event));
  EXPECT_EQ(a[1], 0) << "nobody has waited";
  ASSERT_TRUE(backend_->synchronize(0, second));
  EXPECT_EQ(a[1], 5) << "the second stream waited for the first";
  backend_->destroy_event(0, *event);
  EXPECT_FALSE(backend_->wait(0, second, 0));
  backend_->free(0, a, 8, first);
  backend_->destroy_stream(0, first);
  backend_->destroy_stream(0, second);
}

TEST_F(FakeCuda, EventThatCannotBeRecordedIsNotLeft) {
  fake_.failures["cuEventRecord"] = CUDA_ERROR_ILLEGAL_STATE;
  EXPECT_FALSE(backend_->record(0, 0));
  EXPECT_TRUE(fake_.events.empty());
}

TEST_F(FakeCuda, ContextIsRetainedOnceAndTheApplicationsComesBack) {
  const auto other = reinterpret_cast<CUcontext>(0x77);  // NOLINT(performance-no-int-to-ptr)
  ASSERT_TRUE(backend_->synchronize(0, 0));
  const auto mine = fake_.current;
  EXPECT_NE(mine, nullptr) << "a thread without a context keeps it";
  ASSERT_TRUE(backend_->synchronize(0, 0));
  EXPECT_EQ(fake_.count("cuCtxSetCurrent"), 1);
  fake_.current = other;
  ASSERT_TRUE(backend_->synchronize(1, 0));
  EXPECT_EQ(fake_.current, other);
  fake_.current = mine;
  EXPECT_EQ(fake_.count("cuDevicePrimaryCtxRetain"), 2) << "one a device";
}

TEST_F(FakeCuda, NothingIsLeftAtDestruction) {
  expect_empty_ = false;
  std::int32_t word = 0;
  const auto s = stream();
  const auto k = kernel("noop");
  ASSERT_TRUE(backend_->begin_capture(0, s));
  ASSERT_TRUE(launch(k, s, &word));
  ASSERT_TRUE(backend_->end_capture(0, s));
  ASSERT_TRUE(launch(k, 0, &word));
  EXPECT_EQ(fake_.modules.size() + fake_.executables.size() + fake_.host_pages.size() + fake_.memory_pools.size(), 4u);
  backend_->destroy_stream(0, s);
  backend_.reset();
  EXPECT_TRUE(fake_.empty());
}

}  // namespace
}  // namespace jitney::backend::cuda
