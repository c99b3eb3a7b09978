// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "backend/cuda/kernel_abi.h"
#include "backend/cuda/support.h"

namespace jitney::backend::cuda {
namespace {

TEST_F(FakeCuda, LaunchBufferIsPointersNumbersRangeAndFault) {
  const auto k = kernel("noop");
  std::int32_t word = 0;
  int a = 0, b = 0;
  void* const pointers[] = {&a, &b};
  const std::int64_t numbers[] = {-1, 1ll << 40, 3};
  ASSERT_TRUE(backend_->launch(0, k,
                               {.pointers = pointers,
                                .numbers = numbers,
                                .pointer_count = 2,
                                .number_count = 3,
                                .begin = 10,
                                .end = 500,
                                .block_threads = 128,
                                .block_points = 100,
                                .fault = &word},
                               0));
  ASSERT_TRUE(backend_->synchronize(0, 0));
  ASSERT_EQ(fake_.launches.size(), 1u);
  const auto& l = fake_.launches[0];
  ASSERT_EQ(l.words.size(), 8u);
  const auto number = [](const void* p) { return reinterpret_cast<std::uint64_t>(p); };
  EXPECT_EQ(std::vector(l.words.begin(), l.words.end() - 1),
            (std::vector<std::uint64_t>{number(&a), number(&b), ~std::uint64_t{0}, 1ull << 40, 3, 10, 500}));
  EXPECT_NE(l.words[7], 0u);
  EXPECT_NE(l.words[7], number(&word)) << "a device cannot write pageable memory";
  EXPECT_EQ(l.grid, 5u);
  EXPECT_EQ(l.block, 128u);
}

TEST_F(FakeCuda, FewLongRowsAreDividedBetweenTheBlocksOfClusters) {
  fake_.multiprocessors = 8;
  const auto k = kernel("noop");
  const auto launched = [&](std::int64_t rows, std::int64_t rounds) {
    EXPECT_TRUE(backend_->launch(0, k, {.end = rows, .block_threads = 256, .block_points = 1, .rounds = rounds}, 0));
    EXPECT_TRUE(backend_->synchronize(0, 0));
    const auto& l = fake_.launches.back();
    return std::pair(l.grid, l.cluster);
  };
  using Blocks = std::pair<unsigned, unsigned>;
  EXPECT_EQ(launched(1, 0), Blocks(1, 1)) << "a kernel that cannot";
  EXPECT_EQ(launched(1, 7), Blocks(1, 1)) << "short rows";
  EXPECT_EQ(launched(1, 8), Blocks(2, 2));
  EXPECT_EQ(launched(1, 1000), Blocks(8, 8));
  EXPECT_EQ(launched(2, 1000), Blocks(8, 4));
  EXPECT_EQ(launched(5, 1000), Blocks(5, 1)) << "there are rows enough";
  fake_.most_blocks_of_a_cluster = 1;
  EXPECT_EQ(launched(2, 1000), Blocks(2, 1)) << "no room for clusters";
}

TEST_F(FakeCuda, NoFaultWordIsNull) {
  ASSERT_TRUE(launch(kernel("noop"), 0));
  ASSERT_TRUE(backend_->synchronize(0, 0));
  EXPECT_EQ(fake_.launches.at(0).words, (std::vector<std::uint64_t>{0, 1, 0}));
  EXPECT_TRUE(fake_.host_pages.empty());
}

TEST_F(FakeCuda, GridsCoverTheRangeAndAreCapped) {
  const auto k = kernel("noop");
  constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t kCap = 128 * FakeDriver::kMultiprocessors;
  struct Case {
    std::int64_t begin, end;
    std::int32_t threads, points;
    std::int64_t grid, block;
  };
  for (const Case c :
       {Case{0, 1, 32, 1, 1, 32}, Case{0, 64, 32, 32, 2, 32}, Case{0, 65, 32, 32, 3, 32}, Case{-3, 3, 1024, 1, 6, 1024},
        Case{0, 1000, 0, 0, 4, kDefaultBlock}, Case{0, 1'000'000, 32, 1, kCap, 32},
        Case{-kLargest, kLargest, 32, 1, kCap, 32}, Case{kLargest - 2, kLargest, 32, 1, 2, 32}}) {
    fake_.launches.clear();
    ASSERT_TRUE(backend_->launch(
        0, k, {.begin = c.begin, .end = c.end, .block_threads = c.threads, .block_points = c.points}, 0));
    ASSERT_TRUE(backend_->synchronize(0, 0));
    EXPECT_EQ(fake_.launches.at(0).grid, c.grid);
    EXPECT_EQ(fake_.launches.at(0).block, c.block);
  }
  for (const std::int64_t end : {std::int64_t{0}, std::int64_t{-5}, -kLargest}) {
    fake_.launches.clear();
    ASSERT_TRUE(backend_->launch(0, k, {.end = end}, 0));
    ASSERT_TRUE(backend_->synchronize(0, 0));
    EXPECT_TRUE(fake_.launches.empty());
  }
}

TEST_F(FakeCuda, LaunchesThatCannotBeAreErrors) {
  const auto k = kernel("noop");
  EXPECT_FALSE(backend_->launch(0, k, {.end = 1, .block_threads = 1025}, 0));
  EXPECT_FALSE(backend_->launch(0, k, {.end = 1, .block_threads = -1}, 0));
  EXPECT_FALSE(backend_->launch(0, k, {.pointer_count = -1, .end = 1}, 0));
  constexpr std::int32_t kFit = kMaxParameterBytes / 8 - 3;
  const std::vector<std::int64_t> numbers(kFit + 1);
  LaunchArgs args{.numbers = numbers.data(), .number_count = kFit, .end = 1};
  EXPECT_TRUE(backend_->launch(0, k, args, 0));
  args.number_count = kFit + 1;
  const auto refused = backend_->launch(0, k, args, 0);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("4092 fit"), std::string::npos) << refused.error().message;
  EXPECT_FALSE(launch(k + 1000, 0));
}

TEST_F(FakeCuda, FaultReachesTheHostWordAtTheNextSynchronize) {
  fake_.kernels["fault"] = report_fault;
  const auto bad = kernel("fault"), good = kernel("noop");
  const auto s = stream(), other = stream();
  std::int32_t first = 0, second = 0;
  ASSERT_TRUE(launch(bad, s, &first));
  ASSERT_TRUE(launch(good, s, &second));
  ASSERT_TRUE(launch(good, other, &second));
  ASSERT_TRUE(backend_->synchronize(0, other));
  EXPECT_EQ(first, 0) << "that was another stream";
  ASSERT_TRUE(backend_->synchronize(0, s));
  EXPECT_EQ(first, 7);
  EXPECT_EQ(second, 0);
  first = 0;
  ASSERT_TRUE(launch(good, s, &first));
  ASSERT_TRUE(backend_->synchronize(0, s));
  EXPECT_EQ(first, 0) << "the stand-in was cleared";
  for (int i = 0; i < 5000; ++i) {
    std::int32_t word = 0;
    ASSERT_TRUE(launch(i % 2 == 0 ? bad : good, s, &word));
    ASSERT_TRUE(backend_->synchronize(0, s));
    ASSERT_EQ(word, i % 2 == 0 ? 7 : 0);
  }
  EXPECT_EQ(fake_.host_pages.size(), 1u) << "stand-ins are used again";
  backend_->destroy_stream(0, s);
  backend_->destroy_stream(0, other);
}

TEST_F(FakeCuda, ManyFaultWordsAtOnce) {
  fake_.kernels["fault"] = report_fault;
  const auto k = kernel("fault");
  std::vector<std::int32_t> words(3000, 0);
  for (std::size_t i = 0; i < words.size(); i += 2) ASSERT_TRUE(launch(k, 0, &words[i]));
  ASSERT_TRUE(backend_->synchronize(0, 0));
  for (std::size_t i = 0; i < words.size(); ++i) ASSERT_EQ(words[i], i % 2 == 0 ? 7 : 0) << i;
}

TEST_F(FakeCuda, StreamThatEndsWithAFaultReportsToNobody) {
  fake_.kernels["fault"] = report_fault;
  const auto s = stream();
  std::int32_t word = 0;
  ASSERT_TRUE(launch(kernel("fault"), s, &word));
  backend_->destroy_stream(0, s);
  EXPECT_EQ(word, 0);
  EXPECT_EQ(fake_.launches.size(), 1u);
}

TEST_F(FakeCuda, UnloadedKernelsAreErrors) {
  const auto module = backend_->load(0, ptx());
  ASSERT_TRUE(module);
  const auto k = backend_->kernel(0, *module, "noop");
  ASSERT_TRUE(k);
  EXPECT_EQ(backend_->kernel(0, *module, "noop").value_or(0), *k);
  EXPECT_FALSE(backend_->launch(1, *k, {.end = 1}, 0)) << "it is on another device";
  backend_->unload(0, *module);
  backend_->unload(0, *module);
  EXPECT_EQ(fake_.count("cuModuleUnload"), 1);
  EXPECT_FALSE(launch(*k, 0));
  EXPECT_FALSE(backend_->kernel(0, *module, "noop"));
}

TEST_F(FakeCuda, OnlyWholeBinariesReachTheDriver) {
  const auto refused = [&](std::string_view text) {
    const auto module = backend_->load(0, std::as_bytes(std::span(text)));
    return !module && module.error().kind == ErrorKind::environment;
  };
  EXPECT_TRUE(refused(""));
  EXPECT_TRUE(refused("garbage"));
  EXPECT_TRUE(
      refused("\x7f"
              "ELF"));
  EXPECT_TRUE(refused(std::string("\x7f"
                                  "ELF\x02") +
                      std::string(200, '\xff')));
  EXPECT_EQ(fake_.count("cuModuleLoadData"), 0);
  EXPECT_TRUE(backend_->load(0, ptx()));
}

}  // namespace
}  // namespace jitney::backend::cuda
