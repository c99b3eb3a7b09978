// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "passes/fusion_cost.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "passes/rewrite.h"

namespace jitney::passes {

using ir::Op;
using ir::OpFamily;
using ir::ValueId;

namespace {

/// Never part of another kernel than its own, whatever is decided later: what it reads has to be in memory.
bool reads_memory(Op op) {
  auto family = info(op).family;
  return family == OpFamily::movement || family == OpFamily::contract || family == OpFamily::view ||
         family == OpFamily::region || op == Op::arg_max || op == Op::arg_min;
}

}  // namespace

double operation_cost(Op op, DType dtype) {
  constexpr double kLanewise = 1000, kIntegerDivision = 400;
  switch (op) {
    case Op::div:
    case Op::mod:
    case Op::fmod:
      if (!is_floating(dtype)) return kIntegerDivision;
      return op == Op::div ? 4 : kLanewise;
    case Op::sqrt:
    case Op::reciprocal: return 4;
    case Op::exp:
    case Op::log:
    case Op::sigmoid:
    case Op::silu: return dtype == DType::f64 ? kLanewise : 15;
    case Op::tanh:
    case Op::erf:
    case Op::gelu_erf:
    case Op::gelu_tanh:
    case Op::softplus: return dtype == DType::f64 ? kLanewise : 30;
    case Op::sin:
    case Op::cos: return dtype == DType::f64 ? kLanewise : 40;
    case Op::tan:
    case Op::asin:
    case Op::acos:
    case Op::atan:
    case Op::sinh:
    case Op::cosh:
    case Op::asinh:
    case Op::acosh:
    case Op::atanh:
    case Op::pow: return kLanewise;
    default: break;
  }
  // A contraction stands alone in its pass, and a gather waits for memory: neither is a question of operations.
  auto family = info(op).family;
  return family == OpFamily::contract || family == OpFamily::region || family == OpFamily::view ? 0 : 1;
}

/// One walk over a region's nodes: what each pass computes, in the order in which the emitter writes it.
struct FusionCost::Walk {
  const FusionCost& cost;
  const Region& region;
  const std::vector<int>& region_of;
  const std::vector<int>& elsewhere;
  std::map<int, int> phase{};   // of a member: how many phases run before it is known
  std::map<int, int> passes{};  // of a member: how many passes compute it
  RegionCost result{};

  bool is_member(int n) const { return cost.node_mark_[static_cast<std::size_t>(n)] == cost.node_number_; }
  const ir::Node& node(int n) const { return cost.g_.nodes[static_cast<std::size_t>(n)]; }
  const ir::Shape& shape(ValueId id) const { return cost.g_.value(id).shape; }
  int member_making(ValueId id) const {
    int p = id == ir::kNoValue ? -1 : cost.producers_[static_cast<std::size_t>(id)];
    return p >= 0 && is_member(p) ? p : -1;
  }
  bool is_reduction(int n) const { return info(node(n).op).family == OpFamily::reduce; }
  bool has_reductions() const { return region.kind == RegionKind::row; }
  /// Known once a row, outside the passes over its elements.
  bool is_row_value(ValueId id) const {
    return has_reductions() && shape(id) == reduced_shape(region.shape, region.axes) && !(shape(id) == region.shape);
  }

  bool escapes(ValueId id) const {
    if (cost.is_output_[static_cast<std::size_t>(id)]) return true;
    const auto& users = cost.users_[static_cast<std::size_t>(id)];
    return std::any_of(users.begin(), users.end(), [&](int u) {
      return !is_member(u) && (region_of[static_cast<std::size_t>(u)] >= 0 || reads_memory(node(u).op) ||
                               std::find(elsewhere.begin(), elsewhere.end(), u) != elsewhere.end());
    });
  }
  bool needed_later(ValueId id) const {
    const auto& users = cost.users_[static_cast<std::size_t>(id)];
    return escapes(id) || std::any_of(users.begin(), users.end(), [&](int u) { return !is_member(u); });
  }

  /// What one pass has to compute for `roots`, in order, stopping at what is known before it.
  std::vector<ValueId> order(const std::vector<ValueId>& roots) const {
    std::vector<ValueId> sorted;
    ++cost.value_number_;
    auto is_new = [&](ValueId id) {
      return std::exchange(cost.value_mark_[static_cast<std::size_t>(id)], cost.value_number_) != cost.value_number_;
    };
    std::vector<std::pair<ValueId, bool>> stack;
    for (auto it = roots.rbegin(); it != roots.rend(); ++it) stack.push_back({*it, false});
    while (!stack.empty()) {
      auto [id, ready] = stack.back();
      stack.pop_back();
      if (ready) {
        sorted.push_back(id);
        continue;
      }
      if (id == ir::kNoValue || !is_new(id) || scalar_constant(cost.g_, id)) continue;
      stack.push_back({id, true});
      int p = member_making(id);
      if (p < 0 || is_row_value(id) || (has_reductions() && is_reduction(p))) continue;
      const auto& inputs = node(p).inputs;
      for (auto it = inputs.rbegin(); it != inputs.rend(); ++it) stack.push_back({*it, false});
    }
    return sorted;
  }

  /// Counts what one pass over the elements computes.
  void count(const std::vector<ValueId>& roots) {
    for (ValueId id : order(roots))
      if (int p = member_making(id); p >= 0 && !is_row_value(id)) ++passes[p];
  }

  /// How many values a pass holds at once. Its roots are held to its end, and values of the row throughout, as are the
  /// `kept` accumulators.
  void hold(const std::vector<ValueId>& roots, int kept) {
    if (roots.empty()) return;
    const auto sorted = order(roots);
    std::map<ValueId, std::size_t> last_use;
    int live = kept;
    for (std::size_t i = 0; i < sorted.size(); ++i) {
      live += is_row_value(sorted[i]);
      last_use[sorted[i]] = i;
      if (int p = member_making(sorted[i]); p >= 0 && !is_row_value(sorted[i]))
        for (ValueId in : node(p).inputs)
          if (auto at = last_use.find(in); at != last_use.end()) at->second = i;
    }
    for (ValueId r : roots) last_use[r] = sorted.size();
    for (std::size_t i = 0; i < sorted.size(); ++i) {
      live += !is_row_value(sorted[i]);
      result.live = std::max(result.live, live);
      for (const auto& [id, last] : last_use) live -= last == i && !is_row_value(id);
    }
  }

  void run() {
    ++cost.node_number_;
    for (int n : region.nodes) cost.node_mark_[static_cast<std::size_t>(n)] = cost.node_number_;
    std::map<int, std::vector<ValueId>> reduced;  // what each phase reduces
    for (int n : region.nodes) {
      int own = 0;
      for (ValueId in : node(n).inputs)
        if (int p = member_making(in); p >= 0) own = std::max(own, phase[p] + (has_reductions() && is_reduction(p)));
      phase[n] = own;
      if (has_reductions() && is_reduction(n)) reduced[own].push_back(node(n).inputs[0]);
    }
    for (const auto& [p, roots] : reduced) {
      count(roots);
      hold(roots, static_cast<int>(roots.size()));
    }
    std::vector<ValueId> stored, later;
    std::set<ValueId> read;
    for (int n : region.nodes) {
      for (ValueId in : node(n).inputs)
        if (in != ir::kNoValue && member_making(in) < 0 && !scalar_constant(cost.g_, in)) read.insert(in);
      for (ValueId out : node(n).outputs) {
        if (is_row_value(out) || (has_reductions() && is_reduction(n))) continue;
        if (escapes(out)) stored.push_back(out);
        if (needed_later(out)) later.push_back(out);
      }
    }
    count(later);
    hold(stored, 0);  // how long the others are held is not known yet

    auto size = [&](ValueId id) {
      const auto& v = cost.g_.value(id);
      return v.shape == region.shape ? static_cast<double>(size_of(v.dtype)) : 0.0;
    };
    for (ValueId id : read) result.bytes += size(id);
    for (ValueId id : stored) result.bytes += size(id);
    for (int n : region.nodes) {
      const ValueId out = node(n).outputs[0];
      if (is_row_value(out)) continue;
      const double one = operation_cost(node(n).op, cost.g_.value(out).dtype);
      const int times = std::max(1, passes[n]);
      const bool reduction = has_reductions() && is_reduction(n);
      // A smaller value is computed again for each element that it is broadcast to.
      const bool broadcast = !reduction && !(shape(out) == region.shape);
      result.operations += one * (reduction ? 1 : times);
      if (!reduction) result.recomputed += one * (broadcast ? times : times - 1);
    }
  }
};

FusionCost::FusionCost(const ir::Graph& graph)
    : g_(graph),
      producers_(graph.producers()),
      users_(graph.values.size()),
      is_output_(graph.values.size(), false),
      node_mark_(graph.nodes.size(), 0),
      value_mark_(graph.values.size(), 0) {
  for (std::size_t n = 0; n < graph.nodes.size(); ++n)
    for (ValueId in : graph.nodes[n].inputs)
      if (in != ir::kNoValue) users_[static_cast<std::size_t>(in)].push_back(static_cast<int>(n));
  for (ValueId out : graph.outputs) is_output_[static_cast<std::size_t>(out)] = true;
}

RegionCost FusionCost::operator()(const Region& region, const std::vector<int>& region_of,
                                  const std::vector<int>& elsewhere) const {
  Walk walk{*this, region, region_of, elsewhere};
  walk.run();
  return walk.result;
}

Refusal judge_join(const RegionCost& a, const RegionCost& b, const RegionCost& joined) {
  const double again = joined.recomputed - a.recomputed - b.recomputed;
  const double saved = a.bytes + b.bytes - joined.bytes;
  if (again > 0 && again > saved * kOperationsPerByte) return Refusal::recomputation;
  if (joined.live > kMostLiveValues && joined.live > std::max(a.live, b.live)) return Refusal::registers;
  return Refusal::none;
}

}  // namespace jitney::passes
