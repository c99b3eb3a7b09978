// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// DFT and STFT as products with matrices of cosines and sines.
#include <numbers>

#include "frontend/onnx/arithmetic.h"
#include "frontend/onnx/registry.h"

namespace jitney::onnx {
namespace {

using ir::Dim;
using ir::Guard;
using ir::Op;
using ir::Shape;
using ir::ValueId;

struct Transform {
  Dim length;  ///< of the transform, whatever the signal's
  bool inverse = false, onesided = false;
};

/// The Fourier transform of [..., n] signals in f32 or f64. `imaginary` may be absent.
class Fourier {
 public:
  Fourier(GraphBuilder& b, DType dtype, Transform how) : b_(b), m_{b, dtype}, how_(std::move(how)) {}

  struct Complex {
    ValueId real = ir::kNoValue, imaginary = ir::kNoValue;
  };

  Complex run(Complex x) {
    if (!b_.ok()) return x;
    const Dim given = b_.shape(x.real).back();
    const bool to_real = how_.inverse && how_.onesided;
    const Dim bins = Dim::floordiv(how_.length, Dim(2)) + Dim(1);
    // A signal that is shorter counts as padded with zeros: those rows of the matrix are not needed.
    const Dim rows = min_of(given, to_real ? bins : how_.length, b_.symbols());
    const Dim columns = how_.onesided && !how_.inverse ? bins : how_.length;
    x = {shortened(x.real, rows), shortened(x.imaginary, rows)};
    ValueId cosines = wave(rows, columns, Op::cos), sines = wave(rows, columns, Op::sin);
    if (how_.inverse) {
      ValueId factor = m_.div(m_.number(1.0), m_.number(how_.length));
      if (to_real) {
        // Bins but the first and the middle one stand for their mirror images, too.
        const Arithmetic i64{b_, DType::i64};
        const ValueId k = i64.counter(rows, 2, 0);
        const ValueId single =
            b_.binary(Op::logical_or, i64.equal(k, i64.number(0.0)), i64.equal(i64.add(k, k), i64.number(how_.length)));
        factor = m_.mul(factor, m_.where(single, m_.number(1.0), m_.number(2.0)));
      }
      cosines = m_.mul(cosines, factor);
      sines = m_.mul(sines, m_.neg(factor));
    }
    const auto product = [&](ValueId a, ValueId matrix) { return b_.binary(Op::matmul, a, matrix); };
    if (x.imaginary == ir::kNoValue)
      return {product(x.real, cosines), to_real ? ir::kNoValue : m_.neg(product(x.real, sines))};
    const ValueId real = m_.add(product(x.real, cosines), product(x.imaginary, sines));
    if (to_real) return {real, ir::kNoValue};
    return {real, m_.sub(product(x.imaginary, cosines), product(x.real, sines))};
  }

 private:
  GraphBuilder& b_;
  Arithmetic m_;
  Transform how_;

  ValueId shortened(ValueId x, const Dim& rows) {
    if (x == ir::kNoValue || !b_.ok()) return x;
    Shape shape = b_.shape(x);
    shape.back() = rows;
    return b_.slice(x, std::vector<Dim>(shape.size(), Dim(0)), std::vector<std::int64_t>(shape.size(), 1), shape);
  }

  /// cos or sin of 2 pi i j / length. i j is taken modulo the length first, which loses nothing; in f64, because the
  /// zeros of a sine are no f32 numbers.
  ValueId wave(const Dim& rows, const Dim& columns, Op op) {
    const Arithmetic i64{b_, DType::i64}, f64{b_, DType::f64};
    const ValueId turns =
        i64.mod(i64.mul(i64.counter(rows, 2, 0), i64.counter(columns, 2, 1)), i64.number(how_.length));
    const ValueId part = f64.div(b_.cast(turns, DType::f64), f64.number(how_.length));
    return b_.cast(b_.unary(op, f64.mul(part, f64.number(2 * std::numbers::pi))), m_.dtype);
  }
};

/// Real and imaginary part of [..., 1 or 2], in at least f32.
Expected<Fourier::Complex> split(NodeContext& c, ValueId x) {
  GraphBuilder& b = c.b;
  JITNEY_CHECK(b.status());
  const Shape shape = b.shape(x);
  const auto parts = shape.back().constant();
  if (parts != 1 && parts != 2)
    return c.error("its last extent must be 1 (real) or 2 (complex), not {}", shape.back().to_string());
  const DType wide = b.dtype(x) == DType::f64 ? DType::f64 : DType::f32;
  const Shape rest(shape.begin(), shape.end() - 1);
  Shape one = shape;
  one.back() = 1;
  const auto part = [&](std::int64_t which) {
    std::vector<Dim> starts(shape.size(), Dim(0));
    starts.back() = which;
    return b.reshape(b.cast(b.slice(x, starts, std::vector<std::int64_t>(shape.size(), 1), one), wide), rest);
  };
  return Fourier::Complex{part(0), parts == 2 ? part(1) : ir::kNoValue};
}

/// [..., 1 or 2] of `dtype`.
ValueId joined(GraphBuilder& b, Fourier::Complex y, DType dtype) {
  if (!b.ok()) return ir::kNoValue;
  Shape shape = b.shape(y.real);
  shape.emplace_back(1);
  const auto column = [&](ValueId x) { return b.reshape(b.cast(x, dtype), shape); };
  if (y.imaginary == ir::kNoValue) return column(y.real);
  return b.node(Op::concat, {column(y.real), column(y.imaginary)},
                {{"axis", static_cast<std::int64_t>(shape.size()) - 1}});
}

Expected<Dim> one_dim(NodeContext& c, int input, std::string_view what) {
  JITNEY_TRY(const auto given, c.dims(input, what));
  if (given.size() != 1) return c.error("{} must be one number", what);
  return given[0];
}

Status dft(NodeContext& c) {
  GraphBuilder& b = c.b;
  const int rank = c.rank(0);
  if (rank < 2 || !is_floating(c.dtype(0)))
    return c.error("its input must be floating point of rank 2 or more, not {} {}", to_string(c.dtype(0)),
                   ir::to_string(c.shape(0)));
  std::int64_t given = c.opset < 20 ? c.integer("axis", 1) : -2;
  if (c.opset >= 20 && c.has(2)) {
    JITNEY_TRY(const auto axes, c.integers(2, "the axis"));
    if (axes.size() != 1) return c.error("its axis must be one number");
    given = axes[0];
  }
  JITNEY_TRY(const int axis, c.axis(given, rank));
  if (axis == rank - 1) return c.error("its axis must not be the last one, which holds real and imaginary parts");
  Transform how;
  how.inverse = c.integer("inverse", 0) != 0;
  how.onesided = c.integer("onesided", 0) != 0;
  const Dim extent = c.shape(0)[static_cast<std::size_t>(axis)];
  how.length = how.inverse && how.onesided ? Dim(2) * (extent - Dim(1)) : extent;
  if (c.has(1)) {
    JITNEY_TRY(how.length, one_dim(c, 1, "dft_length"));
  }
  b.require(Guard::Relation::less_equal, Dim(1), how.length, fmt::format("{}: its length is below 1", c.label()));
  // The axis goes to the end and back.
  std::vector<std::int64_t> to_end, back(static_cast<std::size_t>(rank));
  for (int i = 0; i < rank; ++i)
    if (i != axis && i != rank - 1) to_end.push_back(i);
  to_end.push_back(axis);
  to_end.push_back(rank - 1);
  for (int i = 0; i < rank; ++i) back[static_cast<std::size_t>(to_end[static_cast<std::size_t>(i)])] = i;
  JITNEY_TRY(const auto x, split(c, b.permute(c.value(0), to_end)));
  const ValueId y = joined(b, Fourier(b, c.dtype(0) == DType::f64 ? DType::f64 : DType::f32, how).run(x), c.dtype(0));
  return c.set(0, b.permute(y, back));
}

Status stft(NodeContext& c) {
  GraphBuilder& b = c.b;
  const Shape signal = c.shape(0);
  if (signal.size() != 3 || !is_floating(c.dtype(0)))
    return c.error("its signal must be floating point [batch, length, 1 or 2], not {}", ir::to_string(signal));
  Transform how;
  how.onesided = c.integer("onesided", 1) != 0;
  JITNEY_TRY(const Dim step, one_dim(c, 1, "frame_step"));
  how.length = signal[1];
  if (c.has(2)) {
    if (c.rank(2) != 1) return c.error("its window must have rank 1, not {}", c.rank(2));
    how.length = c.shape(2)[0];
  }
  if (c.has(3)) {
    JITNEY_TRY(how.length, one_dim(c, 3, "frame_length"));
  }
  b.require(Guard::Relation::less_equal, Dim(1), step, fmt::format("{}: frame_step is below 1", c.label()));
  b.require(Guard::Relation::less_equal, how.length, signal[1],
            fmt::format("{}: a frame has {} elements, the signal {}", c.label(), how.length.to_string(),
                        signal[1].to_string()));
  if (c.has(2))
    b.require(Guard::Relation::equal, c.shape(2)[0], how.length,
              fmt::format("{}: its window must be as long as a frame", c.label()));
  const Dim frames = Dim::floordiv(signal[1] - how.length, step) + Dim(1);
  const Arithmetic i64{b, DType::i64};
  const ValueId place = i64.add(i64.mul(i64.counter(frames, 2, 0), i64.number(step)), i64.counter(how.length, 2, 1));
  const ValueId cut = b.node(Op::gather, {c.value(0), place}, {{"axis", std::int64_t{1}}});
  JITNEY_TRY(auto x, split(c, cut));
  const Arithmetic m{b, c.dtype(0) == DType::f64 ? DType::f64 : DType::f32};
  if (c.has(2)) {
    const ValueId window = b.cast(c.value(2), m.dtype);
    x.real = m.mul(x.real, window);
    if (x.imaginary != ir::kNoValue) x.imaginary = m.mul(x.imaginary, window);
  }
  return c.set(0, joined(b, Fourier(b, m.dtype, how).run(x), c.dtype(0)));
}

}  // namespace

std::span<const OperatorRow> signal_operators() {
  static constexpr OperatorRow kRows[] = {{"DFT", 17, 1, 3, dft}, {"STFT", 17, 2, 4, stft}};
  return kRows;
}

}  // namespace jitney::onnx
