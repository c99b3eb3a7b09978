// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cli/samples.h"

#include <algorithm>

namespace jitney::cli {

Samples::Samples(std::size_t capacity) : capacity_(std::max<std::size_t>(capacity, 2)) {}

void Samples::add(double value) {
  least_ = count_ == 0 ? value : std::min(least_, value);
  greatest_ = count_ == 0 ? value : std::max(greatest_, value);
  sum_ += value;
  if (count_++ % every_ != 0) return;
  if (kept_.size() == capacity_) {
    thin();
    if ((count_ - 1) % every_ != 0) return;
  }
  kept_.push_back(value);
}

void Samples::thin() {
  for (std::size_t i = 0; 2 * i < kept_.size(); ++i) kept_[i] = kept_[2 * i];
  kept_.resize((kept_.size() + 1) / 2);
  every_ *= 2;
}

void Samples::merge(const Samples& other) {
  if (other.count_ == 0) return;
  Samples rest = other;
  while (every_ < rest.every_) thin();
  while (rest.every_ < every_) rest.thin();
  least_ = count_ == 0 ? rest.least_ : std::min(least_, rest.least_);
  greatest_ = count_ == 0 ? rest.greatest_ : std::max(greatest_, rest.greatest_);
  sum_ += rest.sum_;
  count_ += rest.count_;
  kept_.insert(kept_.end(), rest.kept_.begin(), rest.kept_.end());
}

Latency Samples::summary() const {
  if (count_ == 0) return {};
  Latency result = summarize(kept_);
  result.iterations = static_cast<int>(std::min<std::uint64_t>(count_, 2'147'483'647));
  result.min = least_;
  result.max = greatest_;
  result.mean = sum_ / static_cast<double>(count_);
  return result;
}

}  // namespace jitney::cli
