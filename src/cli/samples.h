// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cli/statistics.h"

namespace jitney::cli {

/// Measurements of any number in bounded memory. Count, mean, least and greatest are exact. Percentiles are exact up to
/// `capacity` samples; beyond that every second, fourth, ... sample stands for its neighbours. For one thread.
class Samples {
 public:
  Samples() : Samples(std::size_t{1} << 20) {}
  explicit Samples(std::size_t capacity);
  void add(double value);
  /// As if both had been measured in one: what was thinned out more counts as much for each sample kept.
  void merge(const Samples& other);
  std::uint64_t count() const { return count_; }
  Latency summary() const;

 private:
  void thin();

  std::size_t capacity_;
  std::vector<double> kept_;
  std::uint64_t every_ = 1, count_ = 0;
  double sum_ = 0, least_ = 0, greatest_ = 0;
};

}  // namespace jitney::cli
