// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Tensors in files, what they differ by, and a process's memory: for jitney_traffic.cpp.
#pragma once

#include <jitney/jitney.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace bench {

/// {"file", "dtype", "shape"}; int64 or float32.
inline jitney::Tensor read(const nlohmann::json& spec) {
  jitney::Tensor t(spec.at("dtype") == "int64" ? jitney::DType::i64 : jitney::DType::f32,
                   spec.at("shape").get<std::vector<std::int64_t>>());
  std::ifstream file(spec.at("file").get<std::string>(), std::ios::binary);
  file.read(static_cast<char*>(t.data()), static_cast<std::streamsize>(t.num_bytes()));
  if (!file) throw std::runtime_error("cannot read " + spec.at("file").get<std::string>());
  return t;
}

inline float from_half(std::uint16_t h) {
  const std::uint32_t sign = (h & 0x8000u) << 16, exponent = (h >> 10) & 31u, fraction = h & 0x3ffu;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | fraction << 13);
  const float magnitude = exponent == 0 ? std::ldexp(static_cast<float>(fraction), -24)
                                        : std::bit_cast<float>((exponent + 112) << 23 | fraction << 13);
  return sign != 0 ? -magnitude : magnitude;
}

/// Of the first elements of `found` to `expected`: the largest difference, relative to the largest expected value; of
/// float16, 1 less the cosine. Infinite where a value is not finite.
inline double difference(const jitney::DeviceTensor& found, const jitney::Tensor& expected) {
  const auto count = static_cast<std::size_t>(expected.num_elements());
  const jitney::TensorView view = found.view();
  jitney::Tensor host(jitney::DType::f32, {0});
  const void* data = view.data;
  if (view.device.type == jitney::Device::Type::cuda) {
    host = found.download();
    data = host.data();
  }
  const bool is_half = found.dtype() == jitney::DType::f16;
  double worst = 0, largest = 1e-30, dot = 0, own = 1e-30, wanted = 1e-30;
  for (std::size_t i = 0; i < count; ++i) {
    const double f =
        is_half ? from_half(static_cast<const std::uint16_t*>(data)[i]) : static_cast<const float*>(data)[i];
    const double e = expected.as<float>()[i];
    if (!std::isfinite(f)) return HUGE_VAL;
    worst = std::max(worst, std::abs(f - e));
    largest = std::max(largest, std::abs(e));
    dot += f * e;
    own += f * f;
    wanted += e * e;
  }
  return is_half ? 1 - dot / std::sqrt(own * wanted) : worst / largest;
}

/// A row of /proc/self/status, in bytes.
inline std::int64_t memory(const std::string& row) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (word == row + ":") {
      std::int64_t kilobytes = 0;
      status >> kilobytes;
      return kilobytes * 1024;
    }
  return 0;
}

/// VmHWM counts from now on, where the system allows it.
inline void reset_peak_memory() { std::ofstream("/proc/self/clear_refs") << "5"; }

}  // namespace bench
