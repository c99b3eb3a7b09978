// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace jitney {

/// The shapes that one input may have: min[i] <= extent i <= max[i]; opt is the shape that matters most. All empty: any
/// shape that the model takes (of an input of rank 0: its only one).
struct ShapeRange {
  std::vector<std::int64_t> min, opt, max;
  friend bool operator==(const ShapeRange&, const ShapeRange&) = default;
};

/// One promise about shapes: a range for each input of an engine, in its order. An engine with profiles refuses shapes
/// that are in none of them, and has specialized kernels for their optima soon after its first context is made.
struct OptimizationProfile {
  std::vector<ShapeRange> inputs;
  friend bool operator==(const OptimizationProfile&, const OptimizationProfile&) = default;
};

/// In place of a profile's index: the one in use as long as it fits, else the first that does.
inline constexpr int kAutoProfile = -1;

}  // namespace jitney
