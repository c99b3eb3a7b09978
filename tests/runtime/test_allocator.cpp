// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// set_allocator() on a CPU: all memory for a model comes from the program, and goes back to it.
#include <jitney/allocator.h>
#include <jitney/device_tensor.h>

#include <cstdlib>
#include <map>
#include <mutex>
#include <thread>

#include "runtime/support.h"

namespace jitney {
namespace {

const Device kCpu{Device::Type::cpu, 0};

/// At most `limit` bytes at once, each piece `offset` bytes behind an aligned address.
class Counted final : public Allocator {
 public:
  void* allocate(std::size_t bytes, StreamHandle stream) override {
    EXPECT_EQ(stream, 0u);
    const std::lock_guard lock(mutex_);
    if (throws) throw std::runtime_error("no more");
    if (used + bytes > limit) return nullptr;
    void* memory = nullptr;
    if (posix_memalign(&memory, 64, bytes + offset) != 0) return nullptr;
    used += bytes;
    most = std::max(most, used);
    memory = static_cast<char*>(memory) + offset;
    live_[memory] = bytes;
    return memory;
  }
  void free(void* memory, std::size_t bytes, StreamHandle stream) noexcept override {
    EXPECT_EQ(stream, 0u);
    const std::lock_guard lock(mutex_);
    EXPECT_EQ(live_[memory], bytes);
    live_.erase(memory);
    used -= bytes;
    std::free(static_cast<char*>(memory) - offset);
  }

  bool throws = false;
  std::size_t limit = std::size_t{1} << 30, offset = 0, used = 0, most = 0;

 private:
  std::mutex mutex_;
  std::map<void*, std::size_t> live_;
};

/// relu(x w) w, whose intermediate value and packed weights are memory of the device.
ir::Graph two_products() {
  ir::Graph g;
  std::mt19937 rng(3);
  const ir::Dim n = ir::Dim::symbol("n");
  g.symbols["n"] = {};
  const auto x = g.add_value("x", DType::f32, {n, 256});
  g.inputs = {x};
  const auto w = g.add_constant("w", testing::random_tensor(DType::f32, {256, 256}, rng));
  const auto h = g.add_node(ir::Op::matmul, "h", {x, w}, DType::f32, {n, 256});
  const auto r = g.add_node(ir::Op::relu, "r", {h}, DType::f32, {n, 256});
  g.outputs = {g.add_node(ir::Op::matmul, "y", {r, w}, DType::f32, {n, 256})};
  return g;
}

class CpuAllocator : public ::testing::Test {
 protected:
  void TearDown() override { set_allocator(kCpu, nullptr); }
  void run(const ir::Graph& g) {
    std::mt19937 rng(4);
    const Tensor x = testing::random_tensor(DType::f32, {65, 256}, rng);
    ExecutionContext context(testing::engine_of(g), {.runtime_cache = "none"});
    for (int i = 0; i < 3; ++i) {
      const std::vector<Tensor> found = context.execute(testing::views({x}));
      EXPECT_TRUE(testing::close(found[0], value_or_throw(ir::interpret(g, {x}))[0], 1e-3));
    }
  }
  const std::shared_ptr<Counted> own_ = std::make_shared<Counted>();
};

TEST_F(CpuAllocator, MemoryComesFromItAndGoesBack) {
  set_allocator(kCpu, own_);
  run(two_products());
  EXPECT_GE(own_->most, 65u * 256 * 4);
  EXPECT_EQ(own_->used, 0u);
}

TEST_F(CpuAllocator, MemoryGoesBackToWhomItCameFrom) {
  const ir::Graph g = two_products();
  std::mt19937 rng(4);
  const Tensor x = testing::random_tensor(DType::f32, {3, 256}, rng);
  const auto second = std::make_shared<Counted>();
  {
    ExecutionContext context(testing::engine_of(g), {.runtime_cache = "none"});
    (void)context.execute(testing::views({x}));
    set_allocator(kCpu, own_);
    const Tensor more = testing::random_tensor(DType::f32, {200, 256}, rng);
    (void)context.execute(testing::views({more}));  // another shape: more memory
    EXPECT_GT(own_->used, 0u);
    set_allocator(kCpu, second);
    const Tensor most = testing::random_tensor(DType::f32, {900, 256}, rng);
    const auto found = context.execute(testing::views({most}));
    EXPECT_TRUE(testing::close(found[0], value_or_throw(ir::interpret(g, {most}))[0], 1e-3));
    EXPECT_GT(second->used, 0u);
    set_allocator(kCpu, nullptr);
  }
  EXPECT_EQ(own_->used, 0u);
  EXPECT_EQ(second->used, 0u);
}

TEST_F(CpuAllocator, WhatItRefusesIsAnErrorAndTheNextRunIsRight) {
  const ir::Graph g = two_products();
  std::mt19937 rng(4);
  const Tensor x = testing::random_tensor(DType::f32, {65, 256}, rng);
  set_allocator(kCpu, own_);
  {
    ExecutionContext context(testing::engine_of(g), {.runtime_cache = "none"});
    const auto fails = [&](const char* why) {
      try {
        (void)context.execute(testing::views({x}));
        FAIL() << why;
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::environment);
        EXPECT_NE(std::string(error.what()).find(why), std::string::npos) << error.what();
      }
    };
    own_->limit = 1000;
    fails("the program's allocator gave none");
    own_->limit = std::size_t{1} << 30;
    own_->throws = true;
    fails("the program's allocator says 'no more'");
    own_->throws = false;
    own_->offset = 4;
    fails("is not aligned to 64");
    own_->offset = 0;
    const std::vector<Tensor> found = context.execute(testing::views({x}));
    EXPECT_TRUE(testing::close(found[0], value_or_throw(ir::interpret(g, {x}))[0], 1e-3));
  }
  EXPECT_EQ(own_->used, 0u);
}

TEST_F(CpuAllocator, ManyThreads) {
  set_allocator(kCpu, own_);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { run(two_products()); });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(own_->used, 0u);
}

TEST_F(CpuAllocator, DeviceTensors) {
  set_allocator(kCpu, own_);
  std::mt19937 rng(5);
  const Tensor host = testing::random_tensor(DType::f32, {10, 10}, rng);
  {
    const DeviceTensor tensor(host, kCpu);
    EXPECT_GE(own_->used, 400u);
    EXPECT_TRUE(testing::close(tensor.download(), host, 0));
  }
  EXPECT_EQ(own_->used, 0u);
}

}  // namespace
}  // namespace jitney
