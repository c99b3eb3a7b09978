// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "backend/backend.h"

namespace jitney::backend::cuda {

/// Times what a library offers for one call, in memory of its own: many runs in one graph, so that neither the
/// processor's time nor a launch's is in it. Weights are found in a cache or read from memory, as a model of that size
/// would. One is timed at a time in this process, whatever the thread.
class Stopwatch {
 public:
  /// areas: bytes of each operand; weights: the number of the one of which there are as many copies as no cache holds,
  /// nothing for none. The device's context is current, as in seconds().
  Stopwatch(Backend& backend, int device, std::vector<std::size_t> areas, std::optional<std::size_t> weights);
  ~Stopwatch();
  Stopwatch(const Stopwatch&) = delete;

  /// Launches the call once. `areas` are aligned to 256 bytes; what they hold is arbitrary.
  using Run = std::function<Status(std::span<char* const> areas, void* scratch, StreamHandle stream)>;
  /// Of one run, the least of a few tries. Fails as the run does, and where there is no memory or no capture.
  Expected<double> seconds(std::size_t scratch_bytes, const Run& run);
  /// Runs it once and waits, so that a library has loaded what it takes.
  Status once(std::size_t scratch_bytes, const Run& run);

 private:
  Status prepare();
  /// What `work` gives, which gets scratch memory; one is at work at a time.
  template <class Work>
  auto with_scratch(std::size_t bytes, const Work& work) -> decltype(work(nullptr));
  Expected<double> replayed(const Run& run, void* scratch);
  /// `number`: which copy of the weights.
  Status launch(const Run& run, void* scratch, std::size_t number);
  std::size_t bytes() const { return fixed_bytes_ + copies_ * weight_bytes_; }

  Backend& backend_;
  const int device_;
  std::vector<std::size_t> offsets_;
  const std::optional<std::size_t> weights_;
  std::size_t fixed_bytes_ = 0, weight_bytes_ = 0, copies_ = 1;
  char* memory_ = nullptr;
  StreamHandle stream_ = 0;
};

/// The least time of each candidate over a few rounds, in turns: a chip is slower when it has just woken up, which
/// would otherwise be held against the first one. Below zero for one that could not run.
std::vector<double> race(std::size_t candidates, const std::function<Expected<double>(std::size_t)>& seconds);

/// The number of the least time; the first one, which the library recommends, unless another is clearly faster. Times
/// below zero are of what could not run. Nothing where none could.
std::optional<std::size_t> fastest(std::span<const double> seconds);

}  // namespace jitney::backend::cuda
