// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Reads at places that are data, between elements: AffineGrid, GridSample, RoiAlign, DeformConv.
#include "frontend/onnx/registry.h"
#include "frontend/onnx/sampler.h"
#include "frontend/onnx/window.h"

namespace jitney::onnx {
namespace {

using ir::Dim;
using ir::Guard;
using ir::kNoValue;
using ir::Op;
using ir::Shape;
using ir::ValueId;

DType wide_of(DType dtype) { return dtype == DType::f64 ? DType::f64 : DType::f32; }

/// Elements `which` of the last axis, without that axis.
ValueId component(GraphBuilder& b, ValueId x, std::int64_t which) {
  if (!b.ok()) return kNoValue;
  Shape shape = b.shape(x);
  std::vector<Dim> starts(shape.size(), Dim(0));
  starts.back() = which;
  Shape one = shape;
  one.back() = 1;
  const ValueId cut = b.slice(x, starts, std::vector<std::int64_t>(shape.size(), 1), one);
  shape.pop_back();
  return b.reshape(cut, shape);
}

/// For each place of an image from -1 to 1, its place after the affine map [n, d, d + 1]; x first.
Status affine_grid(NodeContext& c) {
  GraphBuilder& b = c.b;
  JITNEY_TRY(const auto size, c.dims(1, "the size"));
  const bool align = c.integer("align_corners", 0) != 0;
  const Shape theta = c.shape(0);
  if ((size.size() != 4 && size.size() != 5) || theta.size() != 3)
    return c.error("its size must have 4 or 5 entries and theta rank 3; they are {} and {}", size.size(),
                   ir::to_string(theta));
  const std::size_t spatial = size.size() - 2;
  if (!theta[1].is(static_cast<std::int64_t>(spatial)) || !theta[2].is(static_cast<std::int64_t>(spatial) + 1))
    return c.error("theta must be [n, {}, {}], not {}", spatial, spatial + 1, ir::to_string(theta));
  b.require(Guard::Relation::equal, theta[0], size[0], fmt::format("{}: size and theta have other batches", c.label()));
  const DType dtype = c.dtype(0);
  const Arithmetic m{b, wide_of(dtype)};
  const std::size_t rank = spatial + 2;  // [n, spatial..., components]
  const ValueId map = b.cast(c.value(0), m.dtype);
  // A column of theta for all places: [n, 1..., components].
  const auto column = [&](std::int64_t which) {
    Shape shape(rank, Dim(1));
    shape[0] = theta[0];
    shape.back() = theta[1];
    return b.reshape(component(b, map, which), shape);
  };
  ValueId y = column(static_cast<std::int64_t>(spatial));
  for (std::size_t axis = 0; axis < spatial; ++axis) {
    const Dim& extent = size[2 + axis];
    const ValueId step = m.counter(extent, rank, 1 + axis);
    const ValueId doubled = m.mul(step, m.number(2.0));
    const ValueId place =
        align ? m.sub(m.div(doubled, m.number(max_of(extent - Dim(1), Dim(1), b.symbols()))), m.number(1.0))
              : m.sub(m.div(m.add(doubled, m.number(1.0)), m.number(extent)), m.number(1.0));
    y = m.add(y, m.mul(place, column(static_cast<std::int64_t>(spatial - 1 - axis))));
  }
  Shape shape{theta[0]};
  shape.insert(shape.end(), size.begin() + 2, size.end());
  shape.push_back(theta[1]);
  return c.set(0, b.expand(b.cast(y, dtype), shape));
}

/// How GridSample reads along one axis.
class GridAxis {
 public:
  GridAxis(const Arithmetic& m, Dim extent, std::string padding, bool align)
      : m_(m), extent_(std::move(extent)), padding_(std::move(padding)) {
    const ValueId size = m.number(extent_);
    low_ = m.number(align ? 0.0 : -0.5);
    high_ = m.sub(size, m.number(align ? 1.0 : 0.5));
    align_ = align;
  }

  std::vector<SampleTap> taps(ValueId normalized, const std::string& mode) {
    const ValueId size = m_.number(extent_), up = m_.add(normalized, m_.number(1.0));
    ValueId x = align_ ? m_.mul(m_.div(up, m_.number(2.0)), m_.sub(size, m_.number(1.0)))
                       : m_.div(m_.sub(m_.mul(up, size), m_.number(1.0)), m_.number(2.0));
    if (mode == "nearest") x = m_.b.unary(Op::round, x);
    if (padding_ == "border" && mode != "cubic") {  // cubic weights are of the place as it is
      const ValueId outside = m_.b.binary(Op::logical_or, m_.less(x, low_), m_.less(high_, x));
      x = m_.where(outside, m_.max(m_.min(x, m_.sub(size, m_.number(1.0))), m_.number(0.0)), x);
    } else if (padding_ == "reflection") {
      x = reflected(x);
    }
    if (mode == "nearest") return {tap(m_.b.unary(Op::round, x), kNoValue)};
    const ValueId first = m_.floor(x), t = m_.sub(x, first), one = m_.number(1.0);
    if (mode == "linear") return {tap(first, m_.sub(one, t)), tap(m_.add(first, one), t)};
    return {tap(m_.sub(first, one), far(m_.add(t, one))), tap(first, near(t)),
            tap(m_.add(first, one), near(m_.sub(one, t))),
            tap(m_.add(first, m_.number(2.0)), far(m_.sub(m_.number(2.0), t)))};
  }

 private:
  const Arithmetic& m_;
  Dim extent_;
  std::string padding_;
  bool align_ = false;
  ValueId low_ = kNoValue, high_ = kNoValue;

  /// x mirrored at the borders as often as it takes; x itself inside.
  ValueId reflected(ValueId x) {
    const ValueId range = m_.sub(high_, low_), zero = m_.number(0.0);
    const ValueId period = m_.max(m_.mul(range, m_.number(2.0)), m_.number(1e-6));
    const ValueId away = m_.b.unary(Op::abs, m_.sub(x, low_));
    const ValueId within = m_.b.binary(Op::fmod, away, period);
    const ValueId mirrored = m_.add(low_, m_.where(m_.less(range, within), m_.sub(period, within), within));
    const ValueId inside = m_.both(m_.less_equal(low_, x), m_.less_equal(x, high_));
    return m_.where(inside, x, m_.where(m_.less(zero, range), mirrored, zero));
  }

  SampleTap tap(ValueId place, ValueId weight) {
    if (padding_ == "reflection") place = m_.b.unary(Op::round, reflected(place));
    return {index_inside(m_, place, extent_), weight, padding_ == "zeros" ? is_inside(m_, place, extent_) : kNoValue};
  }

  // Cubic weights with a = -0.75, at a distance of 0 to 1 and of 1 to 2.
  ValueId near(ValueId d) {
    return m_.add(m_.mul(m_.mul(m_.sub(m_.mul(m_.number(1.25), d), m_.number(2.25)), d), d), m_.number(1.0));
  }
  ValueId far(ValueId d) {
    const ValueId inner = m_.sub(m_.mul(m_.number(-0.75), d), m_.number(-3.75));
    return m_.add(m_.mul(m_.add(m_.mul(inner, d), m_.number(-6.0)), d), m_.number(3.0));
  }
};

Status grid_sample(NodeContext& c) {
  GraphBuilder& b = c.b;
  std::string mode = c.text("mode", c.opset < 20 ? "bilinear" : "linear");
  if (mode == "bilinear") mode = "linear";
  if (mode == "bicubic") mode = "cubic";
  const std::string padding = c.text("padding_mode", "zeros");
  const bool align = c.integer("align_corners", 0) != 0;
  if (mode != "nearest" && mode != "linear" && mode != "cubic")
    return c.error("mode is '{}'; nearest, linear and cubic are allowed", mode);
  if (padding != "zeros" && padding != "border" && padding != "reflection")
    return c.error("padding_mode is '{}'; zeros, border and reflection are allowed", padding);
  const Shape x = c.shape(0), grid = c.shape(1);
  if (x.size() < 3 || x.size() > 5 || grid.size() != x.size() ||
      !grid.back().is(static_cast<std::int64_t>(x.size()) - 2))
    return c.error("its grid must be [n, spatial..., {}] for its input {}, not {}", x.size() - 2, ir::to_string(x),
                   ir::to_string(grid));
  if (!is_floating(c.dtype(1))) return c.error("its grid is {}", to_string(c.dtype(1)));
  b.require(Guard::Relation::equal, x[0], grid[0], fmt::format("{}: input and grid have other batches", c.label()));
  const DType dtype = c.dtype(0);
  const bool exact = mode == "nearest";  // nothing is computed with the elements
  const Arithmetic coordinates{b, wide_of(c.dtype(1))}, m{b, exact ? dtype : wide_of(dtype)};
  const Dim samples = ir::product({grid.begin() + 1, grid.end() - 1});
  const ValueId places = b.cast(c.value(1), coordinates.dtype);
  std::vector<SampleAxis> axes;
  for (std::size_t i = 2; i < x.size(); ++i) {
    const auto which = static_cast<std::int64_t>(x.size() - 1 - i);
    const ValueId place = b.reshape(component(b, places, which), {x[0], Dim(1), samples});
    SampleAxis axis{x[i], GridAxis(coordinates, x[i], padding, align).taps(place, mode)};
    for (SampleTap& tap : axis.taps) tap.weight = tap.weight == kNoValue ? kNoValue : b.cast(tap.weight, m.dtype);
    axes.push_back(std::move(axis));
  }
  const ValueId data = b.reshape(b.cast(c.value(0), m.dtype), {x[0], x[1], ir::product({x.begin() + 2, x.end()})});
  Shape shape{x[0], x[1]};
  shape.insert(shape.end(), grid.begin() + 1, grid.end() - 1);
  return c.set(0, b.reshape(b.cast(sample(m, data, axes, samples), dtype), shape));
}

/// The taps of RoiAlign along one axis: the edge is repeated for up to one element.
std::vector<SampleTap> region_taps(const Arithmetic& m, ValueId place, const Dim& extent) {
  const ValueId zero = m.number(0.0), one = m.number(1.0), last = m.sub(m.number(extent), one);
  const ValueId valid = m.both(m.less_equal(m.number(-1.0), place), m.less_equal(place, m.number(extent)));
  const ValueId x = m.max(m.min(place, last), zero), first = m.floor(x), t = m.sub(x, first);
  return {{index_inside(m, first, extent), m.sub(one, t), valid},
          {index_inside(m, m.add(first, one), extent), t, valid}};
}

Status roi_align(NodeContext& c) {
  GraphBuilder& b = c.b;
  const std::string mode = c.text("mode", "avg");
  const std::string transformation =
      c.text("coordinate_transformation_mode", c.opset < 16 ? "output_half_pixel" : "half_pixel");
  const std::int64_t height = c.integer("output_height", 1), width = c.integer("output_width", 1);
  const std::int64_t ratio = c.integer("sampling_ratio", 0);
  const double scale = c.real("spatial_scale", 1);
  const Shape x = c.shape(0), rois = c.shape(1);
  if (mode != "avg" && mode != "max") return c.error("mode is '{}'; avg and max are allowed", mode);
  if (transformation != "half_pixel" && transformation != "output_half_pixel")
    return c.error("coordinate_transformation_mode is '{}'; half_pixel and output_half_pixel are allowed",
                   transformation);
  if (ratio < 1 || ratio > 64)
    return c.error("sampling_ratio is {}; a number from 1 to 64 is supported, since 0 makes it depend on data", ratio);
  if (x.size() != 4 || rois.size() != 2 || !rois[1].is(4) || c.rank(2) != 1 || height < 1 || width < 1)
    return c.error("its inputs must be [n, c, h, w], [regions, 4] and [regions]; they are {}, {} and {}",
                   ir::to_string(x), ir::to_string(rois), ir::to_string(c.shape(2)));
  b.require(Guard::Relation::equal, rois[0], c.shape(2)[0],
            fmt::format("{}: a region lacks its batch index", c.label()));
  const bool half = transformation == "half_pixel";
  const Arithmetic m{b, wide_of(c.dtype(0))};
  const ValueId boxes = b.cast(c.value(1), m.dtype);
  // Of one axis of the output: the places of `count * ratio` samples, of shape [regions, count ratio].
  const auto places = [&](std::int64_t from, std::int64_t count) {
    const auto edge = [&](std::int64_t which) {
      const ValueId scaled = m.mul(component(b, boxes, which), m.number(scale));
      return b.reshape(half ? m.sub(scaled, m.number(0.5)) : scaled, {rois[0], Dim(1)});
    };
    const ValueId start = edge(from);
    ValueId length = m.sub(edge(from + 2), start);
    if (!half) length = m.max(length, m.number(1.0));
    const ValueId step = m.div(length, m.number(static_cast<double>(count * ratio)));
    return m.add(start, m.mul(m.add(m.counter(Dim(count * ratio), 2, 1), m.number(0.5)), step));
  };
  const Dim rows(height * ratio), columns(width * ratio), samples = rois[0] * rows * columns;
  const auto spread = [&](ValueId v, const Shape& line) {
    return b.reshape(b.expand(b.reshape(v, line), {rois[0], rows, columns}), {Dim(1), Dim(1), samples});
  };
  const ValueId y_place = spread(places(1, height), {rois[0], rows, Dim(1)});
  const ValueId x_place = spread(places(0, width), {rois[0], Dim(1), columns});
  const ValueId batch = spread(b.cast(c.value(2), DType::i64), {rois[0], Dim(1), Dim(1)});
  const ValueId data =
      b.reshape(b.permute(b.cast(c.value(0), m.dtype), {1, 0, 2, 3}), {Dim(1), x[1], x[0] * x[2] * x[3]});
  const ValueId values = sample(m, data,
                                {{x[0], {{batch, kNoValue, kNoValue}}},
                                 {x[2], region_taps(m, y_place, x[2])},
                                 {x[3], region_taps(m, x_place, x[3])}},
                                samples, mode == "avg" ? SampleJoin::sum : SampleJoin::max);
  const ValueId apart = b.reshape(values, {x[1], rois[0], Dim(height), Dim(ratio), Dim(width), Dim(ratio)});
  const ValueId pooled = b.reduce(mode == "avg" ? Op::reduce_mean : Op::reduce_max, apart, {3, 5}, false);
  return c.set(0, b.cast(b.permute(pooled, {1, 0, 2, 3}), c.dtype(0)));
}

Status deformable_convolution(NodeContext& c) {
  GraphBuilder& b = c.b;
  JITNEY_TRY(const auto kernel, kernel_of(c, 1, "o, c/group"));
  JITNEY_TRY(const Window w, read_window(c, c.shape(0), kernel));
  const std::int64_t groups = c.integer("group", 1), offset_groups = c.integer("offset_group", 1);
  const Shape x = c.shape(0), weight = c.shape(1), offset = c.shape(2);
  const std::size_t spatial = kernel.size();
  if (groups < 1 || offset_groups < 1) return c.error("group is {} and offset_group {}", groups, offset_groups);
  if (offset.size() != x.size())
    return c.error("its offsets {} must have the rank of its input", ir::to_string(offset));
  const Shape out = pooled_shape(c, x, w, false);
  std::int64_t taps = 1;
  for (const std::int64_t k : kernel) taps *= k;
  const auto same = [&](const Dim& a, const Dim& d, const char* what) {
    b.require(Guard::Relation::equal, a, d, fmt::format("{}: {}", c.label(), what));
  };
  same(offset[1], Dim(offset_groups * taps * static_cast<std::int64_t>(spatial)), "its offsets have other channels");
  same(x[1], weight[1] * Dim(groups), "its weight has other channels");
  same(offset[0], x[0], "its offsets have another batch");
  for (std::size_t i = 0; i < spatial; ++i)
    same(offset[2 + i], out[2 + i], "its offsets have other extents than its output");
  b.require(Guard::Relation::divides, Dim(offset_groups), x[1],
            fmt::format("{}: offset_group must divide the channels", c.label()));
  b.require(Guard::Relation::divides, Dim(groups), weight[0],
            fmt::format("{}: group must divide the outputs", c.label()));
  const DType dtype = c.dtype(0);
  const Arithmetic m{b, wide_of(dtype)};
  const Dim area = ir::product({out.begin() + 2, out.end()}), batch = x[0] * Dim(offset_groups);
  const Dim samples = Dim(taps) * area;
  // Offsets as [n offset_groups, kernel..., spatial, out...].
  Shape apart{batch};
  for (const std::int64_t k : kernel) apart.emplace_back(k);
  const std::size_t rank = 2 * spatial + 1;
  Shape places = apart;
  places.insert(places.end(), out.begin() + 2, out.end());
  Shape with_axis = apart;
  with_axis.emplace_back(static_cast<std::int64_t>(spatial));
  with_axis.insert(with_axis.end(), out.begin() + 2, out.end());
  const ValueId offsets = b.reshape(b.cast(c.value(2), m.dtype), with_axis);
  std::vector<SampleAxis> axes;
  for (std::size_t i = 0; i < spatial; ++i) {
    std::vector<Dim> starts(rank + 1, Dim(0));
    starts[1 + spatial] = static_cast<std::int64_t>(i);
    Shape one = with_axis;
    one[1 + spatial] = 1;
    const ValueId moved = b.reshape(b.slice(offsets, starts, std::vector<std::int64_t>(rank + 1, 1), one), places);
    const ValueId window =
        m.mul(m.counter(out[2 + i], rank, 1 + spatial + i), m.number(static_cast<double>(w.strides[i])));
    const ValueId tap = m.mul(m.counter(Dim(kernel[i]), rank, 1 + i), m.number(static_cast<double>(w.dilations[i])));
    const ValueId corner = m.sub(m.add(window, tap), m.number(static_cast<double>(w.pads[i])));
    const ValueId place = b.reshape(m.add(moved, corner), {batch, Dim(1), samples});
    axes.push_back({x[2 + i], linear_taps_with_zeros(m, place, x[2 + i])});
  }
  const ValueId data = b.reshape(b.cast(c.value(0), m.dtype), {batch, Dim::floordiv(x[1], Dim(offset_groups)),
                                                               ir::product({x.begin() + 2, x.end()})});
  ValueId columns = sample(m, data, axes, samples);
  if (c.has(4)) columns = m.mul(columns, b.reshape(b.cast(c.value(4), m.dtype), {batch, Dim(1), samples}));
  columns = b.reshape(columns, {x[0], Dim(groups), weight[1] * Dim(taps), area});
  const ValueId factors = b.reshape(b.cast(c.value(1), m.dtype),
                                    {Dim(groups), Dim::floordiv(weight[0], Dim(groups)), weight[1] * Dim(taps)});
  ValueId y = b.reshape(
      b.binary(Op::matmul, factors, columns), out[1] == weight[0] ? out : [&] {
        Shape shape = out;
        shape[1] = weight[0];
        return shape;
      }());
  if (c.has(3)) {
    Shape line(x.size() - 1, Dim(1));
    line[0] = weight[0];
    y = m.add(y, b.reshape(b.cast(c.value(3), m.dtype), line));
  }
  return c.set(0, b.cast(y, dtype));
}

}  // namespace

std::span<const OperatorRow> sample_operators() {
  static constexpr OperatorRow kRows[] = {
      {"AffineGrid", 20, 2, 2, affine_grid},
      {"GridSample", 16, 2, 2, grid_sample},
      {"RoiAlign", 10, 3, 3, roi_align},
      {"DeformConv", 19, 3, 5, deformable_convolution},
  };
  return kRows;
}

}  // namespace jitney::onnx
