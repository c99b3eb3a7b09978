// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/stopwatch.h"

#include <algorithm>
#include <chrono>
#include <mutex>

namespace jitney::backend::cuda {
namespace {

constexpr std::size_t kAlignment = 256;
/// More than the last-level cache of any GPU of today holds.
constexpr std::size_t kMoreThanCaches = std::size_t{192} << 20;
constexpr std::size_t kRuns = 20;
constexpr int kTries = 2, kRounds = 4;
/// What another must be faster by, in parts of the recommended one's time: less is noise.
constexpr double kClearly = 0.97;

std::mutex& one_at_a_time() {
  static std::mutex mutex;
  return mutex;
}

}  // namespace

Stopwatch::Stopwatch(Backend& backend, int device, std::vector<std::size_t> areas, std::optional<std::size_t> weights)
    : backend_(backend), device_(device), weights_(weights) {
  for (std::size_t i = 0; i < areas.size(); ++i) {
    const std::size_t bytes = (areas[i] + kAlignment) / kAlignment * kAlignment;
    offsets_.push_back(fixed_bytes_);
    (weights == i ? weight_bytes_ : fixed_bytes_) += bytes;
  }
  copies_ = std::clamp<std::size_t>(kMoreThanCaches / std::max<std::size_t>(weight_bytes_, 1), 1, kRuns);
}

Stopwatch::~Stopwatch() {
  if (stream_ != 0) {
    backend_.free(device_, memory_, bytes(), stream_);
    static_cast<void>(backend_.synchronize(device_, stream_));
    backend_.destroy_stream(device_, stream_);
  }
}

Status Stopwatch::prepare() {
  if (stream_ != 0) return {};
  // In the order of its own stream: the default one would wait for everybody else's work, and they for it.
  JITNEY_TRY(const StreamHandle stream, backend_.create_stream(device_, {}));
  auto memory = backend_.allocate(device_, bytes(), stream);
  if (!memory) {
    backend_.destroy_stream(device_, stream);
    return tl::unexpected(memory.error());
  }
  memory_ = static_cast<char*>(*memory);
  stream_ = stream;
  return {};
}

template <class Work>
auto Stopwatch::with_scratch(std::size_t bytes, const Work& work) -> decltype(work(nullptr)) {
  const std::lock_guard lock(one_at_a_time());
  JITNEY_CHECK(prepare());
  JITNEY_TRY(void* scratch, backend_.allocate(device_, bytes, stream_));
  auto result = work(scratch);
  static_cast<void>(backend_.synchronize(device_, stream_));
  backend_.free(device_, scratch, bytes, stream_);
  return result;
}

Expected<double> Stopwatch::seconds(std::size_t scratch_bytes, const Run& run) {
  return with_scratch(scratch_bytes, [&](void* scratch) { return replayed(run, scratch); });
}

Status Stopwatch::once(std::size_t scratch_bytes, const Run& run) {
  return with_scratch(scratch_bytes, [&](void* scratch) -> Status {
    JITNEY_CHECK(launch(run, scratch, 0));
    return backend_.synchronize(device_, stream_);
  });
}

Status Stopwatch::launch(const Run& run, void* scratch, std::size_t number) {
  std::vector<char*> areas(offsets_.size());
  std::ranges::transform(offsets_, areas.begin(), [&](std::size_t offset) { return memory_ + offset; });
  if (weights_) areas[*weights_] = memory_ + fixed_bytes_ + number % copies_ * weight_bytes_;
  return run(areas, scratch, stream_);
}

Expected<double> Stopwatch::replayed(const Run& run, void* scratch) {
  // Outside of the capture first: libraries load and configure kernels in their first run.
  JITNEY_CHECK(launch(run, scratch, 0));
  JITNEY_CHECK(backend_.synchronize(device_, stream_));
  JITNEY_CHECK(backend_.begin_capture(device_, stream_));
  Status ran;
  for (std::size_t i = 0; i < kRuns && ran; ++i) ran = launch(run, scratch, i);
  auto graph = backend_.end_capture(device_, stream_);
  if (!graph) return tl::unexpected(ran ? graph.error() : ran.error());
  double least = -1;
  for (int i = 0; i <= kTries && ran; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    ran = backend_.replay(device_, *graph, stream_);
    if (ran) ran = backend_.synchronize(device_, stream_);
    const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() / kRuns;
    if (i > 0 && (least < 0 || took < least)) least = took;  // the first replay uploads the graph
  }
  backend_.destroy_graph(device_, *graph);
  JITNEY_CHECK(ran);
  return least;
}

std::vector<double> race(std::size_t candidates, const std::function<Expected<double>(std::size_t)>& seconds) {
  std::vector<double> least(candidates, -1);
  std::vector<bool> runs(candidates, true);
  for (int round = 0; round < kRounds; ++round) {
    for (std::size_t i = 0; i < candidates; ++i) {
      if (!runs[i]) continue;
      const auto took = seconds(i);
      runs[i] = took.has_value();
      if (!runs[i])
        least[i] = -1;
      else if (round > 0 && (least[i] < 0 || *took < least[i]))
        least[i] = *took;  // the first round wakes the chip
    }
  }
  return least;
}

std::optional<std::size_t> fastest(std::span<const double> seconds) {
  std::optional<std::size_t> best, recommended;
  for (std::size_t i = 0; i < seconds.size(); ++i) {
    if (seconds[i] < 0) continue;
    if (!recommended) recommended = i;
    if (!best || seconds[i] < seconds[*best]) best = i;
  }
  if (best && seconds[*best] > kClearly * seconds[*recommended]) return recommended;
  return best;
}

}  // namespace jitney::backend::cuda
