// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Where shapes become tensors and tensors come from shapes: Shape, Size, Constant, ConstantOfShape, Range.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "frontend/onnx/registry.h"

namespace jitney::onnx {
namespace {

using ir::Dim;
using ir::Op;
using ir::ValueId;

Status shape(NodeContext& c) {
  const std::int64_t rank = c.rank(0);
  const auto bound = [rank](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank); };
  const std::int64_t start = bound(c.integer("start", 0));
  const std::int64_t end = std::max(start, bound(c.integer("end", rank)));
  const ir::Shape& from = c.shape(0);
  c.set_known(0, DType::i64, ShapeTensor::vector({from.begin() + start, from.begin() + end}));
  return {};
}

Status size(NodeContext& c) {
  c.set_known(0, DType::i64, ShapeTensor::scalar(ir::product(c.shape(0))));
  return {};
}

Expected<Tensor> constant_tensor(NodeContext& c) {
  const std::string& kind = c.node.attribute(0).name();
  if (kind == "value") return c.tensor(kind);
  Tensor tensor;
  if (kind == "value_int") {
    tensor = Tensor(DType::i64, {});
    *tensor.as<std::int64_t>() = c.integer(kind, 0);
  } else if (kind == "value_float") {
    tensor = Tensor(DType::f32, {});
    *tensor.as<float>() = static_cast<float>(c.real(kind, 0));
  } else if (kind == "value_ints") {
    const auto list = c.integer_list(kind).value_or(std::vector<std::int64_t>{});
    tensor = Tensor(DType::i64, {static_cast<std::int64_t>(list.size())});
    std::copy(list.begin(), list.end(), tensor.as<std::int64_t>());
  } else if (kind == "value_floats") {
    const auto list = c.real_list(kind).value_or(std::vector<float>{});
    tensor = Tensor(DType::f32, {static_cast<std::int64_t>(list.size())});
    std::copy(list.begin(), list.end(), tensor.as<float>());
  } else {
    return c.error("attribute '{}' is not supported", kind);
  }
  return tensor;
}

Status constant(NodeContext& c) {
  if (c.node.attribute_size() != 1) return c.error("it must have exactly one attribute");
  c.ignore({c.node.attribute(0).name()});  // as read, also where an earlier round read it
  JITNEY_TRY(auto tensor, c.once([&] { return constant_tensor(c); }));
  return c.set(0, make_constant(c.node.output(0), std::move(tensor)));
}

Status constant_of_shape(NodeContext& c) {
  JITNEY_TRY(const auto extents, c.dims(0, "the shape"));
  Tensor fill(DType::f32, {});
  if (c.has_attribute("value")) {
    JITNEY_TRY(fill, c.tensor("value"));
    if (fill.num_elements() != 1) return c.error("value must have one element, not {}", fill.num_elements());
  }
  std::int64_t count = 1;
  std::vector<std::int64_t> numbers;
  for (const Dim& extent : extents) {
    const auto number = extent.constant();
    if (number && *number < 0) return c.error("its shape has the extent {}", *number);
    if (number) numbers.push_back(*number);
    count *= std::min<std::int64_t>(number.value_or(0), kMaxKnownElements + 1);
    count = std::min<std::int64_t>(count, kMaxKnownElements + 1);
  }
  if (numbers.size() == extents.size() && count <= kMaxKnownElements && !is_floating(fill.dtype())) {
    const Dim value(element_as_integer(fill, 0));
    if (c.set_known(0, fill.dtype(), {numbers, std::vector<Dim>(static_cast<std::size_t>(count), value)})) return {};
  }
  Tensor scalar_fill(fill.dtype(), {});
  std::memcpy(scalar_fill.data(), fill.data(), size_of(fill.dtype()));
  const ValueId scalar = c.b.constant(c.node.output(0) + ".fill", std::move(scalar_fill));
  return c.set(0, c.b.expand(scalar, extents));
}

/// start + i * delta, i = 0, 1, ...
Status make_range(NodeContext& c, const Dim& count, ValueId start, bool from_zero, ValueId delta, bool by_one) {
  const DType dtype = c.dtype(0);
  const DType wide = dtype == DType::f16 || dtype == DType::bf16 ? DType::f32 : dtype;
  ValueId y = c.b.cast(c.b.iota({count}, 0), wide);
  if (!by_one) y = c.b.binary(Op::mul, y, c.b.cast(delta, wide));
  if (!from_zero) y = c.b.binary(Op::add, y, c.b.cast(start, wide));
  return c.set(0, c.b.cast(y, dtype));
}

Status integer_range(NodeContext& c) {
  for (int i = 0; i < 3; ++i) {
    JITNEY_TRY(const auto values, c.dims(i, "a limit"));
    if (values.size() != 1)
      return c.error("its limits must be scalars; '{}' is {}", c.input(i).name, ir::to_string(c.shape(i)));
  }
  const Dim start = c.known(0)->values[0];
  const Dim limit = c.known(1)->values[0];
  const auto delta = c.known(2)->values[0].constant();
  if (!delta || *delta == 0 || *delta == std::numeric_limits<std::int64_t>::min())
    return c.error("its delta must be a constant other than 0");
  const Dim length = max_of(*delta > 0 ? limit - start : start - limit, Dim(0), c.b.symbols());
  const Dim count = Dim::ceildiv(length, Dim(std::abs(*delta)));
  if (const auto constant = count.constant(); constant && *constant <= kMaxKnownElements) {
    std::vector<Dim> values;
    for (std::int64_t i = 0; i < *constant; ++i) values.push_back(start + Dim(i * *delta));
    if (c.set_known(0, c.dtype(0), ShapeTensor::vector(std::move(values)))) return {};
  }
  const ValueId scalar = c.b.reshape(c.value(0), {});
  return make_range(c, count, scalar, start.is(0), c.b.reshape(c.value(2), {}), *delta == 1);
}

Status range(NodeContext& c) {
  c.ignore({"stash_type"});
  if (c.known(0) && c.known(1) && c.known(2)) return integer_range(c);
  const auto is_fixed = [&](int i) {
    return c.input(i).constant != nullptr || (c.known(i) && c.known(i)->constants());
  };
  if (!is_fixed(0) || !is_fixed(1) || !is_fixed(2)) {
    for (int i = 0; i < 3; ++i) {
      JITNEY_TRY(const std::int64_t count, c.element_count(i, "a limit"));
      if (count != 1)
        return c.error("its limits must be scalars; '{}' is {}", c.input(i).name, ir::to_string(c.shape(i)));
    }
    const auto found = c.b.read_dims("range", {c.value(0), c.value(1), c.value(2)}, {}, 1);
    return make_range(c, found[0], c.b.reshape(c.value(0), {}), false, c.b.reshape(c.value(2), {}), false);
  }
  double numbers[3] = {};
  const char* names[3] = {"start", "limit", "delta"};
  for (int i = 0; i < 3; ++i) {
    JITNEY_TRY(numbers[i], c.constant_number(i, names[i]));
  }
  if (numbers[2] == 0) return c.error("its delta must not be 0");
  const double count = std::max(std::ceil((numbers[1] - numbers[0]) / numbers[2]), 0.0);
  if (!(count < 0x1p53)) return c.error("it would have {} elements", count);
  const DType dtype = c.dtype(0);
  return make_range(c, Dim(static_cast<std::int64_t>(count)), c.b.scalar(numbers[0], dtype), numbers[0] == 0,
                    c.b.scalar(numbers[2], dtype), numbers[2] == 1);
}

}  // namespace

std::span<const OperatorRow> shape_operators() {
  static constexpr OperatorRow kRows[] = {
      {"Shape", 1, 1, 1, shape},       {"Size", 1, 1, 1, size},
      {"Constant", 1, 0, 0, constant}, {"ConstantOfShape", 9, 1, 1, constant_of_shape},
      {"Range", 11, 3, 3, range},
  };
  return kRows;
}

}  // namespace jitney::onnx
