// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// What stands around attention in language models: RotaryEmbedding, TensorScatter, SwiGLU, CausalConvWithState.
#include "frontend/onnx/arithmetic.h"
#include "frontend/onnx/registry.h"

namespace jitney::onnx {
namespace {

using ir::Dim;
using ir::Guard;
using ir::Op;
using ir::Shape;
using ir::ValueId;

/// Elements start, start + step, ... of the last axis.
ValueId last_axis(GraphBuilder& b, ValueId x, const Dim& start, std::int64_t step, const Dim& count) {
  if (!b.ok()) return ir::kNoValue;
  Shape shape = b.shape(x);
  std::vector<Dim> starts(shape.size(), Dim(0));
  std::vector<std::int64_t> steps(shape.size(), 1);
  starts.back() = start;
  steps.back() = step;
  shape.back() = count;
  return b.slice(x, std::move(starts), std::move(steps), std::move(shape));
}

/// Rotates pairs of the first elements of each head by angles whose cosines and sines are given, one a position.
Status rotary_embedding(NodeContext& c) {
  GraphBuilder& b = c.b;
  const Arithmetic m{b, c.dtype(0)};
  const bool interleaved = c.integer("interleaved", 0) != 0;
  const std::int64_t heads = c.integer("num_heads", 0), given = c.integer("rotary_embedding_dim", 0);
  const Shape shape = c.shape(0);
  const bool packed = shape.size() == 3;
  if (!packed && shape.size() != 4) return c.error("its input must have rank 3 or 4, not {}", ir::to_string(shape));
  if (packed && heads < 1) return c.error("an input of rank 3 needs num_heads");
  ValueId x = c.value(0);
  if (packed) {
    b.require(Guard::Relation::divides, Dim(heads), shape[2],
              fmt::format("{}: {} heads do not divide {}", c.label(), heads, shape[2].to_string()));
    x = b.reshape(x, {shape[0], shape[1], Dim(heads), Dim::floordiv(shape[2], Dim(heads))});
  }
  JITNEY_CHECK(b.status());
  // One head: [b, s, h, d] or [b, h, s, d].
  const Dim size = b.shape(x)[3], positions = b.shape(x)[packed ? 1 : 2];
  const Dim rotated = given == 0 ? size : Dim(given);
  b.require(Guard::Relation::less_equal, rotated, size,
            fmt::format("{}: rotary_embedding_dim is {} of {}", c.label(), given, size.to_string()));
  b.require(Guard::Relation::divides, Dim(2), rotated,
            fmt::format("{}: it rotates {} elements, which is odd", c.label(), rotated.to_string()));
  const Dim half = Dim::floordiv(rotated, Dim(2));
  const auto angles = [&](int input) {
    ValueId cache = c.value(input);
    if (c.has(3)) cache = b.node(Op::gather, {cache, c.value(3)}, {{"axis", std::int64_t{0}}});
    return b.reshape(cache,
                     packed ? Shape{shape[0], positions, Dim(1), half} : Shape{shape[0], Dim(1), positions, half});
  };
  const ValueId cosine = angles(1), sine = angles(2);
  const ValueId first = last_axis(b, x, Dim(0), interleaved ? 2 : 1, half);
  const ValueId second = last_axis(b, x, interleaved ? Dim(1) : half, interleaved ? 2 : 1, half);
  ValueId real = m.sub(m.mul(cosine, first), m.mul(sine, second));
  ValueId imaginary = m.add(m.mul(sine, first), m.mul(cosine, second));
  JITNEY_CHECK(b.status());
  Shape whole = b.shape(x), pair = b.shape(real);
  whole.back() = rotated;
  pair.emplace_back(1);
  if (interleaved) {
    real = b.reshape(real, pair);
    imaginary = b.reshape(imaginary, pair);
  }
  const std::int64_t axis = interleaved ? 4 : 3;
  ValueId y = b.reshape(b.node(Op::concat, {real, imaginary}, {{"axis", axis}}), whole);
  if (!(rotated == size))
    y = b.node(Op::concat, {y, last_axis(b, x, rotated, 1, size - rotated)}, {{"axis", std::int64_t{3}}});
  return c.set(0, b.reshape(y, shape));
}

/// A cache in which some elements along an axis are replaced, from an index on that each sample of the batch gives.
Status tensor_scatter(NodeContext& c) {
  GraphBuilder& b = c.b;
  const std::string mode = c.text("mode", "linear");
  if (mode != "linear" && mode != "circular") return c.error("mode is '{}'; linear and circular are allowed", mode);
  JITNEY_TRY(const int axis, c.axis(c.integer("axis", -2), c.rank(0)));
  const Shape shape = c.shape(0), update = c.shape(1);
  const auto at = static_cast<std::size_t>(axis);
  if (axis == 0 || update.size() != shape.size())
    return c.error("update {} must have the rank of the cache {}, and the axis must not be the batch's",
                   ir::to_string(update), ir::to_string(shape));
  b.require(Guard::Relation::less_equal, update[at], shape[at],
            fmt::format("{}: the update has {} elements on axis {}, the cache {}", c.label(), update[at].to_string(),
                        axis, shape[at].to_string()));
  const Arithmetic m{b, DType::i64};
  const ValueId zero = m.number(0.0), count = m.number(update[at]);
  ValueId offset = m.counter(shape[at], shape.size(), at), wrong = ir::kNoValue;
  if (c.has(2)) {
    Shape column(shape.size(), Dim(1));
    column[0] = ir::product(c.shape(2));
    const ValueId start = b.reshape(c.value(2), column);
    offset = m.sub(offset, start);
    if (mode == "circular") {
      offset = m.mod(offset, m.number(shape[at]));
    } else {
      // What does not fit into the cache is an index that is out of range.
      const ValueId fits = m.both(m.less_equal(zero, start), m.less_equal(m.add(start, count), m.number(shape[at])));
      wrong = b.unary(Op::logical_not, fits);
    }
  }
  const ValueId inside = m.both(m.less_equal(zero, offset), m.less(offset, count));
  ValueId index = m.where(inside, offset, zero);
  if (wrong != ir::kNoValue) index = m.where(wrong, count, index);
  const ValueId taken =
      b.node(Op::gather_elements, {c.value(1), b.expand(index, shape)}, {{"axis", static_cast<std::int64_t>(axis)}});
  return c.set(0, b.where(inside, taken, c.value(0)));
}

/// swish(a) b
Status swi_glu(NodeContext& c) {
  GraphBuilder& b = c.b;
  const Arithmetic m{b, c.dtype(0)};
  const double alpha = c.real("alpha", 1);
  const ValueId a = c.value(0);
  const ValueId gate = alpha == 1 ? b.unary(Op::silu, a) : m.mul(a, b.unary(Op::sigmoid, m.mul(m.number(alpha), a)));
  return c.set(0, m.mul(gate, c.value(1)));
}

/// A depthwise convolution over what came before and the input: [b, c, s] with weight [c, 1, k] and state [b, c, k-1].
Status causal_convolution(NodeContext& c) {
  GraphBuilder& b = c.b;
  const std::string activation = c.text("activation", "none");
  if (activation != "none" && activation != "silu" && activation != "swish")
    return c.error("activation is '{}'; none, silu and swish are allowed", activation);
  const Shape x = c.shape(0), w = c.shape(1);
  if (x.size() != 3 || w.size() != 3) return c.error("its input and its weight must have rank 3");
  const auto kernel = w[2].constant(), channels = x[1].constant();
  if (!kernel || *kernel < 1 || !channels || *channels < 1)
    return c.error("its kernel and channels must be constant; input and weight are {} and {}", ir::to_string(x),
                   ir::to_string(w));
  const Dim before(*kernel - 1);
  ValueId all = ir::kNoValue;
  if (c.has(3)) {
    all = b.node(Op::concat, {c.value(3), c.value(0)}, {{"axis", std::int64_t{2}}});
  } else {
    all = b.typed_node(Op::pad, {c.value(0)}, c.dtype(0), {x[0], x[1], x[2] + before},
                       {{"before", Shape{Dim(0), Dim(0), before}}, {"value", 0.0}, {"mode", std::string("constant")}});
  }
  std::vector<ValueId> inputs{all, c.value(1)};
  if (c.has(2)) inputs.push_back(c.value(2));
  using Integers = std::vector<std::int64_t>;
  ValueId y =
      b.node(Op::conv, std::move(inputs),
             {{"strides", Integers{1}}, {"dilations", Integers{1}}, {"pads", Integers{0, 0}}, {"groups", *channels}});
  if (activation != "none") y = b.unary(Op::silu, y);
  JITNEY_CHECK(c.set(0, y));
  return c.set(1, last_axis(b, all, x[2], 1, before));
}

}  // namespace

std::span<const OperatorRow> decoder_operators() {
  static constexpr OperatorRow kRows[] = {
      {"RotaryEmbedding", 23, 3, 4, rotary_embedding},
      {"TensorScatter", 24, 2, 3, tensor_scatter},
      {"SwiGLU", 28, 2, 2, swi_glu},
      {"CausalConvWithState", 27, 2, 4, causal_convolution},
  };
  return kRows;
}

}  // namespace jitney::onnx
