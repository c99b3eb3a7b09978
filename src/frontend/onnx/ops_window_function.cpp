// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// HannWindow, HammingWindow, BlackmanWindow, MelWeightMatrix.
#include <cmath>
#include <numbers>

#include "frontend/onnx/arithmetic.h"
#include "frontend/onnx/registry.h"

namespace jitney::onnx {
namespace {

using ir::Dim;
using ir::Op;
using ir::ValueId;

/// a - b cos(angle) + c cos(2 angle)
Status cosine_window(NodeContext& c, double constant, double first, double second) {
  GraphBuilder& b = c.b;
  JITNEY_TRY(const auto size, c.dims(0, "the size"));
  if (size.size() != 1) return c.error("its size must be one number");
  JITNEY_TRY(const DType dtype, to_dtype(static_cast<int>(c.integer("output_datatype", 1)), c.label()));
  const bool periodic = c.integer("periodic", 1) != 0;
  b.require(ir::Guard::Relation::less_equal, Dim(0), size[0], fmt::format("{}: its size is negative", c.label()));
  const Arithmetic m{b, dtype == DType::f64 ? DType::f64 : DType::f32};
  const ValueId part = m.div(m.counter(size[0], 1, 0), m.number(periodic ? size[0] : size[0] - Dim(1)));
  const auto wave = [&](double turns) { return b.unary(Op::cos, m.mul(part, m.number(2 * std::numbers::pi * turns))); };
  ValueId y = m.sub(m.number(constant), m.mul(m.number(first), wave(1)));
  if (second != 0) y = m.add(y, m.mul(m.number(second), wave(2)));
  return c.set(0, b.cast(y, dtype));
}

Status hann(NodeContext& c) { return cosine_window(c, 0.5, 0.5, 0); }
Status hamming(NodeContext& c) { return cosine_window(c, 25.0 / 46, 21.0 / 46, 0); }
Status blackman(NodeContext& c) { return cosine_window(c, 0.42, 0.5, 0.08); }

/// Triangular filters, equally spaced in mels, over the bins of a transform.
Status mel_weight_matrix(NodeContext& c) {
  double given[5] = {};
  const char* names[5] = {"num_mel_bins", "dft_length", "sample_rate", "lower_edge_hertz", "upper_edge_hertz"};
  for (int i = 0; i < 5; ++i) {
    JITNEY_TRY(given[i], c.constant_number(i, names[i]));
  }
  const double mels = given[0], length = given[1], rate = given[2];
  if (!(mels >= 1 && mels <= 1 << 16) || !(length >= 1 && length <= 1 << 24) || !(rate >= 1))
    return c.error("it has {} filters for a transform of {} elements at a rate of {}", mels, length, rate);
  JITNEY_TRY(const DType dtype, to_dtype(static_cast<int>(c.integer("output_datatype", 1)), c.label()));
  const auto filters = static_cast<std::int64_t>(mels);
  const auto bins = static_cast<std::int64_t>(length) / 2 + 1;
  if (filters * bins > 1 << 26) return c.error("it has {} elements", filters * bins);
  const auto to_mel = [](double hertz) { return 2595 * std::log10(1 + hertz / 700); };
  const double low = to_mel(given[3]), step = (to_mel(given[4]) - low) / (mels + 2);
  std::vector<std::int64_t> edges;
  for (std::int64_t i = 0; i < filters + 2; ++i) {
    const double hertz = 700 * (std::pow(10, (low + static_cast<double>(i) * step) / 2595) - 1);
    const double bin = std::floor((length + 1) * hertz / rate);
    if (!(bin >= 0 && bin < 0x1p40)) return c.error("its edges are {} and {} hertz", given[3], given[4]);
    edges.push_back(static_cast<std::int64_t>(bin));
  }
  Tensor weights(DType::f32, {bins, filters});
  auto* out = weights.as<float>();
  std::fill(out, out + bins * filters, 0.0f);
  for (std::int64_t i = 0; i < filters; ++i) {
    const auto k = static_cast<std::size_t>(i);
    const std::int64_t left = edges[k], middle = edges[k + 1], right = edges[k + 2];
    if (middle >= bins || right > bins) return c.error("its filters reach bin {} of {}", right, bins);
    for (std::int64_t j = left; j <= middle; ++j)
      out[j * filters + i] =
          left == middle ? 1.0f
                         : static_cast<float>(static_cast<double>(j - left) / static_cast<double>(middle - left));
    for (std::int64_t j = middle; j < right; ++j)
      out[j * filters + i] = static_cast<float>(static_cast<double>(right - j) / static_cast<double>(right - middle));
  }
  return c.set(0, c.b.cast(c.b.constant(c.node.output(0) + ".weights", std::move(weights)), dtype));
}

}  // namespace

std::span<const OperatorRow> window_function_operators() {
  static constexpr OperatorRow kRows[] = {
      {"HannWindow", 17, 1, 1, hann},
      {"HammingWindow", 17, 1, 1, hamming},
      {"BlackmanWindow", 17, 1, 1, blackman},
      {"MelWeightMatrix", 17, 5, 5, mel_weight_matrix},
  };
  return kRows;
}

}  // namespace jitney::onnx
