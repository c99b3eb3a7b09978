// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>

#include "ir/element.h"
#include "ir/interpret_internal.h"
#include "ir/strided.h"

namespace jitney::ir {
namespace {

/// exp(x - max) / sum along the axis; log_softmax: x - max - log(sum).
template <class T>
void softmax(const NodeRun& run) {
  const Extents& shape = run.out.shape();
  const auto axis = static_cast<std::size_t>(run.node.integer("axis"));
  const std::int64_t n = shape[axis], inner = count(shape, axis + 1, shape.size()), outer = count(shape, 0, axis);
  const T* x = run.in(0).as<T>();
  T* y = run.out.as<T>();
  for (std::int64_t row = 0; row < outer * inner; ++row) {
    const std::int64_t base = row / inner * n * inner + row % inner;
    double max = -std::numeric_limits<double>::infinity(), sum = 0;
    for (std::int64_t i = 0; i < n; ++i) max = std::max(max, load(x[base + i * inner]));
    for (std::int64_t i = 0; i < n; ++i) sum += std::exp(load(x[base + i * inner]) - max);
    for (std::int64_t i = 0; i < n; ++i) {
      const double shifted = load(x[base + i * inner]) - max;
      y[base + i * inner] = store<T>(run.node.op == Op::softmax ? std::exp(shifted) / sum : shifted - std::log(sum));
    }
  }
}

/// (x - mean) / sqrt(variance + epsilon) * scale + bias over [axis, rank); the variance is of the whole population.
template <class T>
Status layer_norm(const NodeRun& run) {
  const Extents& shape = run.out.shape();
  const auto axis = static_cast<std::size_t>(run.node.integer("axis"));
  const std::int64_t rows = count(shape, 0, axis), n = count(shape, axis, shape.size());
  const Extents row_shape(shape.begin() + static_cast<std::ptrdiff_t>(axis), shape.end());
  const T* x = run.in(0).as<T>();
  T* y = run.out.as<T>();
  // Scale and bias, expanded to one row.
  std::vector<double> scale(static_cast<std::size_t>(n), 1), bias(static_cast<std::size_t>(n), 0);
  for (std::size_t i = 1; i < 3; ++i) {
    if (!run.has(i)) continue;
    const auto strides = broadcast_strides(run.in(i).shape(), row_shape);
    if (!strides) return internal_error("input {} does not broadcast to what is normalized", i);
    StridedWalk at(row_shape, *strides);
    for (double& v : i == 1 ? scale : bias) {
      v = load(run.in(i).as<T>()[at.offset()]);
      at.next();
    }
  }
  for (std::int64_t row = 0; row < rows; ++row, x += n, y += n) {
    double mean = 0, variance = 0;
    for (std::int64_t i = 0; i < n; ++i) mean += load(x[i]);
    mean /= static_cast<double>(n);
    for (std::int64_t i = 0; i < n; ++i) variance += (load(x[i]) - mean) * (load(x[i]) - mean);
    const double deviation = std::sqrt(variance / static_cast<double>(n) + run.node.real("epsilon"));
    for (std::int64_t i = 0; i < n; ++i) {
      const auto at = static_cast<std::size_t>(i);
      y[i] = store<T>((load(x[i]) - mean) / deviation * scale[at] + bias[at]);
    }
  }
  return {};
}

/// (x - mean) / sqrt(variance + epsilon) * scale + bias, each of them by channel (axis 1).
template <class T>
void batch_norm(const NodeRun& run) {
  const Extents& shape = run.out.shape();
  const std::int64_t inner = count(shape, 2, shape.size()), channels = shape[1];
  const std::int64_t n = run.out.num_elements();
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t c = i / inner % channels;
    const auto by_channel = [&](std::size_t input) { return load(run.in(input).as<T>()[c]); };
    const double deviation = std::sqrt(by_channel(4) + run.node.real("epsilon"));
    run.out.as<T>()[i] =
        store<T>((load(run.in(0).as<T>()[i]) - by_channel(3)) / deviation * by_channel(1) + by_channel(2));
  }
}

}  // namespace

Status interpret_normalize(const NodeRun& run) {
  if (run.out.num_elements() == 0) return {};
  return with_element(run.out.dtype(), [&]<class T>(T) -> Status {
    if constexpr (kIsFloating<T>) {
      if (run.node.op == Op::layer_norm) return layer_norm<T>(run);
      if (run.node.op == Op::batch_norm) {
        batch_norm<T>(run);
      } else {
        softmax<T>(run);
      }
      return {};
    } else {
      return internal_error("{} is no dtype for it", to_string(run.out.dtype()));
    }
  });
}

}  // namespace jitney::ir
