// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "frontend/onnx/shape_tensor.h"

#include <algorithm>
#include <limits>

namespace jitney::onnx {
namespace {

using ir::Dim;
using Index = std::vector<std::int64_t>;

std::int64_t count_of(const Index& shape) {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) {
    if (extent == 0) return 0;
    if (count > kMaxKnownElements) break;
    count *= std::min<std::int64_t>(extent, kMaxKnownElements + 1);
  }
  return count;
}

std::size_t offset_of(const Index& shape, const Index& index) {
  std::int64_t offset = 0;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) offset = offset * shape[axis] + index[axis];
  return static_cast<std::size_t>(offset);
}

/// Calls f with every index of the shape, row-major.
template <class F>
void for_each_index(const Index& shape, F f) {
  Index index(shape.size(), 0);
  for (std::int64_t left = count_of(shape); left > 0; --left) {
    f(index);
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      if (++index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
}

}  // namespace

ShapeTensor ShapeTensor::vector(std::vector<Dim> values) {
  const auto count = static_cast<std::int64_t>(values.size());
  return {{count}, std::move(values)};
}

bool ShapeTensor::all_constant() const {
  return std::all_of(values.begin(), values.end(), [](const Dim& d) { return d.is_constant(); });
}

std::optional<std::vector<std::int64_t>> ShapeTensor::constants() const {
  std::vector<std::int64_t> result;
  for (const Dim& value : values) {
    const auto constant = value.constant();
    if (!constant) return std::nullopt;
    result.push_back(*constant);
  }
  return result;
}

std::optional<ShapeTensor> zip(const ShapeTensor& a, const ShapeTensor& b, const ElementFunction& f) {
  const std::size_t rank = std::max(a.shape.size(), b.shape.size());
  Index shape(rank, 1);
  for (std::size_t i = 0; i < rank; ++i) {
    const std::int64_t left = i < a.shape.size() ? a.shape[a.shape.size() - 1 - i] : 1;
    const std::int64_t right = i < b.shape.size() ? b.shape[b.shape.size() - 1 - i] : 1;
    if (left != right && left != 1 && right != 1) return std::nullopt;
    shape[rank - 1 - i] = left == 1 ? right : left;
  }
  if (count_of(shape) > kMaxKnownElements) return std::nullopt;
  const auto element = [&](const ShapeTensor& t, const Index& index) {
    Index own(index.end() - static_cast<std::ptrdiff_t>(t.shape.size()), index.end());
    for (std::size_t axis = 0; axis < own.size(); ++axis) {
      if (t.shape[axis] == 1) own[axis] = 0;
    }
    return t.values[offset_of(t.shape, own)];
  };
  ShapeTensor result{shape, {}};
  bool known = true;
  for_each_index(shape, [&](const Index& index) {
    if (!known) return;
    auto value = f(element(a, index), element(b, index));
    known = value.has_value();
    if (known) result.values.push_back(std::move(*value));
  });
  if (!known) return std::nullopt;
  return result;
}

ShapeTensor select(const ShapeTensor& data, Index result_shape, const std::function<Index(const Index&)>& map) {
  ShapeTensor result{std::move(result_shape), {}};
  for_each_index(result.shape,
                 [&](const Index& index) { result.values.push_back(data.values[offset_of(data.shape, map(index))]); });
  return result;
}

std::optional<ShapeTensor> concat(const std::vector<ShapeTensor>& parts, int axis) {
  if (parts.empty() || axis < 0 || axis >= static_cast<int>(parts.front().shape.size())) return std::nullopt;
  const auto at = static_cast<std::size_t>(axis);
  Index shape = parts.front().shape;
  shape[at] = 0;
  for (const ShapeTensor& part : parts) {
    Index rest = part.shape;
    if (rest.size() != shape.size()) return std::nullopt;
    rest[at] = shape[at];
    if (rest != shape) return std::nullopt;
    shape[at] += part.shape[at];
  }
  if (count_of(shape) > kMaxKnownElements) return std::nullopt;
  ShapeTensor result{shape, {}};
  for_each_index(shape, [&](Index index) {
    std::size_t part = 0;
    while (index[at] >= parts[part].shape[at]) index[at] -= parts[part++].shape[at];
    result.values.push_back(parts[part].values[offset_of(parts[part].shape, index)]);
  });
  return result;
}

std::optional<Dim> truncating_division(const Dim& a, const Dim& b, const Symbols& symbols) {
  const auto ca = a.constant();
  const auto cb = b.constant();
  if (cb == 0) return std::nullopt;
  if (ca && cb) {
    if (*ca == std::numeric_limits<std::int64_t>::min() && *cb == -1) return std::nullopt;
    return Dim(*ca / *cb);
  }
  if (const auto exact = Dim::divide_exactly(a, b)) return exact;
  // An extent as divisor may be 0 at run time; binding then fails, which is an answer too.
  if (lower_bound(b, symbols) < 0) return std::nullopt;
  if (lower_bound(a, symbols) >= 0) return Dim::floordiv(a, b);
  // Towards zero = floor of the positive part minus floor of the negative part.
  return Dim::floordiv(Dim::max(a, Dim(0)), b) - Dim::floordiv(Dim::max(Dim(0) - a, Dim(0)), b);
}

}  // namespace jitney::onnx
