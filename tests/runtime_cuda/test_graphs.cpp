// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime_cuda/support.h"

/// Native graphs: what is captured, patched, replayed and dropped.
namespace jitney::runtime {
namespace {

class Graphs : public FakeExecutor {
 protected:
  /// Runs on fresh memory each time, and looks at the result.
  void run_anew(CUstream stream, float value) {
    float* x = tensor(stream);
    float* z = tensor(stream);
    float result = 0;
    produce(stream, x, value);
    ASSERT_TRUE(run(stream, x, z));
    consume(stream, z, result);
    kept_.push_back({x, stream});
    kept_.push_back({z, stream});
    fake_.drain();
    ASSERT_EQ(result, 2 * value + 1);
  }
  void TearDown() override {
    for (auto [memory, stream] : kept_) free(memory, stream);
    FakeExecutor::TearDown();
  }
  GraphCounts counts() const { return executor_->graph_counts(); }
  std::vector<std::pair<float*, CUstream>> kept_;  ///< so that no address comes twice
};

TEST_F(Graphs, OtherAddressesPatchTheKernelsOfOneGraph) {
  make(true);
  CUstream s = fake_.make_stream();
  for (int i = 0; i < 6; ++i) run_anew(s, static_cast<float>(i));
  EXPECT_EQ(counts().captured, 1u);
  EXPECT_EQ(counts().replayed, 5u);
  EXPECT_EQ(counts().updated, 4u) << "the capture had the first addresses";
  EXPECT_EQ(fake_.count("cuMemcpyDtoDAsync"), 0);
  fake_.calls.clear();
  auto [x, xs] = kept_[0];
  auto [z, zs] = kept_[1];
  ASSERT_TRUE(run(s, x, z));
  ASSERT_TRUE(run(s, x, z));
  EXPECT_EQ(fake_.count("cuGraphExecKernelNodeSetParams"), 2) << "the same addresses need no patch";
  EXPECT_EQ(fake_.count("cuGraphLaunch"), 2);
  EXPECT_EQ(fake_.count("cuLaunchKernel"), 0);
}

TEST_F(Graphs, LibraryCallsGetBuffersOnceAddressesVary) {
  make(true, /*is_call=*/true);
  CUstream s = fake_.make_stream();
  run_anew(s, 1);
  auto [x, xs] = kept_[0];
  auto [z, zs] = kept_[1];
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(run(s, x, z));
  fake_.drain();
  EXPECT_EQ(counts().captured, 1u);
  EXPECT_EQ(fake_.count("cuMemcpyDtoDAsync"), 0) << "addresses that stay are used as they are";
  for (int i = 0; i < 5; ++i) run_anew(s, static_cast<float>(i));
  EXPECT_EQ(counts().captured, 2u) << "one more for addresses that vary, however often they do";
  EXPECT_EQ(fake_.count("cuMemcpyDtoDAsync"), 5) << "of the output that the library call writes";
}

TEST_F(Graphs, EveryStreamKeepsItsGraph) {
  make(true);
  CUstream a = fake_.make_stream(), b = fake_.make_stream();
  for (int i = 0; i < 4; ++i) {
    run_anew(a, static_cast<float>(i));
    run_anew(b, static_cast<float>(i));
    run_anew(nullptr, static_cast<float>(i));
  }
  EXPECT_EQ(counts().captured, 3u);
  EXPECT_EQ(counts().fallbacks, 0u);
}

TEST_F(Graphs, OtherKernelsAreAnotherGraph) {
  make(true);
  CUstream s = fake_.make_stream();
  for (int i = 0; i < 3; ++i) run_anew(s, 1);
  fake_.kernels["other"] = fake_.kernels["double"];
  const std::string_view text = ".version 8.0\n.target sm_90\n";
  const auto module = value_or_throw(backend_->load(0, std::as_bytes(std::span(text))));
  kernels_[0] = value_or_throw(backend_->kernel(0, module, "other"));
  for (int i = 0; i < 3; ++i) run_anew(s, 1);
  EXPECT_EQ(counts().captured, 2u);
}

TEST_F(Graphs, TheLeastRecentlyUsedGoes) {
  make(true);
  std::vector<CUstream> streams;
  for (int i = 0; i < 40; ++i) streams.push_back(fake_.make_stream());
  for (int round = 0; round < 2; ++round)
    for (CUstream s : streams) run_anew(s, 2);
  EXPECT_EQ(fake_.executables.size(), 32u);
  EXPECT_EQ(fake_.graphs.size(), 32u) << "what is recorded goes with what runs it";
}

TEST_F(Graphs, Mode35_AStreamWithAnOldOnesHandleIsAnotherStream) {
  make(true);
  CUstream s = fake_.make_stream();
  for (int i = 0; i < 3; ++i) run_anew(s, 1);
  fake_.identities[s] += 1;
  run_anew(s, 1);
  EXPECT_EQ(counts().captured, 2u);
}

TEST_F(Graphs, InSomebodyElsesCaptureTheWorkIsLent) {
  for (const bool captures : {false, true}) {
    for (const bool is_call : {false, true}) {
      make(captures, is_call);
      CUstream s = fake_.make_stream();
      float* x = tensor(s);
      float* z = tensor(s);
      for (int i = 0; i < 3; ++i) ASSERT_TRUE(run(s, x, z));
      fake_.drain();
      const auto before = counts();
      fake_.launches.clear();
      fake_.calls.clear();
      const std::size_t memory = fake_.memory.size();
      fake_.capture(s);
      ASSERT_TRUE(run(s, x, z));
      const auto recorded = fake_.end_capture(s);
      EXPECT_EQ(recorded.size(), 3u) << "two steps, and the end of the graph's memory";
      EXPECT_EQ(fake_.count("cuGraphLaunch") + fake_.count("cuStreamBeginCapture") + fake_.count("cuEventRecord"), 0);
      EXPECT_EQ(fake_.count("cuStreamSynchronize"), 0);
      EXPECT_EQ(fake_.launches.size(), 0u) << "nothing runs";
      EXPECT_EQ(counts().lent, before.lent + 1);
      EXPECT_EQ(counts().replayed, before.replayed);
      EXPECT_EQ(fake_.memory.size(), memory + 1) << "it shares no memory with other runs";
      std::fill_n(x, kCount, 5.0f);
      for (const auto& operation : recorded) operation();  // the replay, which here can be one only
      EXPECT_EQ(z[0], 11);
      EXPECT_EQ(fake_.memory.size(), memory);
      ASSERT_TRUE(run(s, x, z)) << "afterwards everything is as before";
      fake_.drain();
      free(x, s);
      free(z, s);
      executor_.reset();
    }
  }
}

TEST_F(Graphs, WhatTheInterpreterRunsIsNotCapturable) {
  make(true);
  const auto kernels = kernels_;
  EXPECT_EQ(value_or_throw(executor_->why_not_capturable(*plan_, kernels)), "");
  kernels_[1] = 0;
  EXPECT_EQ(value_or_throw(executor_->why_not_capturable(*plan_, kernels_)),
            "'increment' runs in the reference interpreter");
  CUstream s = fake_.make_stream();
  float* x = tensor(s);
  fake_.capture(s);
  const auto refused = run(s, x, x);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("'increment' runs in the reference interpreter"), std::string::npos);
  EXPECT_TRUE(fake_.end_capture(s).empty());
  free(x, s);
}

TEST_F(Graphs, ACaptureThatFailsIsAFallback) {
  make(true);
  CUstream s = fake_.make_stream();
  for (const char* call : {"cuStreamBeginCapture", "cuStreamEndCapture", "cuGraphInstantiate"}) {
    fake_.failures[call] = CUDA_ERROR_UNKNOWN;
    run_anew(s, 3);
    run_anew(s, 4);
  }
  EXPECT_EQ(counts().captured, 0u);
  EXPECT_EQ(counts().fallbacks, 5u);
  fake_.failures.clear();
  run_anew(s, 5);
  EXPECT_EQ(counts().captured, 1u);
}

}  // namespace
}  // namespace jitney::runtime
