// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Which nodes share a kernel. The rules, each legal by construction:
//   1. An elementwise node joins the region of one of its inputs when it computes elements of the same shape (for a
//      row region: of the full or of the reduced shape). Its other inputs' regions are merged in too where they fit.
//   2. A reduction joins the map region that makes its input and turns it into a row region, or joins a row region
//      that reduces the same axes of the same shape.
//      A scan joins in the same way, and no reduction comes after it in its region.
//   3. A contraction, gather, concat or pad begins a region; elementwise consumers join it by rule 1. It reads its
//      inputs at other places than where they are computed, so it never shares a region with what makes them.
//   4. A library call is a region by itself: what it can take was absorbed before.
//   5. No rule applies where it would make two regions wait for each other.
//   6. Regions that do not wait for each other and read the same elements become one in the end, so that these are
//      read once: two heads over one tensor, the mean and the maximum of the same rows.
//   7. No rule applies where fusion_cost.h finds the one kernel worse than the two.
#include "passes/regions.h"

#include <algorithm>
#include <map>
#include <set>

#include "passes/fusion_cost.h"
namespace jitney::passes {

using ir::Op;
using ir::OpFamily;
using ir::ValueId;

ir::Shape reduced_shape(const ir::Shape& shape, const std::vector<std::int64_t>& axes) {
  ir::Shape s = shape;
  for (auto a : axes) s[static_cast<std::size_t>(a)] = 1;
  return s;
}

namespace {

// A region's nodes are bounded: what builds and prints a kernel walks expressions by recursion, and a compiler's time
// grows faster than a function's length.
constexpr std::size_t kMaxNodes = 64;

bool reads_elsewhere(Op op) {
  auto family = info(op).family;
  return family == OpFamily::movement || family == OpFamily::contract || family == OpFamily::view ||
         family == OpFamily::region;
}

/// Whether a movement has a loop nest; the interpreter runs the others.
bool has_loops(const ir::Node& node) {
  switch (node.op) {
    case Op::scatter_elements:
    case Op::scatter_nd:
    case Op::top_k: return false;
    case Op::pad: return node.text("mode") == "constant";
    default: return true;
  }
}

class Grouper {
 public:
  explicit Grouper(const ir::Graph& graph)
      : g_(graph), producer_(graph.producers()), region_of_(graph.nodes.size(), -1), cost_(graph) {}

  Grouping run() {
    for (std::size_t i = 0; i < g_.nodes.size(); ++i) place(static_cast<int>(i));
    join_siblings();
    return ordered();
  }

 private:
  const ir::Graph& g_;
  std::vector<int> producer_;
  std::vector<Region> regions_;
  std::vector<int> region_of_;
  FusionCost cost_;
  std::map<int, int> continued_in_;  // where a node went that a region refused: the next such node goes there, too

  int continued_in(int region) const {
    auto at = continued_in_.find(region);
    return at == continued_in_.end() || regions_[static_cast<std::size_t>(at->second)].nodes.empty() ? -1 : at->second;
  }

  /// Whether one kernel for the nodes of two regions is no worse than two. `kind` and `axes` are of the one.
  bool worth_it(const Region& a, const Region& b, RegionKind kind, const std::vector<std::int64_t>& axes) const {
    Region joined{kind, a.shape, axes, a.nodes};
    joined.nodes.insert(joined.nodes.end(), b.nodes.begin(), b.nodes.end());
    // In one pass nothing is computed twice, and few nodes hold few values.
    std::size_t values = joined.nodes.size();
    for (int n : joined.nodes) values += g_.nodes[static_cast<std::size_t>(n)].inputs.size();
    if (kind != RegionKind::row && values <= static_cast<std::size_t>(kMostLiveValues)) return true;
    std::sort(joined.nodes.begin(), joined.nodes.end());
    const RegionCost one = cost_(joined, region_of_);
    if (one.recomputed == 0 && one.live <= kMostLiveValues) return true;
    return judge_join(cost_(a, region_of_, b.nodes), cost_(b, region_of_, a.nodes), one) == Refusal::none;
  }

  int region_making(ValueId id) const {
    int p = id == ir::kNoValue ? -1 : producer_[static_cast<std::size_t>(id)];
    return p < 0 ? -1 : region_of_[static_cast<std::size_t>(p)];
  }

  int begin(RegionKind kind, int node, ir::Shape shape, std::vector<std::int64_t> axes = {}) {
    regions_.push_back({kind, std::move(shape), std::move(axes), {node}});
    region_of_[static_cast<std::size_t>(node)] = static_cast<int>(regions_.size()) - 1;
    return region_of_[static_cast<std::size_t>(node)];
  }

  void join(int node, int region) {
    regions_[static_cast<std::size_t>(region)].nodes.push_back(node);
    region_of_[static_cast<std::size_t>(node)] = region;
  }

  /// Whether computing `nodes` needs, through something outside both, what `region` makes.
  bool needs_through_others(const std::vector<int>& nodes, int own, int region) const {
    std::vector<int> stack;
    std::vector<bool> seen(g_.nodes.size(), false);
    auto push_inputs = [&](int n, bool direct) {
      for (ValueId in : g_.nodes[static_cast<std::size_t>(n)].inputs) {
        int p = in == ir::kNoValue ? -1 : producer_[static_cast<std::size_t>(in)];
        if (p < 0 || seen[static_cast<std::size_t>(p)]) continue;
        int r = region_of_[static_cast<std::size_t>(p)];
        if (direct && (r == region || (own >= 0 && r == own))) continue;
        seen[static_cast<std::size_t>(p)] = true;
        stack.push_back(p);
      }
    };
    for (int n : nodes) push_inputs(n, true);
    while (!stack.empty()) {
      int n = stack.back();
      stack.pop_back();
      int r = region_of_[static_cast<std::size_t>(n)];
      if (r == region) return true;
      if (r < 0) {
        push_inputs(n, false);
        continue;
      }
      for (int m : regions_[static_cast<std::size_t>(r)].nodes) {
        seen[static_cast<std::size_t>(m)] = true;
        push_inputs(m, false);
      }
    }
    return false;
  }

  /// A node of `nodes` reads a value that `region` makes at other places than its own element.
  bool opaque_edge(const std::vector<int>& nodes, int region) const {
    for (int n : nodes)
      if (reads_elsewhere(g_.nodes[static_cast<std::size_t>(n)].op))
        for (ValueId in : g_.nodes[static_cast<std::size_t>(n)].inputs)
          if (region_making(in) == region) return true;
    return false;
  }

  bool takes(const Region& r, const ir::Shape& shape) const {
    if (r.kind == RegionKind::alone || r.kind == RegionKind::call || r.nodes.size() >= kMaxNodes) return false;
    return shape == r.shape || (r.kind == RegionKind::row && shape == reduced_shape(r.shape, r.axes));
  }

  void place(int index) {
    const auto& node = g_.nodes[static_cast<std::size_t>(index)];
    const auto& shape = g_.value(node.outputs[0]).shape;
    switch (info(node.op).family) {
      case OpFamily::view: return;
      case OpFamily::source: begin(RegionKind::map, index, shape); return;
      case OpFamily::contract: begin(RegionKind::contract, index, shape); return;
      case OpFamily::region: begin(static_cast<RegionKind>(node.integer("kind")), index, shape); return;
      case OpFamily::movement: begin(has_loops(node) ? RegionKind::map : RegionKind::alone, index, shape); return;
      case OpFamily::reduce: place_reduce(index, node.integers("axes")); return;
      case OpFamily::scan: place_reduce(index, {node.integer("axis")}); return;
      case OpFamily::unary:
      case OpFamily::binary:
      case OpFamily::ternary:
      case OpFamily::cast: place_elementwise(index); return;
      default: begin(RegionKind::alone, index, shape); return;
    }
  }

  void place_elementwise(int index) {
    const auto& node = g_.nodes[static_cast<std::size_t>(index)];
    const auto& shape = g_.value(node.outputs[0]).shape;
    int joined = -1, refused = -1;
    for (ValueId in : node.inputs) {
      for (int r = region_making(in); r >= 0 && r != joined; r = continued_in(r)) {
        const Region& region = regions_[static_cast<std::size_t>(r)];
        if (!takes(region, shape)) break;
        if (joined >= 0) {
          joined = try_merge(joined, r);
          break;
        }
        if (needs_through_others({index}, -1, r)) break;
        if (worth_it(region, {RegionKind::map, shape, {}, {index}}, region.kind, region.axes)) {
          join(index, joined = r);
          break;
        }
        refused = r;
      }
    }
    if (joined >= 0) return;
    begin(RegionKind::map, index, shape);
    if (refused >= 0) continued_in_[refused] = region_of_[static_cast<std::size_t>(index)];
  }

  /// Whether there is a scan in a region: its steps come after all reductions.
  bool scans(const Region& r) const {
    return std::any_of(r.nodes.begin(), r.nodes.end(), [this](int n) {
      return info(g_.nodes[static_cast<std::size_t>(n)].op).family == OpFamily::scan;
    });
  }

  void place_reduce(int index, const std::vector<std::int64_t>& axes) {
    const auto& node = g_.nodes[static_cast<std::size_t>(index)];
    const auto& shape = g_.value(node.inputs[0]).shape;
    int r = region_making(node.inputs[0]);
    if (r >= 0) {
      Region& region = regions_[static_cast<std::size_t>(r)];
      bool fits = region.nodes.size() < kMaxNodes && region.shape == shape &&
                  (region.kind == RegionKind::map || (region.kind == RegionKind::row && region.axes == axes)) &&
                  (info(node.op).family == OpFamily::scan || !scans(region));
      if (fits && !needs_through_others({index}, -1, r) &&
          worth_it(region, {RegionKind::row, shape, axes, {index}}, RegionKind::row, axes)) {
        region.kind = RegionKind::row;
        region.axes = axes;
        join(index, r);
        return;
      }
    }
    begin(RegionKind::row, index, shape, axes);
  }

  /// Merges two regions that hold elements of one shape; gives the region that then holds both, or `a`.
  int try_merge(int a, int b) {
    Region& ra = regions_[static_cast<std::size_t>(a)];
    Region& rb = regions_[static_cast<std::size_t>(b)];
    if (!(ra.shape == rb.shape) || ra.nodes.size() + rb.nodes.size() > kMaxNodes) return a;
    bool fits = ra.kind == RegionKind::map || rb.kind == RegionKind::map ||
                (ra.kind == RegionKind::row && rb.kind == RegionKind::row && ra.axes == rb.axes);
    fits = fits && (ra.kind != RegionKind::row || rb.kind != RegionKind::row || (!scans(ra) && !scans(rb)));
    for (RegionKind kind : {ra.kind, rb.kind}) fits = fits && kind != RegionKind::alone && kind != RegionKind::call;
    if (!fits) return a;
    if (opaque_edge(ra.nodes, b) || opaque_edge(rb.nodes, a)) return a;
    if (needs_through_others(ra.nodes, a, b) || needs_through_others(rb.nodes, b, a)) return a;
    const Region& outer = ra.kind == RegionKind::map ? rb : ra;
    if (!worth_it(ra, rb, outer.kind, outer.axes)) return a;
    if (ra.kind == RegionKind::map) {
      ra.kind = rb.kind;
      ra.axes = rb.axes;
    }
    for (int n : rb.nodes) join(n, a);
    std::sort(ra.nodes.begin(), ra.nodes.end());
    rb.nodes.clear();
    return a;
  }

  /// A node of `a` reads what `b` makes.
  bool reads(const Region& a, int b) const {
    for (int n : a.nodes)
      for (ValueId in : g_.nodes[static_cast<std::size_t>(n)].inputs)
        if (region_making(in) == b) return true;
    return false;
  }

  /// Merges regions that read the same elements of a value that neither makes.
  void join_siblings() {
    std::map<ValueId, std::vector<int>> readers;  // regions that read the value element by element, in order
    for (std::size_t n = 0; n < g_.nodes.size(); ++n) {
      const int r = region_of_[n];
      if (r < 0 || reads_elsewhere(g_.nodes[n].op)) continue;
      const Region& region = regions_[static_cast<std::size_t>(r)];
      if (region.kind != RegionKind::map && region.kind != RegionKind::row) continue;
      for (ValueId in : g_.nodes[n].inputs) {
        if (in == ir::kNoValue || region_making(in) == r || !(g_.value(in).shape == region.shape)) continue;
        auto& all = readers[in];
        if (std::find(all.begin(), all.end(), r) == all.end()) all.push_back(r);
      }
    }
    for (const auto& [value, all] : readers)
      for (std::size_t i = 0; i + 1 < all.size(); ++i)
        for (std::size_t j = i + 1; j < all.size(); ++j) join_siblings(all[i], all[j]);
  }

  void join_siblings(int a, int b) {
    const Region &ra = regions_[static_cast<std::size_t>(a)], &rb = regions_[static_cast<std::size_t>(b)];
    if (ra.nodes.empty() || rb.nodes.empty() || reads(ra, b) || reads(rb, a)) return;
    try_merge(a, b);
  }

  /// Regions in an order in which they can run: depth first along what each needs.
  Grouping ordered() {
    std::vector<int> state(regions_.size(), 0), order;
    for (std::size_t root = 0; root < regions_.size(); ++root) {
      std::vector<std::pair<int, bool>> stack{{static_cast<int>(root), false}};
      while (!stack.empty()) {
        auto [r, done] = stack.back();
        stack.pop_back();
        if (done) {
          order.push_back(r);
          continue;
        }
        if (state[static_cast<std::size_t>(r)] != 0) continue;
        state[static_cast<std::size_t>(r)] = 1;
        stack.push_back({r, true});
        for (int need : needs(r)) stack.push_back({need, false});
      }
    }
    Grouping result;
    std::vector<int> position(regions_.size(), -1);
    for (int r : order) {
      if (regions_[static_cast<std::size_t>(r)].nodes.empty()) continue;
      position[static_cast<std::size_t>(r)] = static_cast<int>(result.regions.size());
      result.regions.push_back(std::move(regions_[static_cast<std::size_t>(r)]));
    }
    for (int r : region_of_) result.region_of.push_back(r < 0 ? -1 : position[static_cast<std::size_t>(r)]);
    return result;
  }

  std::set<int> needs(int region) const {
    std::set<int> result;
    std::vector<int> stack = regions_[static_cast<std::size_t>(region)].nodes;
    while (!stack.empty()) {
      int n = stack.back();
      stack.pop_back();
      for (ValueId in : g_.nodes[static_cast<std::size_t>(n)].inputs) {
        int p = in == ir::kNoValue ? -1 : producer_[static_cast<std::size_t>(in)];
        if (p < 0) continue;
        int r = region_of_[static_cast<std::size_t>(p)];
        if (r < 0)
          stack.push_back(p);
        else if (r != region)
          result.insert(r);
      }
    }
    return result;
  }
};

}  // namespace

Grouping group(const ir::Graph& graph) { return Grouper(graph).run(); }

}  // namespace jitney::passes
