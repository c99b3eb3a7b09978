// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "engine/profiles.h"

#include <fmt/ranges.h>

#include <array>
#include <bit>

namespace jitney::engine {
namespace {

using Extents = std::vector<std::int64_t>;
using Member = Extents ShapeRange::*;

constexpr std::array<std::pair<const char*, Member>, 3> kShapes = {
    {{"min_shape", &ShapeRange::min}, {"opt_shape", &ShapeRange::opt}, {"max_shape", &ShapeRange::max}}};

bool is_missing(const ShapeRange& r) { return r.min.empty() && r.opt.empty() && r.max.empty(); }

/// One profile against the graph.
class Checker {
 public:
  Checker(const ir::Graph& graph, OptimizationProfile& profile, std::size_t number)
      : graph_(graph), profile_(profile), number_(number) {}

  Status check() {
    if (profile_.inputs.size() != graph_.inputs.size())
      return user_error("optimization profile {} has ranges for {} inputs; the model has {}", number_,
                        profile_.inputs.size(), graph_.inputs.size());
    for (std::size_t i = 0; i < profile_.inputs.size(); ++i) JITNEY_CHECK(check_order(i));
    for (const auto& [name, shape] : kShapes) fill(shape);
    // What is known only in part is as good as nothing.
    for (auto& range : profile_.inputs)
      if (range.min.empty() || range.opt.empty() || range.max.empty()) range = {};
    for (const auto& [name, shape] : kShapes) JITNEY_CHECK(bind(name, shape));
    return {};
  }

 private:
  const ir::Value& input(std::size_t i) const { return graph_.value(graph_.inputs[i]); }
  bool is_known(std::size_t i, Member shape) const {
    return !(profile_.inputs[i].*shape).empty() || input(i).shape.empty();
  }

  Status check_order(std::size_t i) {
    const ShapeRange& r = profile_.inputs[i];
    if (is_missing(r)) return {};
    for (const auto& [name, shape] : kShapes)
      if ((r.*shape).size() != input(i).shape.size())
        return user_error("optimization profile {}: {} [{}] of input '{}' has {} dimensions; the input has {}: {}",
                          number_, name, fmt::join(r.*shape, ", "), input(i).name, (r.*shape).size(),
                          input(i).shape.size(), ir::to_string(input(i).shape));
    for (std::size_t axis = 0; axis < r.min.size(); ++axis)
      if (r.min[axis] < 0 || r.min[axis] > r.opt[axis] || r.opt[axis] > r.max[axis])
        return user_error(
            "optimization profile {}: input '{}' must have 0 <= min_shape <= opt_shape <= max_shape along axis {}, "
            "found {}, {}, {}",
            number_, input(i).name, axis, r.min[axis], r.opt[axis], r.max[axis]);
    return {};
  }

  /// Shapes that the known ones decide.
  void fill(Member shape) {
    ir::SymbolValues symbols;
    for (std::size_t i = 0; i < profile_.inputs.size(); ++i) {
      const Extents& known = profile_.inputs[i].*shape;
      for (std::size_t axis = 0; axis < known.size(); ++axis)
        if (const auto symbol = input(i).shape[axis].symbol_name()) symbols.emplace(*symbol, known[axis]);
    }
    for (std::size_t i = 0; i < profile_.inputs.size(); ++i) {
      if (is_known(i, shape)) continue;
      if (auto made = ir::evaluate(input(i).shape, symbols)) profile_.inputs[i].*shape = std::move(*made);
    }
  }

  Status bind(const char* name, Member shape) {
    Shapes shapes;
    bool all_known = true;
    for (std::size_t i = 0; i < profile_.inputs.size(); ++i) {
      all_known = all_known && is_known(i, shape);
      shapes.push_back(profile_.inputs[i].*shape);
    }
    if (!all_known) return {};
    return ir::bind_symbols(graph_, shapes).map([](auto) {}).map_error([&](Failure f) {
      f.message = fmt::format("{} of optimization profile {} does not fit the model: {}", name, number_, f.message);
      return f;
    });
  }

  const ir::Graph& graph_;
  OptimizationProfile& profile_;
  std::size_t number_;
};

bool is_within(const ShapeRange& range, const Extents& shape) {
  if (is_missing(range)) return true;
  if (shape.size() != range.min.size()) return false;
  for (std::size_t axis = 0; axis < shape.size(); ++axis)
    if (shape[axis] < range.min[axis] || shape[axis] > range.max[axis]) return false;
  return true;
}

std::string shown_range(const ShapeRange& range) {
  return is_missing(range) ? "any"
                           : fmt::format("[{}] to [{}]", fmt::join(range.min, ", "), fmt::join(range.max, ", "));
}

}  // namespace

Expected<Profiles> check_profiles(const ir::Graph& graph, Profiles profiles) {
  if (profiles.size() > kMaxProfiles)
    return user_error("{} optimization profiles were given; at most {} are allowed", profiles.size(), kMaxProfiles);
  for (std::size_t p = 0; p < profiles.size(); ++p) JITNEY_CHECK(Checker(graph, profiles[p], p).check());
  return profiles;
}

std::uint64_t fitting_profiles(const Profiles& profiles, const Shapes& shapes) {
  std::uint64_t fitting = 0;
  for (std::size_t p = 0; p < profiles.size(); ++p) {
    bool fits = true;
    for (std::size_t i = 0; i < shapes.size(); ++i) fits = fits && is_within(profiles[p].inputs[i], shapes[i]);
    if (fits) fitting |= std::uint64_t{1} << p;
  }
  return fitting;
}

int choose_profile(std::uint64_t fitting, int wanted, int active) {
  const auto fits = [&](int p) { return (fitting >> p & 1) != 0; };
  if (wanted != kAutoProfile) return fits(wanted) ? wanted : -1;
  if (fitting == 0) return -1;
  return fits(active) ? active : std::countr_zero(fitting);
}

tl::unexpected<Failure> no_profile(const ir::Graph& graph, const Profiles& profiles, int wanted, const Shapes& shapes) {
  const bool is_auto = wanted == kAutoProfile;
  const auto is_outside = [&](std::size_t i) {
    if (!is_auto) return !is_within(profiles[static_cast<std::size_t>(wanted)].inputs[i], shapes[i]);
    for (const auto& p : profiles)
      if (is_within(p.inputs[i], shapes[i])) return false;
    return true;
  };
  std::vector<std::string> found, allowed;
  for (std::size_t i = 0; i < shapes.size(); ++i)
    if (is_outside(i))
      found.push_back(
          fmt::format("input '{}' has shape [{}]", graph.value(graph.inputs[i]).name, fmt::join(shapes[i], ", ")));
  // Each input alone is in some profile, and no profile has them all.
  const bool is_mixture = found.empty();
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const std::string& name = graph.value(graph.inputs[i]).name;
    if (is_mixture) found.push_back(fmt::format("input '{}' has shape [{}]", name, fmt::join(shapes[i], ", ")));
    if (!is_mixture && !is_outside(i)) continue;
    for (std::size_t p = 0; p < profiles.size(); ++p)
      allowed.push_back(fmt::format("profile {}: '{}' {}", p, name, shown_range(profiles[p].inputs[i])));
  }
  const std::string which =
      is_auto ? "No optimization profile matches" : fmt::format("Optimization profile {} does not match", wanted);
  return user_error("{}: {} (allowed: {})", which, fmt::join(found, ", "), fmt::join(allowed, "; "));
}

std::string describe_profiles(const ir::Graph& graph, const Profiles& profiles) {
  if (profiles.empty()) return "";
  std::string text = "== optimization profiles ==\n";
  for (std::size_t p = 0; p < profiles.size(); ++p)
    for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
      const ShapeRange& range = profiles[p].inputs[i];
      text += fmt::format("profile {}: '{}' {}", p, graph.value(graph.inputs[i]).name, shown_range(range));
      text += is_missing(range) ? "\n" : fmt::format(", best [{}]\n", fmt::join(range.opt, ", "));
    }
  return text;
}

}  // namespace jitney::engine
