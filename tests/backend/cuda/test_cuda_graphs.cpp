// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/support.h"

namespace jitney::backend::cuda {
namespace {

TEST_F(FakeCuda, CapturesAndReplays) {
  const auto s = stream();
  const auto k = kernel("noop");
  fake_.calls.clear();
  ASSERT_TRUE(backend_->begin_capture(0, s));
  ASSERT_TRUE(launch(k, s));
  ASSERT_TRUE(launch(k, s));
  const auto graph = backend_->end_capture(0, s);
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(fake_.calls, (std::vector<std::string>{"cuStreamBeginCapture", "cuLaunchKernel", "cuLaunchKernel",
                                                   "cuStreamEndCapture", "cuGraphInstantiate",
                                                   "cuGraphKernelNodeGetParams", "cuGraphKernelNodeGetParams"}));
  ASSERT_TRUE(backend_->synchronize(0, s));
  EXPECT_TRUE(fake_.launches.empty()) << "capturing must not run";
  ASSERT_TRUE(backend_->replay(0, *graph, s));
  ASSERT_TRUE(backend_->replay(0, *graph, 0));
  ASSERT_TRUE(backend_->synchronize(0, s));
  EXPECT_EQ(fake_.launches.size(), 2u);
  ASSERT_TRUE(backend_->synchronize(0, 0));
  EXPECT_EQ(fake_.launches.size(), 4u);
  backend_->destroy_graph(0, *graph);
  backend_->destroy_graph(0, *graph);
  EXPECT_FALSE(backend_->replay(0, *graph, s));
  backend_->destroy_stream(0, s);
}

TEST_F(FakeCuda, CopiesOfPageableMemoryAreCapturedWithoutWaiting) {
  const auto s = stream();
  void* memory = backend_->allocate(0, 4, s).value_or(nullptr);
  std::int32_t value = 1, back = 0;
  ASSERT_TRUE(backend_->begin_capture(0, s));
  ASSERT_TRUE(backend_->copy(0, memory, &value, 4, CopyKind::host_to_device, s));
  ASSERT_TRUE(backend_->copy(0, &back, memory, 4, CopyKind::device_to_host, s));
  const auto graph = backend_->end_capture(0, s);
  ASSERT_TRUE(graph);
  for (value = 1; value < 4; ++value) {
    ASSERT_TRUE(backend_->replay(0, *graph, s));
    ASSERT_TRUE(backend_->synchronize(0, s));
    EXPECT_EQ(back, value);
  }
  backend_->destroy_graph(0, *graph);
  backend_->free(0, memory, 4, s);
  backend_->destroy_stream(0, s);
}

TEST_F(FakeCuda, FaultsOfReplaysReachTheHostWord) {
  bool faulty = true;
  fake_.kernels["fault"] = [&](const FakeDriver::Launch& launch) {
    if (faulty) report_fault(launch);
  };
  const auto bad = kernel("fault"), good = kernel("noop");
  const auto s = stream(), other = stream();
  std::int32_t word = 0;
  ASSERT_TRUE(backend_->begin_capture(0, s));
  ASSERT_TRUE(launch(good, s, &word));
  ASSERT_TRUE(launch(bad, s, &word));
  const auto graph = backend_->end_capture(0, s);
  ASSERT_TRUE(graph);
  for (const auto on : {s, other, s}) {
    word = 0;
    ASSERT_TRUE(backend_->replay(0, *graph, on));
    ASSERT_TRUE(backend_->replay(0, *graph, on));
    // Others get stand-ins of their own meanwhile, also after the replays have run.
    std::int32_t clean = 0;
    const auto event = backend_->record(0, on);
    ASSERT_TRUE(event);
    ASSERT_TRUE(launch(good, 0, &clean));
    ASSERT_TRUE(backend_->wait(0, 0, *event));
    ASSERT_TRUE(backend_->synchronize(0, 0));
    EXPECT_EQ(clean, 0);
    backend_->destroy_event(0, *event);
    ASSERT_TRUE(backend_->synchronize(0, on));
    EXPECT_EQ(word, 7);
  }
  word = 0;
  faulty = false;
  ASSERT_TRUE(backend_->replay(0, *graph, s));
  ASSERT_TRUE(backend_->synchronize(0, s));
  EXPECT_EQ(word, 0) << "an earlier replay's fault";
  faulty = true;
  // Destroyed while it runs: its stand-in waits for the stream, too.
  word = 0;
  ASSERT_TRUE(backend_->replay(0, *graph, s));
  backend_->destroy_graph(0, *graph);
  std::int32_t clean = 0;
  ASSERT_TRUE(launch(good, other, &clean));
  ASSERT_TRUE(backend_->synchronize(0, s));
  ASSERT_TRUE(backend_->synchronize(0, other));
  EXPECT_EQ(word, 7);
  EXPECT_EQ(clean, 0);
  backend_->destroy_stream(0, s);
  backend_->destroy_stream(0, other);
}

TEST_F(FakeCuda, UpdatesDoNotCountTheLaunchesOfLibraryCalls) {
  const auto s = stream();
  const auto k = kernel("noop");
  const auto with = [&](std::int64_t number, bool is_in_call) {
    LaunchArgs args{.end = 1};
    args.numbers = &number;
    args.number_count = 1;
    args.is_in_call = is_in_call;
    return backend_->launch(0, k, args, s);
  };
  ASSERT_TRUE(backend_->begin_capture(0, s));
  ASSERT_TRUE(with(1, false));
  ASSERT_TRUE(with(2, true));
  ASSERT_TRUE(with(3, false));
  const auto graph = backend_->end_capture(0, s);
  ASSERT_TRUE(graph);
  const std::int64_t other = 30;
  LaunchArgs args{.end = 1};
  args.numbers = &other;
  args.number_count = 1;
  ASSERT_TRUE(backend_->update(0, *graph, 1, args));
  EXPECT_FALSE(backend_->update(0, *graph, 2, args)) << "there are two";
  ASSERT_TRUE(backend_->replay(0, *graph, s));
  ASSERT_TRUE(backend_->synchronize(0, s));
  ASSERT_EQ(fake_.launches.size(), 3u);
  for (const auto& [i, number] : {std::pair(0, 1), std::pair(1, 2), std::pair(2, 30)})
    EXPECT_EQ(fake_.launches[static_cast<std::size_t>(i)].words[0], static_cast<std::uint64_t>(number)) << i;
  backend_->destroy_graph(0, *graph);
  backend_->destroy_stream(0, s);
}

TEST_F(FakeCuda, FaultsInSomebodyElsesCaptureHarmNobody) {
  fake_.kernels["fault"] = report_fault;
  const auto s = stream();
  std::int32_t word = 0;
  fake_.foreign_capture = true;
  ASSERT_TRUE(launch(kernel("fault"), s, &word));
  fake_.foreign_capture = false;
  std::int32_t own = 0;
  ASSERT_TRUE(launch(kernel("noop"), s, &own));
  ASSERT_TRUE(backend_->synchronize(0, s));
  EXPECT_EQ(word, 0);
  EXPECT_EQ(own, 0);
  EXPECT_NE(fake_.launches.at(0).words.back(), fake_.launches.at(1).words.back());
  backend_->destroy_stream(0, s);
}

TEST_F(FakeCuda, CapturesThatCannotBeAreErrors) {
  const auto s = stream();
  EXPECT_FALSE(backend_->begin_capture(0, 0)) << "the default stream";
  EXPECT_FALSE(backend_->end_capture(0, s)) << "nothing was begun";
  EXPECT_FALSE(backend_->replay(0, 12345, s));
  ASSERT_TRUE(backend_->begin_capture(0, s));
  EXPECT_FALSE(backend_->begin_capture(0, s));
  std::int32_t word = 0;
  ASSERT_TRUE(launch(kernel("noop"), s, &word));
  fake_.failures["cuGraphInstantiate"] = CUDA_ERROR_OUT_OF_MEMORY;
  const auto failed = backend_->end_capture(0, s);
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().message.find("cuGraphInstantiate"), std::string::npos) << failed.error().message;
  EXPECT_TRUE(fake_.graphs.empty());
  fake_.failures.clear();
  ASSERT_TRUE(backend_->begin_capture(0, s));
  fake_.failures["cuStreamEndCapture"] = CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
  EXPECT_FALSE(backend_->end_capture(0, s));
  fake_.failures.clear();
  ASSERT_TRUE(backend_->begin_capture(0, s)) << "the stream is as good as before";
  const auto graph = backend_->end_capture(0, s);
  ASSERT_TRUE(graph);
  backend_->destroy_graph(0, *graph);
  backend_->destroy_stream(0, s);
}

}  // namespace
}  // namespace jitney::backend::cuda
