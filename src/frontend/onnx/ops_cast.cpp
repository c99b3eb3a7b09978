// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Cast, BitCast, Identity, and Dropout, which does nothing outside training.
#include <cmath>
#include <cstring>

#include "frontend/onnx/registry.h"
#include "frontend/onnx/storage_cast.h"

namespace jitney::onnx {
namespace {

using ir::Dim;

/// Shape tensors stay shape tensors between i64, i32 and boolean.
bool computed_cast(NodeContext& c, DType to) {
  if (c.known(0)) {
    ShapeTensor result = *c.known(0);
    if (to == DType::boolean && c.dtype(0) != DType::boolean) {
      for (Dim& value : result.values) {
        const auto zero = decide_equal(value, Dim(0), c.b.symbols());
        if (!zero) return false;
        value = Dim(*zero ? 0 : 1);
      }
    }
    return c.set_known(0, to, std::move(result));
  }
  // A real constant that becomes an integer may be a shape: ceil(...) as exporters write it.
  const Tensor* constant = c.input(0).constant.get();
  if (constant == nullptr || constant->num_elements() > kMaxKnownElements || (to != DType::i64 && to != DType::i32))
    return false;
  ShapeTensor result{constant->shape(), {}};
  for (std::int64_t i = 0; i < constant->num_elements(); ++i) {
    const double number = element_as_double(*constant, i);
    if (!(std::abs(number) < 0x1p53)) return false;
    result.values.emplace_back(static_cast<std::int64_t>(number));
  }
  return c.set_known(0, to, std::move(result));
}

/// A constant number stays constant, for it may be a parameter: the value that Pad fills with, a limit of Range.
std::optional<Tensor> constant_cast(NodeContext& c, DType to) {
  const Tensor* constant = c.input(0).constant.get();
  if (constant == nullptr || constant->num_elements() != 1 || !is_floating(to)) return std::nullopt;
  const double number = element_as_double(*constant, 0);
  // Numbers that f32 does not hold would be rounded twice on their way to f16.
  if (to != DType::f64 && static_cast<double>(static_cast<float>(number)) != number) return std::nullopt;
  const Tensor scalar = make_scalar(number, to);
  Tensor result(to, constant->shape());
  std::memcpy(result.data(), scalar.data(), size_of(to));
  return result;
}

Status cast_to(NodeContext& c, DType to) {
  const NarrowingRules rules{c.integer("saturate", 1) != 0, c.text("round_mode", "up")};
  if (rules.round_mode != "up" && rules.round_mode != "down" && rules.round_mode != "nearest")
    return c.error("round_mode is '{}'; up, down and nearest are allowed", rules.round_mode);
  if (c.dtype(0) == to) return c.set(0, c.input_pointer(0));
  if (is_storage_only(to)) return c.set(0, narrowed(c.b, widened(c.b, c.value(0)), to, rules));
  if (is_storage_only(c.dtype(0))) return c.set(0, c.b.cast(widened(c.b, c.value(0)), to));
  if (computed_cast(c, to)) return {};
  if (auto constant = constant_cast(c, to)) return c.set(0, make_constant(c.node.output(0), std::move(*constant)));
  if (to == DType::f16 || to == DType::bf16)
    return c.set(0, c.b.typed_node(ir::Op::cast, {c.value(0)}, to, c.shape(0), {{"rounds", std::int64_t{1}}}));
  return c.set(0, c.b.cast(c.value(0), to));
}

Status cast(NodeContext& c) {
  JITNEY_TRY(const DType to, to_dtype(static_cast<int>(c.integer("to", 0)), c.label()));
  return cast_to(c, to);
}

Status bit_cast(NodeContext& c) {
  JITNEY_TRY(const DType to, to_dtype(static_cast<int>(c.integer("to", 0)), c.label()));
  if (stored_bits(to) != stored_bits(c.dtype(0)))
    return c.error("{} has not as many bits as {}", to_string(to), to_string(c.dtype(0)));
  if (to == c.dtype(0)) return c.set(0, c.input_pointer(0));
  return c.set(0, c.b.bitcast(c.value(0), to));
}

Status cast_like(NodeContext& c) { return cast_to(c, c.dtype(1)); }

Status identity(NodeContext& c) { return c.set(0, c.input_pointer(0)); }

Status dropout(NodeContext& c) {
  c.ignore({"ratio", "seed"});
  if (c.has(2)) {
    JITNEY_TRY(const double training, c.constant_number(2, "training_mode"));
    double ratio = 0.5;
    if (c.has(1)) {
      JITNEY_TRY(ratio, c.constant_number(1, "ratio"));
    }
    if (training != 0 && ratio != 0) return c.error("training mode is not supported");
  }
  if (c.wants_output(1)) {
    // The mask of what was kept: everything. Before opset 10 it had the data's type.
    const ir::ValueId one = c.b.scalar(1, c.opset < 10 ? c.dtype(0) : DType::boolean);
    JITNEY_CHECK(c.set(1, c.b.expand(one, c.shape(0))));
  }
  return c.set(0, c.input_pointer(0));
}

}  // namespace

std::span<const OperatorRow> cast_operators() {
  static constexpr OperatorRow kRows[] = {
      {"Cast", 1, 1, 1, cast},         {"CastLike", 15, 2, 2, cast_like}, {"BitCast", 26, 1, 1, bit_cast},
      {"Identity", 1, 1, 1, identity}, {"Dropout", 1, 1, 3, dropout},
  };
  return kRows;
}

}  // namespace jitney::onnx
