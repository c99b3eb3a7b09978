// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "frontend/onnx/resize_arguments.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace jitney::onnx {
namespace {

using ir::Dim;
using ir::Guard;

using Reals = std::vector<double>;

/// All elements of a constant tensor; nothing where the input is absent or empty.
Expected<std::optional<Reals>> constant_reals(NodeContext& c, int i, std::string_view what) {
  if (!c.has(i)) return std::nullopt;
  if (ir::product(c.shape(i)).is(0)) return std::nullopt;
  const Tensor* tensor = c.input(i).constant.get();
  if (tensor == nullptr || tensor->num_elements() > 64) return c.error("{} must be constant", what);
  Reals list;
  for (std::int64_t k = 0; k < tensor->num_elements(); ++k) list.push_back(element_as_double(*tensor, k));
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

/// The common scale that keeps the aspect: the least or the largest of those that the sizes ask for.
Status keep_aspect(NodeContext& c, const std::string& policy, std::vector<ResizedAxis>& axes) {
  double scale = policy == "not_larger" ? INFINITY : 0;
  for (const ResizedAxis& axis : axes) {
    const auto from = axis.from.constant(), to = axis.to.constant();
    if (!from || !to || *from == 0)
      return c.error("keep_aspect_ratio_policy '{}' needs constant extents and sizes", policy);
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
  std::optional<Reals> scales;
  std::optional<std::vector<Dim>> sizes;
  std::optional<Reals> roi;
};

Expected<Wanted> read_inputs(NodeContext& c) {
  Wanted w;
  const bool only_scales = c.node.op_type() == "Upsample" || c.opset < 11;
  if (only_scales && c.opset < 9) {
    if (auto list = c.real_list("scales")) w.scales = Reals(list->begin(), list->end());
  } else {
    JITNEY_TRY(w.scales, constant_reals(c, only_scales ? 1 : 2, "the scales"));
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
  JITNEY_TRY(Wanted wanted, read_inputs(c));
  const bool crops = r.coordinates == "tf_crop_and_resize";
  if (crops) {
    JITNEY_TRY(wanted.roi, constant_reals(c, 1, "roi"));
    if (!wanted.roi) return c.error("tf_crop_and_resize needs roi");
  }

  std::vector<std::int64_t> axes(static_cast<std::size_t>(c.rank(0)));
  std::iota(axes.begin(), axes.end(), 0);
  if (auto given = c.integer_list("axes")) axes = *given;
  const std::size_t count = wanted.scales ? wanted.scales->size() : wanted.sizes->size();
  if (count != axes.size()) return c.error("it has {} scales or sizes for {} axes", count, axes.size());
  if (crops && wanted.roi->size() != 2 * count)
    return c.error("roi has {} entries; {} are needed", wanted.roi->size(), 2 * count);
  std::vector<ResizedAxis> all;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    JITNEY_TRY(const int axis, c.axis(axes[i], c.rank(0)));
    ResizedAxis one{static_cast<std::size_t>(axis), c.shape(0)[static_cast<std::size_t>(axis)], {}, {}, 0, 1};
    if (wanted.scales) {
      const double scale = (*wanted.scales)[i];
      if (!(scale > 0) || scale > 1 << 20) return c.error("scale {} is not allowed; it must be above 0", scale);
      one.scale = scale;
      one.to = scaled(one.from, scale);
    } else {
      one.to = (*wanted.sizes)[i];
      c.b.require(Guard::Relation::less_equal, Dim(0), one.to,
                  fmt::format("{}: size {} is negative", c.label(), one.to.to_string()));
    }
    if (crops) {
      one.roi_begin = (*wanted.roi)[i];
      one.roi_end = (*wanted.roi)[count + i];
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
    const bool whole = axis.roi_begin == 0 && axis.roi_end == 1;
    if (axis.from == axis.to && axis.scale.value_or(1) == 1 && whole) continue;
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
