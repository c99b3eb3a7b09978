// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime_cuda/support.h"

/// Memory that runs out and drivers that fail: an error, no leak, and the next run is right.
namespace jitney::runtime {
namespace {

class Failures : public FakeExecutor {
 protected:
  /// A little of everything. The first failure, or success when all results are right.
  Status scenario(CUstream s, bool is_call) {
    try {
      if (!executor_) make(true, is_call);
    } catch (const Error& error) {
      executor_.reset();
      return tl::unexpected(Failure{error.kind(), error.what()});
    }
    float x[kCount], z[kCount];  // stand-ins for device memory, which these runs may have
    fake_.memory[reinterpret_cast<CUdeviceptr>(x)] = fake_.memory[reinterpret_cast<CUdeviceptr>(z)] = kBytes;
    Status status;
    for (int i = 0; i < 8 && status; ++i) {
      std::fill_n(x, kCount, static_cast<float>(i));
      std::fill_n(z, kCount, 0.0f);
      CUstream on = i % 3 == 1 ? nullptr : s;
      status = i % 3 == 2 ? run_and_wait(x, z) : run(on, x, z);
      fake_.drain();
      if (status && z[0] != 2 * static_cast<float>(i) + 1) status = internal_error("run {} gave {}", i, z[0]);
    }
    fake_.memory.erase(reinterpret_cast<CUdeviceptr>(x));
    fake_.memory.erase(reinterpret_cast<CUdeviceptr>(z));
    return status;
  }
};

TEST_F(Failures, Mode35_EveryDriverCallFailingInTurn) {
  int failed = 0, absorbed = 0;
  for (const bool is_call : {false, true}) {
    for (const CUresult with : {CUDA_ERROR_OUT_OF_MEMORY, CUDA_ERROR_UNKNOWN}) {
      for (long at = 0;; ++at) {
        executor_.reset();
        backend_ = std::make_unique<FakeBackend>(fake_);
        CUstream s = fake_.make_stream();
        fake_.made = 0;
        fake_.fail_at = at;
        fake_.fail_with = with;
        const Status first = scenario(s, is_call);
        const bool reached = fake_.made > at;
        if (first) {
          absorbed += reached;
        } else {
          ++failed;
          EXPECT_EQ(first.error().kind, ErrorKind::environment) << at << ": " << first.error().message;
        }
        fake_.fail_at = -1;
        // A backend whose very start failed says so for ever; everything else works the next time.
        if (backend_->device_count() > 0) {
          const Status again = scenario(s, is_call);
          EXPECT_TRUE(again) << at << " " << fake_.calls.size() << ": " << again.error().message;
        }
        executor_.reset();
        fake_.destroy_stream(s);
        backend_.reset();
        ASSERT_TRUE(fake_.empty()) << "something is left when call " << at << " failed";
        ASSERT_EQ(fake_.breaches, std::vector<std::string>{}) << at;
        if (!reached) break;
      }
    }
  }
  EXPECT_GT(failed, 50);
  EXPECT_GT(absorbed, 5) << "captures that fail are runs in order";
}

/// At most `limit` bytes at once.
class LimitedAllocator final : public Allocator {
 public:
  explicit LimitedAllocator(std::size_t limit) : limit_(limit) {}
  void* allocate(std::size_t bytes, StreamHandle) override {
    if (throws) throw std::runtime_error("no more");
    if (used + bytes > limit_) return nullptr;
    used += bytes;
    void* memory = nullptr;
    if (posix_memalign(&memory, 256, bytes) != 0) return nullptr;
    live[memory] = bytes;
    return memory;
  }
  void free(void* memory, std::size_t bytes, StreamHandle) noexcept override {
    EXPECT_EQ(live[memory], bytes);
    live.erase(memory);
    used -= bytes;
    std::free(memory);
  }
  bool throws = false;
  std::size_t used = 0;
  std::map<void*, std::size_t> live;

 private:
  const std::size_t limit_;
};

TEST_F(Failures, Mode35_OutOfMemoryNamesWhatWantedHowMuchAndTheNextRunIsRight) {
  const auto limited = std::make_shared<LimitedAllocator>(10);
  make(false);
  float* x = tensor(nullptr, 2);
  float* z = tensor(nullptr);
  ASSERT_TRUE(backend_->set_allocator(0, limited));
  for (const bool throws : {false, true}) {
    limited->throws = throws;
    const auto failed = run_and_wait(x, z);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().kind, ErrorKind::environment);
    EXPECT_EQ(failed.error().message, std::string("cuda:0 cannot allocate 20 bytes: the program's allocator ") +
                                          (throws ? "says 'no more'" : "gave none") +
                                          "; 20 bytes were wanted for intermediate values");
  }
  EXPECT_EQ(limited->used, 0u);
  ASSERT_TRUE(backend_->set_allocator(0, nullptr));
  ASSERT_TRUE(run_and_wait(x, z));
  EXPECT_EQ(z[0], 5);
  free(x, nullptr);
  free(z, nullptr);
}

TEST_F(Failures, Mode35_MemoryGoesBackToWhomItCameFrom) {
  const auto first = std::make_shared<LimitedAllocator>(1000), second = std::make_shared<LimitedAllocator>(1000);
  ASSERT_TRUE(backend_->set_allocator(0, first));
  void* a = value_or_throw(backend_->allocate(0, 100, 0));
  ASSERT_TRUE(backend_->set_allocator(0, second));
  void* b = value_or_throw(backend_->allocate(0, 100, 0));
  EXPECT_EQ(backend_->live_bytes(), 200);
  ASSERT_TRUE(backend_->set_allocator(0, nullptr));
  void* c = value_or_throw(backend_->allocate(0, 100, 0));
  EXPECT_EQ(first->used, 100u);
  EXPECT_EQ(second->used, 100u);
  for (void* memory : {b, c, a}) backend_->free(0, memory, 100, 0);
  EXPECT_EQ(first->used + second->used, 0u);
  EXPECT_EQ(backend_->live_bytes(), 0);
  EXPECT_FALSE(backend_->set_allocator(7, first));
}

}  // namespace
}  // namespace jitney::runtime
