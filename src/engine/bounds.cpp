// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "engine/bounds.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "frontend/onnx/dim_bounds.h"
#include "ir/hosted.h"

namespace jitney::engine {
namespace {

using ir::Dim;
using ir::Guard;
using ir::Node;
using ir::Op;
using ir::Shape;
using ir::Value;

/// What a Dim becomes when it cannot be computed: it may be anything.
constexpr const char* kOverflow = ".overflow";

class Bounds {
 public:
  explicit Bounds(ir::Graph& graph) : graph_(graph), symbols_(graph.symbols) {
    symbols_[kOverflow] = {INT64_MIN, INT64_MAX};
    for (const Guard& g : graph.guards) known_.insert(key(g.relation, g.a, g.b));
  }

  Status check(const Node& node) {
    const Value& out = graph_.value(node.outputs[0]);
    const Value* x = node.inputs.empty() || node.inputs[0] == ir::kNoValue ? nullptr : &graph_.value(node.inputs[0]);
    switch (node.op) {
      case Op::dims:
      case Op::iota:
      case Op::max_pool:  // windows are cut at the input's edge
      case Op::avg_pool: return {};
      case Op::cast:
      case Op::bitcast: return equal(node, x->shape, out.shape);
      case Op::reshape: return require(node, Guard::Relation::equal, ir::product(x->shape), ir::product(out.shape));
      case Op::expand: return expand(node, x->shape, out.shape);
      case Op::slice: return slice(node, x->shape, out.shape);
      case Op::top_k: return top_k(node, x->shape, out.shape);
      case Op::pad: return pad(node, x->shape, out.shape);
      default: return inferred(node, out);
    }
  }

 private:
  Status inferred(const Node& node, const Value& out) {
    std::vector<const Value*> inputs;
    for (const ir::ValueId id : node.inputs) inputs.push_back(id == ir::kNoValue ? nullptr : &graph_.value(id));
    std::vector<Guard> guards;
    JITNEY_TRY(const ir::Inferred type, ir::infer(node.op, node.name, inputs, node.attributes, guards));
    for (const Guard& guard : guards) JITNEY_CHECK(require(node, guard.relation, guard.a, guard.b));
    return equal(node, type.shape, out.shape);
  }

  Status equal(const Node& node, const Shape& a, const Shape& b) {
    for (std::size_t i = 0; i < a.size(); ++i) JITNEY_CHECK(require(node, Guard::Relation::equal, a[i], b[i]));
    return {};
  }

  Status expand(const Node& node, const Shape& from, const Shape& to) {
    for (std::size_t i = 0; i < from.size(); ++i) {
      if (from[i].is(1)) continue;
      JITNEY_CHECK(require(node, Guard::Relation::equal, from[i], to[to.size() - from.size() + i]));
    }
    return {};
  }

  Status slice(const Node& node, const Shape& from, const Shape& to) {
    const auto &starts = node.dims("starts"), &steps = node.dims("steps");
    for (std::size_t i = 0; i < from.size(); ++i) {
      const Dim last = starts[i] + (to[i] - 1) * steps[i];
      if (*steps[i].constant() > 0) {
        JITNEY_CHECK(require(node, Guard::Relation::less_equal, 0, starts[i]));
        JITNEY_CHECK(require(node, Guard::Relation::less_equal, last + 1, from[i]));
      } else {
        // An empty slice may begin at the end.
        JITNEY_CHECK(require(node, Guard::Relation::less_equal, starts[i] + Dim::min(to[i], 1), from[i]));
        JITNEY_CHECK(require(node, Guard::Relation::less_equal, 0, last));
      }
    }
    return {};
  }

  Status pad(const Node& node, const Shape& from, const Shape& to) {
    if (node.text("mode") == "constant") return {};  // decided for each element
    // The other modes map every index into the input, which must have something to repeat.
    for (std::size_t i = 0; i < from.size(); ++i) {
      JITNEY_CHECK(require(node, Guard::Relation::less_equal, Dim::min(to[i], 1), from[i]));
    }
    return {};
  }

  Status top_k(const Node& node, const Shape& from, const Shape& to) {
    for (std::size_t i = 0; i < from.size(); ++i) {
      const bool along = static_cast<std::int64_t>(i) == node.integer("axis");
      JITNEY_CHECK(require(node, along ? Guard::Relation::less_equal : Guard::Relation::equal, to[i], from[i]));
    }
    return {};
  }

  Status require(const Node& node, Guard::Relation relation, const Dim& a, const Dim& b) {
    const bool is_equality = relation == Guard::Relation::equal;
    if (relation == Guard::Relation::divides) return divides(node, a, b);
    const Dim gap = b - a;
    const bool overflows = gap.to_string() == kOverflow;
    if (!overflows && (is_equality ? gap.is(0) : onnx::proves_at_least(b, a, symbols_))) return {};
    const bool impossible =
        is_equality ? onnx::decide_equal(a, b, symbols_) == false : onnx::proves_at_least(a, b + 1, symbols_);
    if (overflows || impossible) {
      return user_error("node '{}' ({}) reads outside its inputs: {} must {} {}", node.name, ir::info(node.op).name,
                        a.to_string(), is_equality ? "equal" : "be at most", b.to_string());
    }
    add(node, relation, a, b);
    return {};
  }

  Status divides(const Node& node, const Dim& a, const Dim& b) {
    const Dim rest = Dim::mod(b, a);
    if (rest.is(0)) return {};
    if (rest.is_constant() || a.is(0)) {
      return user_error("node '{}' ({}) has shapes that do not fit: {} must divide {}", node.name,
                        ir::info(node.op).name, a.to_string(), b.to_string());
    }
    add(node, Guard::Relation::divides, a, b);
    return {};
  }

  void add(const Node& node, Guard::Relation relation, const Dim& a, const Dim& b) {
    if (!known_.insert(key(relation, a, b)).second) return;
    graph_.guards.push_back({relation, a, b, fmt::format("shapes at '{}'", node.name)});
  }

  /// One for all ways to write a relation.
  static std::string key(Guard::Relation relation, const Dim& a, const Dim& b) {
    if (relation == Guard::Relation::divides) return fmt::format("{} divides {}", a.to_string(), b.to_string());
    if (relation == Guard::Relation::less_equal) return fmt::format("0 <= {}", (b - a).to_string());
    return fmt::format("0 == {}", std::min((b - a).to_string(), (a - b).to_string()));
  }

  ir::Graph& graph_;
  std::map<std::string, ir::SymbolInfo> symbols_;
  std::set<std::string> known_;
};

}  // namespace

Status require_bounds(ir::Graph& graph) {
  Bounds bounds(graph);
  for (Node& node : graph.nodes) {
    if (!ir::is_hosted(node.op)) {
      JITNEY_CHECK(bounds.check(node));
      continue;
    }
    // What is hosted checks extents when it runs. The graphs in it have kernels.
    for (auto& [key, attribute] : node.attributes) {
      auto* body = std::get_if<std::shared_ptr<const ir::Graph>>(&attribute);
      if (body == nullptr) continue;
      ir::Graph checked = **body;
      JITNEY_CHECK(require_bounds(checked));
      *body = std::make_shared<const ir::Graph>(std::move(checked));
    }
  }
  return {};
}

}  // namespace jitney::engine
