// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// RandomUniform, RandomNormal, both as ...Like, Bernoulli, Multinomial. Numbers are a hash of the element's position
// and the seed: every execute gives the same ones, in any order and on any device. A node without a seed gets one from
// its name.
#include <cmath>
#include <cstring>
#include <numbers>

#include "frontend/onnx/registry.h"

namespace jitney::onnx {
namespace {

using ir::Dim;
using ir::Op;
using ir::Shape;
using ir::ValueId;

/// A source of numbers in [0, 1) for one node.
class Dice {
 public:
  explicit Dice(NodeContext& c) : b_(c.b) {
    std::uint32_t seed = 2166136261u;
    const auto mix = [&seed](unsigned char byte) { seed = (seed ^ byte) * 16777619u; };
    if (c.has_attribute("seed")) {
      const auto given = static_cast<float>(c.real("seed", 0));
      unsigned char bytes[sizeof given];
      std::memcpy(bytes, &given, sizeof given);
      for (const unsigned char byte : bytes) mix(byte);
    } else {
      for (const char letter : c.b.node_name() + "/" + c.node.output(0)) mix(static_cast<unsigned char>(letter));
    }
    seed_ = seed;
  }

  /// f32 of that shape. Each call gives other numbers.
  ValueId uniform(const Shape& shape) {
    ValueId h = b_.cast(b_.iota({ir::product(shape)}, 0), DType::u32);
    for (int round = 0; round < 2; ++round) {
      h = b_.binary(Op::bitwise_xor, b_.binary(Op::mul, h, number(0x9e3779b1u)), number(next()));
      h = b_.binary(Op::mul, folded(h, 16), number(0x85ebca6bu));
      h = b_.binary(Op::mul, folded(h, 13), number(0xc2b2ae35u));
      h = folded(h, 16);
    }
    const ValueId high = b_.cast(b_.binary(Op::shift_right, h, number(8)), DType::f32);
    return b_.reshape(b_.binary(Op::mul, high, b_.scalar(0x1p-24, DType::f32)), shape);
  }
  /// In (0, 1]: fit for a logarithm.
  ValueId above_zero(const Shape& shape) { return b_.binary(Op::sub, b_.scalar(1, DType::f32), uniform(shape)); }
  /// Of mean 0 and variance 1, two uniform numbers each.
  ValueId normal(const Shape& shape) {
    const auto f = [&](double v) { return b_.scalar(v, DType::f32); };
    const ValueId radius = b_.unary(Op::sqrt, b_.binary(Op::mul, f(-2), b_.unary(Op::log, above_zero(shape))));
    const ValueId angle = b_.binary(Op::mul, uniform(shape), f(2 * std::numbers::pi));
    return b_.binary(Op::mul, radius, b_.unary(Op::cos, angle));
  }

 private:
  ValueId number(std::uint32_t v) { return b_.scalar(v, DType::u32); }
  ValueId folded(ValueId h, std::uint32_t by) {
    return b_.binary(Op::bitwise_xor, h, b_.binary(Op::shift_right, h, number(by)));
  }
  std::uint32_t next() { return seed_ = seed_ * 1664525u + 1013904223u; }

  GraphBuilder& b_;
  std::uint32_t seed_ = 0;
};

Expected<DType> result_dtype(NodeContext& c, DType otherwise) {
  if (!c.has_attribute("dtype")) return otherwise;
  return to_dtype(static_cast<int>(c.integer("dtype", 1)), c.label());
}

template <bool is_normal>
Status random_numbers(NodeContext& c, const Shape& shape, DType dtype) {
  GraphBuilder& b = c.b;
  if (!is_floating(dtype)) return c.error("dtype {} is not floating point", to_string(dtype));
  const double first = c.real(is_normal ? "mean" : "low", 0);
  const double second = c.real(is_normal ? "scale" : "high", 1);
  Dice dice(c);
  const ValueId x = is_normal ? dice.normal(shape) : dice.uniform(shape);
  const ValueId stretched = b.binary(Op::mul, x, b.scalar(is_normal ? second : second - first, DType::f32));
  return c.set(0, b.cast(b.binary(Op::add, stretched, b.scalar(first, DType::f32)), dtype));
}

template <bool is_normal>
Status random_shape(NodeContext& c) {
  const auto extents = c.integer_list("shape");
  if (!extents) return c.error("attribute 'shape' is missing");
  for (const std::int64_t extent : *extents)
    if (extent < 0) return c.error("its shape has the extent {}", extent);
  JITNEY_TRY(const DType dtype, result_dtype(c, DType::f32));
  return random_numbers<is_normal>(c, Shape(extents->begin(), extents->end()), dtype);
}

template <bool is_normal>
Status random_like(NodeContext& c) {
  JITNEY_TRY(const DType dtype, result_dtype(c, c.dtype(0)));
  return random_numbers<is_normal>(c, c.shape(0), dtype);
}

/// True with the probability that each element gives.
Status bernoulli(NodeContext& c) {
  JITNEY_TRY(const DType dtype, result_dtype(c, c.dtype(0)));
  GraphBuilder& b = c.b;
  Dice dice(c);
  return c.set(0, b.cast(b.binary(Op::less, dice.uniform(c.shape(0)), b.cast(c.value(0), DType::f32)), dtype));
}

/// Draws of classes, given the logarithms of their weights: the largest of log weight plus Gumbel noise has the right
/// distribution.
Status multinomial(NodeContext& c) {
  JITNEY_TRY(const DType dtype, result_dtype(c, DType::i32));
  GraphBuilder& b = c.b;
  const std::int64_t samples = c.integer("sample_size", 1);
  if (dtype != DType::i32 && dtype != DType::i64) return c.error("dtype must be int32 or int64");
  if (c.rank(0) != 2) return c.error("its input must be [batch, classes], not {}", ir::to_string(c.shape(0)));
  if (samples < 1) return c.error("sample_size is {}; it must be 1 or more", samples);
  const Shape shape = c.shape(0);
  b.require(ir::Guard::Relation::less_equal, Dim::min(shape[0], Dim(1)), shape[1],
            fmt::format("{}: there is no class to draw", c.label()));
  Dice dice(c);
  const ValueId inner = b.unary(Op::log, dice.above_zero({shape[0], Dim(samples), shape[1]}));
  const ValueId least = b.scalar(1e-37, DType::f32);
  const ValueId noise = b.unary(Op::neg, b.unary(Op::log, b.binary(Op::max, b.unary(Op::neg, inner), least)));
  const ValueId weights = b.reshape(b.cast(c.value(0), DType::f32), {shape[0], Dim(1), shape[1]});
  const ValueId drawn =
      b.node(Op::arg_max, {b.binary(Op::add, noise, weights)},
             {{"axes", std::vector<std::int64_t>{2}}, {"keepdims", std::int64_t{0}}, {"last", std::int64_t{0}}});
  return c.set(0, b.cast(drawn, dtype));
}

}  // namespace

std::span<const OperatorRow> random_operators() {
  static constexpr OperatorRow kRows[] = {
      {"RandomUniform", 1, 0, 0, random_shape<false>},
      {"RandomNormal", 1, 0, 0, random_shape<true>},
      {"RandomUniformLike", 1, 1, 1, random_like<false>},
      {"RandomNormalLike", 1, 1, 1, random_like<true>},
      {"Bernoulli", 15, 1, 1, bernoulli},
      {"Multinomial", 7, 1, 1, multinomial},
  };
  return kRows;
}

}  // namespace jitney::onnx
