// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "frontend/onnx/dim_bounds.h"
#include "ir/dim.h"

namespace jitney::onnx {

/// Larger tensors are data, not shapes: their elements are not followed.
inline constexpr std::int64_t kMaxKnownElements = 1024;

/// An integer or boolean tensor whose elements are known as expressions over the symbols: what models compute
/// shapes with. Row-major; booleans are 0 and 1.
struct ShapeTensor {
  std::vector<std::int64_t> shape;
  std::vector<ir::Dim> values;

  static ShapeTensor scalar(ir::Dim value) { return {{}, {std::move(value)}}; }
  static ShapeTensor vector(std::vector<ir::Dim> values);

  bool all_constant() const;
  /// The elements as integers; nothing if one is symbolic.
  std::optional<std::vector<std::int64_t>> constants() const;
};

using ElementFunction = std::function<std::optional<ir::Dim>(const ir::Dim&, const ir::Dim&)>;

/// f of each pair of elements under numpy broadcasting; nothing if shapes do not fit, the result is too large, or f
/// gives nothing for one of them.
std::optional<ShapeTensor> zip(const ShapeTensor& a, const ShapeTensor& b, const ElementFunction& f);

/// Selects elements: result[i...] = data[map(i...)]. The map gets the result's index and rewrites it into the
/// data's, which must lie inside the data's shape.
ShapeTensor select(const ShapeTensor& data, std::vector<std::int64_t> result_shape,
                   const std::function<std::vector<std::int64_t>(const std::vector<std::int64_t>&)>& map);

/// Parts must have one rank and agree outside the axis; nothing otherwise.
std::optional<ShapeTensor> concat(const std::vector<ShapeTensor>& parts, int axis);

/// a / b as ONNX divides integers (towards zero); nothing where that has no exact expression.
std::optional<ir::Dim> truncating_division(const ir::Dim& a, const ir::Dim& b, const Symbols& symbols);

}  // namespace jitney::onnx
