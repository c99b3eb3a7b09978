// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "passes/divide.h"

#include <algorithm>
#include <map>
#include <set>

#include "ir/hosted.h"

namespace jitney::passes {

namespace {

using ir::Graph;
using ir::Node;
using ir::ValueId;

/// Computations of depth d need nothing but what hosted operators below depth d give; hosted operators of depth d also
/// computations up to d, and hosted operators before them.
class Divider {
 public:
  explicit Divider(const Graph& graph) : from_(graph), live_(graph.nodes.size(), false) {}

  Graph run() {
    find_live();
    find_depths();
    find_leaving();
    begin();
    for (std::size_t depth = 0; depth <= deepest_; ++depth) {
      add_stage(depth);
      for (std::size_t n = 0; n < from_.nodes.size(); ++n)
        if (live_[n] && depths_[n] == depth && is_hosted(n)) add_hosted(from_.nodes[n]);
    }
    for (const ValueId out : from_.outputs) to_.outputs.push_back(outer(out));
    return std::move(to_);
  }

 private:
  const Graph& from_;
  Graph to_;
  std::vector<bool> live_;
  std::vector<std::size_t> depths_;
  std::size_t deepest_ = 0;
  std::vector<int> producer_;
  std::map<std::string, std::size_t> definer_;  // of a symbol: the hosted node
  std::map<ValueId, ValueId> outer_;
  std::vector<bool> leaves_;  // of a value: something other than its own stage reads it

  bool is_hosted(std::size_t node) const { return ir::is_hosted(from_.nodes[node].op); }

  static std::set<std::string> symbols_of(const Graph& g, const Node& node) {
    std::set<std::string> used;
    ir::collect_symbols(g, node, used);
    for (const std::string& own : ir::defined_symbols(node)) used.erase(own);
    return used;
  }

  void find_live() {
    std::vector<bool> wanted(from_.values.size(), false);
    std::set<std::string> symbols;
    for (const ValueId out : from_.outputs) {
      wanted[static_cast<std::size_t>(out)] = true;
      for (const auto& d : from_.value(out).shape) d.collect_symbols(symbols);
    }
    for (const ir::Guard& g : from_.guards) {
      g.a.collect_symbols(symbols);
      g.b.collect_symbols(symbols);
    }
    for (std::size_t n = from_.nodes.size(); n-- > 0;) {
      const Node& node = from_.nodes[n];
      for (const ValueId out : node.outputs) live_[n] = live_[n] || wanted[static_cast<std::size_t>(out)];
      for (const std::string& name : ir::defined_symbols(node)) live_[n] = live_[n] || symbols.contains(name);
      if (!live_[n]) continue;
      for (const ValueId in : node.inputs)
        if (in != ir::kNoValue) wanted[static_cast<std::size_t>(in)] = true;
      symbols.merge(symbols_of(from_, node));
    }
  }

  void find_depths() {
    producer_ = from_.producers();
    depths_.assign(from_.nodes.size(), 0);
    for (std::size_t n = 0; n < from_.nodes.size(); ++n) {
      if (!live_[n]) continue;
      const Node& node = from_.nodes[n];
      std::set<std::size_t> needs;
      for (const ValueId in : node.inputs) {
        const int p = in == ir::kNoValue ? -1 : producer_[static_cast<std::size_t>(in)];
        if (p >= 0) needs.insert(static_cast<std::size_t>(p));
      }
      for (const std::string& name : symbols_of(from_, node))
        if (const auto found = definer_.find(name); found != definer_.end()) needs.insert(found->second);
      for (const std::size_t p : needs)
        depths_[n] = std::max(depths_[n], depths_[p] + (is_hosted(p) && !is_hosted(n) ? 1 : 0));
      deepest_ = std::max(deepest_, depths_[n]);
      for (const std::string& name : ir::defined_symbols(node)) definer_[name] = n;
    }
  }

  void find_leaving() {
    leaves_.assign(from_.values.size(), false);
    for (const ValueId out : from_.outputs) leaves_[static_cast<std::size_t>(out)] = true;
    for (std::size_t n = 0; n < from_.nodes.size(); ++n) {
      if (!live_[n]) continue;
      for (const ValueId in : from_.nodes[n].inputs) {
        const int p = in == ir::kNoValue ? -1 : producer_[static_cast<std::size_t>(in)];
        if (p >= 0 && (is_hosted(n) || depths_[n] != depths_[static_cast<std::size_t>(p)]))
          leaves_[static_cast<std::size_t>(in)] = true;
      }
    }
  }

  void begin() {
    to_.name = from_.name;
    to_.output_names = from_.output_names;
    if (to_.output_names.empty())
      for (std::size_t i = 0; i < from_.outputs.size(); ++i) to_.output_names.push_back(from_.output_name(i));
    to_.guards = from_.guards;
    to_.symbols = from_.symbols;
    to_.metadata = from_.metadata;
    for (const ValueId in : from_.inputs) to_.inputs.push_back(outer(in));
  }

  /// A value of the divided graph.
  ValueId outer(ValueId id) {
    if (id == ir::kNoValue) return id;
    const auto [at, is_new] = outer_.emplace(id, static_cast<ValueId>(to_.values.size()));
    if (is_new) to_.values.push_back(from_.value(id));
    return at->second;
  }

  void add_hosted(const Node& node) {
    Node copy = node;
    for (ValueId& in : copy.inputs) in = outer(in);
    for (ValueId& out : copy.outputs) out = outer(out);
    to_.nodes.push_back(std::move(copy));
  }

  void add_stage(std::size_t depth) {
    Graph body;
    body.name = fmt::format("{}.stage{}", from_.name, depth);
    std::map<ValueId, ValueId> inner;
    const auto use = [&](ValueId id) {
      if (id == ir::kNoValue) return id;
      const auto [at, is_new] = inner.emplace(id, static_cast<ValueId>(body.values.size()));
      if (!is_new) return at->second;
      body.values.push_back(from_.value(id));
      return at->second;
    };
    Node stage{ir::Op::stage, body.name, {}, {}, {}};
    std::set<std::string> symbols;
    for (std::size_t n = 0; n < from_.nodes.size(); ++n) {
      if (!live_[n] || depths_[n] != depth || is_hosted(n)) continue;
      Node copy = from_.nodes[n];
      for (ValueId& in : copy.inputs) {
        const ValueId old = in;
        const bool is_known = old == ir::kNoValue || inner.contains(old) || from_.is_constant(old);
        in = use(old);
        if (is_known) continue;
        body.inputs.push_back(in);
        stage.inputs.push_back(outer(old));
      }
      for (ValueId& out : copy.outputs) {
        const ValueId old = out;
        out = use(old);
        if (!leaves_[static_cast<std::size_t>(old)]) continue;
        body.outputs.push_back(out);
        stage.outputs.push_back(outer(old));
      }
      body.nodes.push_back(std::move(copy));
    }
    if (body.nodes.empty()) return;
    for (const ir::Value& v : body.values)
      for (const auto& d : v.shape) d.collect_symbols(symbols);
    for (const Node& node : body.nodes) ir::collect_symbols(body, node, symbols);
    for (const std::string& name : symbols) {
      const auto found = from_.symbols.find(name);
      body.symbols[name] = found == from_.symbols.end() ? ir::SymbolInfo{} : found->second;
    }
    stage.attributes["body"] = std::make_shared<const Graph>(std::move(body));
    to_.nodes.push_back(std::move(stage));
  }
};

}  // namespace

ir::Graph divide(const ir::Graph& graph) { return Divider(graph).run(); }

}  // namespace jitney::passes
