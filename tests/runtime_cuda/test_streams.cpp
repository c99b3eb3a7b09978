// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime_cuda/support.h"

/// Where runs happen, and what they wait for: on a driver that runs everything as late as its rules allow.
namespace jitney::runtime {
namespace {

class Streams : public FakeExecutor, public testing::WithParamInterface<bool> {
 protected:
  bool captures() const { return GetParam(); }
  /// Enough for a graph to be captured and replayed where there are any.
  static constexpr int kRuns = 4;
  std::vector<CUstream> all_but(CUstream stream) {
    std::vector<CUstream> others;
    for (const auto& [s, queue] : fake_.queues)
      if (s != stream) others.push_back(s);
    return others;
  }
};

TEST_P(Streams, ACallersStreamGetsTheWorkAndNoFence) {
  make(captures());
  CUstream s = fake_.make_stream();
  float* x = tensor(s);
  float* z = tensor(s);
  for (int i = 0; i < kRuns; ++i) {
    float result = 0;
    produce(s, x, static_cast<float>(i));
    fake_.calls.clear();
    ASSERT_TRUE(run(s, x, z));
    EXPECT_EQ(fake_.count("cuStreamSynchronize"), captures() && i == 1 ? 1 : 0) << "only a capture waits, for nothing";
    EXPECT_EQ(fake_.count("cuStreamWaitEvent"), 0);
    consume(s, z, result);
    EXPECT_EQ(result, 0) << "nobody has waited";
    for (CUstream other : all_but(s)) EXPECT_TRUE(fake_.queues[other].waiting.empty());
    fake_.run(s);
    EXPECT_EQ(result, 2.0f * static_cast<float>(i) + 1);
  }
  free(x, s);
  free(z, s);
  fake_.run(s);
}

TEST_P(Streams, TheDefaultStreamIsFencedOnBothSides) {
  make(captures());
  for (const bool own_first : {true, false}) {
    for (int i = 1; i <= kRuns; ++i) {
      float result = 0;
      float* x = tensor(nullptr);
      float* z = tensor(nullptr);
      produce(nullptr, x, static_cast<float>(i));
      ASSERT_TRUE(run(nullptr, x, z));
      consume(nullptr, z, result);
      // Given back at once, in the order of the default stream.
      free(x, nullptr);
      free(z, nullptr);
      EXPECT_EQ(result, 0) << "nobody has waited";
      if (own_first)
        for (CUstream own : all_but(nullptr)) fake_.run(own);
      fake_.run(nullptr);
      EXPECT_EQ(result, 2.0f * static_cast<float>(i) + 1) << own_first;
    }
  }
}

TEST_P(Streams, InputsMayBeFreedRightAfterTheCall) {
  make(captures());
  CUstream s = fake_.make_stream();
  for (int i = 1; i <= kRuns; ++i) {
    float* z = tensor(s);
    float* x = tensor(s);
    float result = 0;
    produce(s, x, static_cast<float>(i));
    ASSERT_TRUE(run(s, x, z));
    free(x, s);
    consume(s, z, result);
    free(z, s);
    fake_.drain();
    EXPECT_EQ(result, 2.0f * static_cast<float>(i) + 1);
  }
  EXPECT_EQ(executor_->graph_counts().captured, captures() ? 1u : 0u) << "other addresses are no reason to capture";
}

TEST_P(Streams, ASpaceThatGoesToAnotherStreamWaitsForItsLastUse) {
  make(captures());
  // More streams than there are spaces.
  std::vector<CUstream> streams;
  std::vector<float*> x, z;
  std::vector<float> results(24);
  for (std::size_t i = 0; i < results.size(); ++i) {
    streams.push_back(fake_.make_stream());
    x.push_back(tensor(streams[i]));
    z.push_back(tensor(streams[i]));
  }
  for (int round = 1; round <= 3; ++round) {
    for (std::size_t i = 0; i < streams.size(); ++i) {
      produce(streams[i], x[i], static_cast<float>(round * 100 + static_cast<int>(i)));
      ASSERT_TRUE(run(streams[i], x[i], z[i]));
      consume(streams[i], z[i], results[i]);
    }
    // The first ones stop in the middle of a run, with a value in their space that the last ones must leave alone.
    for (std::size_t i = 0; i < 16; ++i) fake_.run_until(streams[i], fake_.queues[streams[i]].done + 2);
    for (std::size_t i = streams.size(); i-- > 0;) fake_.run(streams[i]);
    for (std::size_t i = 0; i < streams.size(); ++i)
      EXPECT_EQ(results[i], 2.0f * static_cast<float>(round * 100 + static_cast<int>(i)) + 1) << i;
  }
  for (std::size_t i = 0; i < streams.size(); ++i) free(x[i], streams[i]), free(z[i], streams[i]);
}

TEST_P(Streams, Mode35_AStreamThatIsGoneIsNotTouchedAgain) {
  make(captures());
  for (int i = 0; i < 3; ++i) {
    CUstream s = fake_.make_stream();
    float* x = tensor(nullptr, 3);
    float* z = tensor(nullptr);
    for (int j = 0; j < kRuns; ++j) ASSERT_TRUE(run(s, x, z));
    fake_.destroy_stream(s);
    EXPECT_EQ(z[0], 7);
    fake_.run(nullptr);
    free(x, nullptr);
    free(z, nullptr);
  }
  executor_.reset();  // breaches would show in the end
}

TEST_P(Streams, Mode35_TheExecutorWaitsForWhatRunsBeforeItGoes) {
  make(captures());
  CUstream s = fake_.make_stream();
  float* x = tensor(s, 4);
  float* z = tensor(s);
  for (int i = 0; i < kRuns; ++i) ASSERT_TRUE(run(s, x, z));
  executor_.reset();
  EXPECT_EQ(z[0], 9);
  free(x, s);
  free(z, s);
}

TEST_P(Streams, AsynchronousAndWaitingCallsMix) {
  make(captures());
  CUstream s = fake_.make_stream();
  float* x = tensor(nullptr, 1);
  float* z = tensor(nullptr);
  for (int i = 0; i < kRuns; ++i) {
    ASSERT_TRUE(run(s, x, z));
    z[0] = 0;
    ASSERT_TRUE(run_and_wait(x, z));
    EXPECT_EQ(z[0], 3);
    ASSERT_TRUE(run(nullptr, x, z));
    fake_.drain();
  }
  free(x, nullptr);
  free(z, nullptr);
}

INSTANTIATE_TEST_SUITE_P(Launched, Streams, testing::Values(false));
INSTANTIATE_TEST_SUITE_P(Graphs, Streams, testing::Values(true));

}  // namespace
}  // namespace jitney::runtime
