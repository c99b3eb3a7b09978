// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/known_algorithms.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace jitney::backend::cuda {
namespace {

/// Rows that are 256 times as many, or columns or depth that are four times as long.
constexpr double kFarthest = 8;
/// Depth and columns decide more about an algorithm than rows do: by how they are divided among blocks.
constexpr double kOtherExtents = 4;
/// Beyond that many the oldest go; a model has some tens.
constexpr std::size_t kMost = 4096;

/// All that an algorithm is bound to but the extents.
std::string kind_of(int device, const Product& p) {
  const auto layout = [&](const Product::Matrix& m) {
    const auto bytes = static_cast<std::int64_t>(size_of(p.dtype));
    return fmt::format("{}{}{}", m.transposed ? 't' : 'n', m.stride * bytes % 16 == 0,
                       m.batch_stride * bytes % 16 == 0);
  };
  return fmt::format("{} {} {} {} {} {} {} {} {}", device, to_string(p.dtype), layout(p.left), layout(p.right),
                     layout(p.result), p.batch > 1, static_cast<int>(p.activation), p.bias >= 0, p.addend >= 0);
}

double factor(std::int64_t a, std::int64_t b) {
  const auto positive = [](std::int64_t n) { return static_cast<double>(std::max<std::int64_t>(n, 1)); };
  return std::abs(std::log2(positive(a) / positive(b)));
}

}  // namespace

void KnownAlgorithms::add(int device, const Product& p, const ProductAlgorithms& algorithms) {
  Known known{kind_of(device, p), p.m, p.n, p.k, algorithms};
  const std::lock_guard lock(mutex_);
  const auto same = std::ranges::find_if(known_, [&](const Known& other) {
    return other.m == known.m && other.n == known.n && other.k == known.k && other.kind == known.kind;
  });
  if (same != known_.end()) {
    *same = std::move(known);
    return;
  }
  if (known_.size() == kMost) known_.erase(known_.begin());
  known_.push_back(std::move(known));
}

std::optional<ProductAlgorithms> KnownAlgorithms::like(int device, const Product& p) const {
  const std::string kind = kind_of(device, p);
  const std::lock_guard lock(mutex_);
  const Known* nearest = nullptr;
  double least = kFarthest;
  for (const Known& known : known_) {
    if (known.kind != kind) continue;
    const double distance = factor(known.m, p.m) + kOtherExtents * (factor(known.n, p.n) + factor(known.k, p.k));
    if (distance > least || (nearest && distance == least)) continue;
    least = distance;
    nearest = &known;
  }
  if (nearest == nullptr) return std::nullopt;
  return nearest->algorithms;
}

}  // namespace jitney::backend::cuda
