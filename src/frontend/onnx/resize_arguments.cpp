// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "frontend/onnx/resize_arguments.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace jitney::onnx {
namespace {

using ir::Dim;
using ir::Guard;

using ir::Op;
using ir::ValueId;

using Reals = std::vector<double>;

/// The elements of a vector: numbers where it is constant, values where it is data.
struct Elements {
  Reals numbers;
  std::vector<ValueId> values;  ///< f32, rank 0
  std::size_t size() const { return std::max(numbers.size(), values.size()); }
};

constexpr std::int64_t kMostElements = 64;

/// Nothing where the input is absent or empty. As many as expected, where only running tells.
Expected<std::optional<Elements>> elements(NodeContext& c, int i, std::string_view what, std::size_t expected) {
  if (!c.has(i)) return std::nullopt;
  if (ir::product(c.shape(i)).is(0)) return std::nullopt;
  auto count = static_cast<std::int64_t>(expected);
  if (c.rank(i) != 1 || c.shape(i)[0].constant()) {
    JITNEY_TRY(count, c.element_count(i, what));
  }
  if (count > kMostElements) return c.error("{} '{}' has {} elements", what, c.input(i).name, count);
  if (!is_floating(c.dtype(i))) return c.error("{} '{}' is {} data", what, c.input(i).name, to_string(c.dtype(i)));
  Elements list;
  if (const Tensor* tensor = c.input(i).constant.get()) {
    for (std::int64_t k = 0; k < count; ++k) list.numbers.push_back(element_as_double(*tensor, k));
    return list;
  }
  const ValueId all = c.b.cast(c.b.reshape(c.value(i), {Dim(count)}), DType::f32);
  for (std::int64_t k = 0; k < count; ++k)
    list.values.push_back(c.b.reshape(c.b.slice(all, {Dim(k)}, {1}, {Dim(1)}), {}));
  JITNEY_CHECK(c.b.status());
  return list;
}

/// floor(extent * scale). Scales are f32: one that is nearest to a fraction of small numbers means that fraction.
Dim scaled(const Dim& extent, double scale) {
  const auto known = extent.constant();
  if (known && static_cast<double>(*known) * scale < 0x1p53)
    return Dim(static_cast<std::int64_t>(static_cast<float>(*known) * static_cast<float>(scale)));
  for (std::int64_t q = 1; q <= 1000; ++q) {
    const auto p = std::llround(scale * static_cast<double>(q));
    if (static_cast<float>(static_cast<double>(p) / static_cast<double>(q)) == static_cast<float>(scale))
      return Dim::floordiv(extent * Dim(p), Dim(q));
  }
  int exponent = 0;
  const auto mantissa = static_cast<std::int64_t>(std::ldexp(std::frexp(scale, &exponent), 24));
  const int down = 24 - exponent;
  if (down < 0) return extent * Dim(mantissa << std::min(-down, 32));
  return Dim::floordiv(extent * Dim(mantissa), Dim(std::int64_t{1} << std::min(down, 62)));
}

/// keep_aspect() where extents or sizes are not constant.
Status keep_symbolic_aspect(NodeContext& c, const std::string& policy, std::vector<ResizedAxis>& axes) {
  GraphBuilder& b = c.b;
  const auto number = [&](const Dim& d) {
    return b.cast(b.typed_node(Op::dims, {}, DType::i64, {}, {{"values", ir::Shape{d}}}), DType::f32);
  };
  ValueId scale = ir::kNoValue;
  std::vector<Dim> from;
  for (const ResizedAxis& axis : axes) {
    const ValueId own = b.binary(Op::div, number(axis.to), number(axis.from));
    scale = scale == ir::kNoValue ? own : b.binary(policy == "not_larger" ? Op::min : Op::max, scale, own);
    from.push_back(axis.from);
  }
  const auto to = b.read_dims(policy, {c.value(3)}, std::move(from), axes.size());
  JITNEY_CHECK(b.status());
  for (std::size_t i = 0; i < axes.size(); ++i) {
    axes[i].scale_value = scale;
    axes[i].to = to[i];
  }
  return {};
}

/// The common scale that keeps the aspect: the least or the largest of those that the sizes ask for.
Status keep_aspect(NodeContext& c, const std::string& policy, std::vector<ResizedAxis>& axes) {
  if (axes.empty()) return {};
  double scale = policy == "not_larger" ? INFINITY : 0;
  for (const ResizedAxis& axis : axes) {
    const auto from = axis.from.constant(), to = axis.to.constant();
    if (!from || !to || *from == 0) return keep_symbolic_aspect(c, policy, axes);
    if (*from > 1 << 24 || *to > 1 << 24) return c.error("size {} is too large", *to);
    const double own = static_cast<float>(*to) / static_cast<float>(*from);
    scale = policy == "not_larger" ? std::min(scale, own) : std::max(scale, own);
  }
  for (ResizedAxis& axis : axes) {
    axis.scale = static_cast<float>(scale);
    axis.to = Dim(std::llround(static_cast<float>(scale) * static_cast<float>(*axis.from.constant())));
  }
  return {};
}

struct Wanted {
  std::optional<Elements> scales;
  std::optional<std::vector<Dim>> sizes;
  std::optional<Elements> roi;
};

Expected<Wanted> read_inputs(NodeContext& c, std::size_t axes) {
  Wanted w;
  const bool only_scales = c.node.op_type() == "Upsample" || c.opset < 11;
  if (only_scales && c.opset < 9) {
    if (auto list = c.real_list("scales")) w.scales = Elements{Reals(list->begin(), list->end()), {}};
  } else {
    JITNEY_TRY(w.scales, elements(c, only_scales ? 1 : 2, "the scales", axes));
  }
  if (!only_scales && c.has(3) && !ir::product(c.shape(3)).is(0)) {
    JITNEY_TRY(w.sizes, c.dims(3, "sizes"));
  }
  if (w.scales.has_value() == w.sizes.has_value()) return c.error("it needs either scales or sizes");
  return w;
}

Status check_words(NodeContext& c, const ResizeArguments& r) {
  const auto one_of = [](const std::string& word, std::initializer_list<const char*> words) {
    return std::find(words.begin(), words.end(), word) != words.end();
  };
  if (!one_of(r.mode, {"nearest", "linear", "cubic"}))
    return c.error("mode is '{}'; nearest, linear and cubic are allowed", r.mode);
  if (!one_of(r.coordinates, {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric",
                              "tf_half_pixel_for_nn", "tf_crop_and_resize"}))
    return c.error("coordinate_transformation_mode '{}' is not known", r.coordinates);
  if (!one_of(r.nearest, {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil", "simple"}))
    return c.error("nearest_mode '{}' is not known", r.nearest);
  return {};
}

/// How many elements are added up follows from the scale, so that it must be known.
Expected<double> antialiasing_scale(NodeContext& c, const ResizedAxis& axis) {
  const auto from = axis.from.constant(), to = axis.to.constant();
  if (!axis.scale && (!from || !to || *from == 0))
    return c.error("antialias needs constant scales, or constant extents and sizes");
  const double scale = axis.scale ? *axis.scale : static_cast<double>(*to) / static_cast<double>(*from);
  constexpr double kLeast = 1.0 / 64;  // beyond it hundreds of elements are added up
  if (scale < kLeast) return c.error("antialias is supported down to a scale of {}, and it is {}", kLeast, scale);
  return scale;
}

}  // namespace

Expected<ResizeArguments> read_resize(NodeContext& c) {
  const bool old = c.node.op_type() == "Upsample" || c.opset < 11;
  ResizeArguments r;
  r.mode = c.text("mode", "nearest");
  if (r.mode == "bilinear" || r.mode == "trilinear") r.mode = "linear";  // opset 7
  r.coordinates = old ? "asymmetric" : c.text("coordinate_transformation_mode", "half_pixel");
  r.nearest = old ? "simple" : c.text("nearest_mode", "round_prefer_floor");
  r.cubic_a = c.real("cubic_coeff_a", -0.75);
  r.extrapolation = c.real("extrapolation_value", 0);
  r.exclude_outside = c.integer("exclude_outside", 0) != 0;
  const std::string policy = c.text("keep_aspect_ratio_policy", "stretch");
  JITNEY_CHECK(check_words(c, r));
  const bool antialias = c.integer("antialias", 0) != 0 && r.mode != "nearest";
  std::vector<std::int64_t> axes(static_cast<std::size_t>(c.rank(0)));
  std::iota(axes.begin(), axes.end(), 0);
  if (auto given = c.integer_list("axes")) axes = *given;
  JITNEY_TRY(Wanted wanted, read_inputs(c, axes.size()));
  const bool crops = r.coordinates == "tf_crop_and_resize";
  if (crops) {
    JITNEY_TRY(wanted.roi, elements(c, 1, "roi", 2 * axes.size()));
    if (!wanted.roi) return c.error("tf_crop_and_resize needs roi");
  }

  const std::size_t count = wanted.scales ? wanted.scales->size() : wanted.sizes->size();
  if (count != axes.size()) return c.error("it has {} scales or sizes for {} axes", count, axes.size());
  if (crops && wanted.roi->size() != 2 * count)
    return c.error("roi has {} entries; {} are needed", wanted.roi->size(), 2 * count);
  std::vector<Dim> extents_then;  // where the scales are data: what becomes of the extents
  if (wanted.scales && !wanted.scales->values.empty()) {
    std::vector<Dim> from;
    for (const std::int64_t axis : axes) {
      JITNEY_TRY(const int at, c.axis(axis, c.rank(0)));
      from.push_back(c.shape(0)[static_cast<std::size_t>(at)]);
    }
    extents_then = c.b.read_dims("scaled", {c.value(old ? 1 : 2)}, std::move(from), count);
    JITNEY_CHECK(c.b.status());
  }
  std::vector<ResizedAxis> all;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    JITNEY_TRY(const int axis, c.axis(axes[i], c.rank(0)));
    ResizedAxis one;
    one.axis = static_cast<std::size_t>(axis);
    one.from = c.shape(0)[one.axis];
    if (!extents_then.empty()) {
      one.scale_value = wanted.scales->values[i];
      one.to = extents_then[i];
    } else if (wanted.scales) {
      const double scale = wanted.scales->numbers[i];
      if (!(scale > 0) || scale > 1 << 20) return c.error("scale {} is not allowed; it must be above 0", scale);
      one.scale = scale;
      one.to = scaled(one.from, scale);
    } else {
      one.to = (*wanted.sizes)[i];
      c.b.require(Guard::Relation::less_equal, Dim(0), one.to,
                  fmt::format("{}: size {} is negative", c.label(), one.to.to_string()));
    }
    if (crops && !wanted.roi->values.empty()) {
      one.roi_begin_value = wanted.roi->values[i];
      one.roi_end_value = wanted.roi->values[count + i];
    } else if (crops) {
      one.roi_begin = wanted.roi->numbers[i];
      one.roi_end = wanted.roi->numbers[count + i];
    }
    all.push_back(one);
  }
  JITNEY_CHECK(c.axes(axes, c.rank(0)));  // none twice
  if (policy == "not_larger" || policy == "not_smaller") {
    if (wanted.sizes) JITNEY_CHECK(keep_aspect(c, policy, all));
  } else if (policy != "stretch") {
    return c.error("keep_aspect_ratio_policy '{}' is not known", policy);
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.axis < b.axis; });
  for (const ResizedAxis& axis : all) {
    const bool whole = axis.roi_begin == 0 && axis.roi_end == 1 && axis.roi_begin_value == ir::kNoValue;
    const bool known_scale = axis.scale.value_or(1) == 1 && axis.scale_value == ir::kNoValue;
    if (axis.from == axis.to && known_scale && whole) continue;
    c.b.require(Guard::Relation::less_equal, Dim::min(axis.to, Dim(1)), axis.from,
                fmt::format("{}: axis {} of {} is empty and cannot be stretched", c.label(), axis.axis,
                            ir::to_string(c.shape(0))));
    r.axes.push_back(axis);
    if (antialias) {
      JITNEY_TRY(r.axes.back().constant_scale, antialiasing_scale(c, axis));
    }
  }
  return r;
}

}  // namespace jitney::onnx
