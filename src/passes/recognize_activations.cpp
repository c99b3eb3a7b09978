// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "passes/recognize_activations.h"

#include <algorithm>
#include <cmath>

#include "passes/rewrite.h"

namespace jitney::passes {

namespace {

using ir::Op;
using ir::ValueId;

constexpr int kMaxFactors = 6;

/// A product of values and one number.
struct Product {
  double scale = 1;
  std::vector<ValueId> factors;
};

bool near(double a, double b) { return std::abs(a - b) <= 1e-4 * std::abs(b); }

class Recognizer {
 public:
  explicit Recognizer(const ir::Graph& graph) : g_(graph), producer_(graph.producers()) {}

  /// The activation that `id` is, and of what.
  std::optional<std::pair<Op, ValueId>> match(ValueId id) const {
    const ir::Node* node = made_by(id);
    if (!node || (node->op != Op::mul && node->op != Op::div) || !is_floating(g_.value(id).dtype)) return std::nullopt;
    auto p = product_of(id);
    if (!p || p->factors.size() != 2) return std::nullopt;
    for (int side : {0, 1}) {
      ValueId x = p->factors[static_cast<std::size_t>(side)], gate = p->factors[static_cast<std::size_t>(1 - side)];
      const auto &vx = g_.value(x), &out = g_.value(id);
      if (!(vx.shape == out.shape) || vx.dtype != out.dtype) continue;
      if (near(p->scale, 1) && is(gate, Op::sigmoid, x)) return {{Op::silu, x}};
      if (near(p->scale, 1) && hard_gate(gate, x, 1)) return {{Op::hard_swish, x}};
      if (near(p->scale, 1.0 / 6) && hard_gate(gate, x, 6)) return {{Op::hard_swish, x}};
      if (near(p->scale, 0.5))
        if (auto inner = plus(gate, 1)) {
          if (const auto* f = made_by(*inner); f && f->op == Op::erf && scaled(f->inputs[0], std::sqrt(0.5), x))
            return {{Op::gelu_erf, x}};
          if (const auto* f = made_by(*inner); f && f->op == Op::tanh && cubic(f->inputs[0], x))
            return {{Op::gelu_tanh, x}};
        }
    }
    return std::nullopt;
  }

 private:
  const ir::Graph& g_;
  std::vector<int> producer_;

  const ir::Node* made_by(ValueId id) const {
    int p = id == ir::kNoValue ? -1 : producer_[static_cast<std::size_t>(id)];
    return p < 0 ? nullptr : &g_.nodes[static_cast<std::size_t>(p)];
  }

  bool is(ValueId id, Op op, ValueId of) const {
    const auto* n = made_by(id);
    return n && n->op == op && n->inputs[0] == of;
  }

  /// `id` as a product, followed through multiplications, and divisions by numbers; nothing when it has many factors.
  std::optional<Product> product_of(ValueId id) const {
    Product p;
    std::vector<ValueId> open{id};
    while (!open.empty()) {
      ValueId v = open.back();
      open.pop_back();
      if (auto c = scalar_constant(g_, v)) {
        p.scale *= *c;
        continue;
      }
      const auto* n = made_by(v);
      if (n && n->op == Op::mul) {
        open.insert(open.end(), n->inputs.begin(), n->inputs.end());
      } else if (auto c = n && n->op == Op::div ? scalar_constant(g_, n->inputs[1]) : std::nullopt; c && *c != 0) {
        p.scale /= *c;
        open.push_back(n->inputs[0]);
      } else if (auto e = n && n->op == Op::pow ? scalar_constant(g_, n->inputs[1]) : std::nullopt;
                 e && (*e == 2 || *e == 3)) {
        open.insert(open.end(), static_cast<std::size_t>(*e), n->inputs[0]);
      } else {
        p.factors.push_back(v);
      }
      if (static_cast<int>(open.size() + p.factors.size()) > kMaxFactors) return std::nullopt;
    }
    return p;
  }

  bool scaled(ValueId id, double by, ValueId x) const {
    auto p = product_of(id);
    return p && p->factors == std::vector{x} && near(p->scale, by);
  }

  /// The other summand of `id` = something + number.
  std::optional<ValueId> plus(ValueId id, double number) const {
    const auto* n = made_by(id);
    if (!n || n->op != Op::add) return std::nullopt;
    for (std::size_t side : {0u, 1u})
      if (auto c = scalar_constant(g_, n->inputs[side]); c && near(*c, number)) return n->inputs[1 - side];
    return std::nullopt;
  }

  /// One side of a min or max with a number.
  std::optional<ValueId> bounded(ValueId id, Op op, double bound) const {
    const auto* n = made_by(id);
    if (n && op == Op::max && bound == 0 && n->op == Op::relu) return n->inputs[0];
    if (!n || n->op != op) return std::nullopt;
    for (std::size_t side : {0u, 1u})
      if (auto c = scalar_constant(g_, n->inputs[side]); c && *c == bound) return n->inputs[1 - side];
    return std::nullopt;
  }

  /// clip(x * top/6 + top/2, 0, top).
  bool hard_gate(ValueId id, ValueId x, double top) const {
    for (bool low_first : {true, false}) {
      auto outer = low_first ? bounded(id, Op::min, top) : bounded(id, Op::max, 0);
      auto inner = outer ? (low_first ? bounded(*outer, Op::max, 0) : bounded(*outer, Op::min, top)) : std::nullopt;
      auto line = inner ? plus(*inner, top / 2) : std::nullopt;
      if (line && (near(top, 6) ? *line == x : scaled(*line, top / 6, x))) return true;
    }
    return false;
  }

  /// sqrt(2/pi) (x + 0.044715 x^3), or sqrt(2/pi) x (1 + 0.044715 x^2).
  bool cubic(ValueId id, ValueId x) const {
    constexpr double kCubic = 0.044715;
    const double outer = std::sqrt(2 / 3.14159265358979323846);
    auto p = product_of(id);
    if (!p || !near(p->scale, outer)) return false;
    auto power = [&](ValueId v, std::size_t degree) {
      auto q = product_of(v);
      return q && q->factors == std::vector<ValueId>(degree, x) && near(q->scale, kCubic);
    };
    if (p->factors.size() == 1) {
      const auto* sum = made_by(p->factors[0]);
      if (!sum || sum->op != Op::add) return false;
      return (sum->inputs[0] == x && power(sum->inputs[1], 3)) || (sum->inputs[1] == x && power(sum->inputs[0], 3));
    }
    if (p->factors.size() != 2) return false;
    for (std::size_t side : {0u, 1u})
      if (p->factors[side] == x)
        if (auto square = plus(p->factors[1 - side], 1); square && power(*square, 2)) return true;
    return false;
  }
};

}  // namespace

Expected<ir::Graph> recognize_activations(const ir::Graph& graph) {
  const Recognizer recognizer(graph);
  Rewriter rw(graph);
  for (const auto& node : graph.nodes) {
    auto found = node.outputs.size() == 1 ? recognizer.match(node.outputs[0]) : std::nullopt;
    if (!found) {
      rw.copy(node);
      continue;
    }
    const auto& out = graph.value(node.outputs[0]);
    rw.replace(node.outputs[0], rw.emit(found->first, node.name, {rw(found->second)}, out.dtype, out.shape));
  }
  return rw.finish();
}

}  // namespace jitney::passes
