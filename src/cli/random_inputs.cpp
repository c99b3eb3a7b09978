// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cli/random_inputs.h"

#include <cmath>
#include <cstdint>
#include <numbers>
#include <type_traits>

#include "ir/element.h"

namespace jitney::cli {
namespace {

/// SplitMix64 by Steele, Lea and Flood: the standard's distributions differ between libraries, and the same seed must
/// give the same input everywhere.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  /// In (0, 1]: never 0, whose logarithm is infinite.
  double uniform() { return static_cast<double>((next() >> 11) + 1) * 0x1p-53; }

  /// Box-Muller, which gives two at a time.
  double normal() {
    if (has_spare_) {
      has_spare_ = false;
      return spare_;
    }
    const double radius = std::sqrt(-2 * std::log(uniform())), angle = 2 * std::numbers::pi * uniform();
    spare_ = radius * std::sin(angle);
    has_spare_ = true;
    return radius * std::cos(angle);
  }

 private:
  std::uint64_t state_;
  double spare_ = 0;
  bool has_spare_ = false;
};

}  // namespace

Tensor random_tensor(DType dtype, std::vector<std::int64_t> shape, std::uint64_t seed) {
  Tensor tensor(dtype, std::move(shape));
  Random random(seed);
  const std::int64_t count = tensor.num_elements();
  ir::with_element(dtype, [&](auto element) {
    using T = decltype(element);
    T* data = tensor.as<T>();
    for (std::int64_t i = 0; i < count; ++i) {
      if constexpr (ir::kIsFloating<T>) {
        data[i] = ir::store<T>(random.normal());
      } else {
        // The remainder's bias at 64 bits is far below what anybody can measure.
        data[i] = ir::store<T>(random.next() % (std::is_same_v<T, ir::Bool> ? 2 : 10));
      }
    }
  });
  return tensor;
}

}  // namespace jitney::cli
