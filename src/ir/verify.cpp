// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <set>

#include "ir/hosted.h"
#include "ir/verify_internal.h"

namespace jitney::ir {
namespace {

/// Which operators a stage may have: those of the families, without `never`.
struct LegalForms {
  Stage stage;
  std::string_view name;
  std::array<bool, 13> families;  ///< in OpFamily's order
  std::vector<Op> also;
  std::vector<Op> never;
};

const std::vector<LegalForms>& legal_forms() {
  // clang-format off
  // Never destroyed: a program's static objects may use graphs after main.
  static const auto& table = *new const std::vector<LegalForms>{
      //                             unary  binary ternary cast  source view  move  reduce scan   norm.  contr. region hosted  also         never
      {Stage::imported,  "imported",  {true,  true,  true,  true,  true,  true,  true,  true,  true,  true,  true,  false, true}, {},         {}},
      {Stage::optimized, "optimized", {true,  true,  true,  true,  true,  true,  true,  true,  true,  true,  true,  false, true}, {},         {Op::batch_norm}},
      {Stage::called,    "called",    {true,  true,  true,  true,  true,  true,  true,  true,  true,  true,  true,  true, false},  {},         {Op::batch_norm}},
      {Stage::fused,     "fused",     {false, false, false, false, false, true,  false, false, false, false, false, true, false},  {Op::dims}, {}},
  };
  // clang-format on
  return table;
}

bool is_legal(Op op, const LegalForms& forms) {
  const auto is_in = [op](const std::vector<Op>& ops) { return std::find(ops.begin(), ops.end(), op) != ops.end(); };
  return (forms.families.at(static_cast<std::size_t>(info(op).family)) || is_in(forms.also)) && !is_in(forms.never);
}

class Verifier {
 public:
  Verifier(const Graph& graph, Stage stage)
      : g_(graph), forms_(legal_forms().at(static_cast<std::size_t>(stage))), defined_(graph.values.size(), false) {}

  Status run() {
    JITNEY_CHECK(check_values());
    for (std::size_t i = 0; i < g_.inputs.size(); ++i) JITNEY_CHECK(define(g_.inputs[i], fmt::format("input {}", i)));
    for (std::size_t i = 0; i < g_.nodes.size(); ++i) {
      const Node& node = g_.nodes[i];
      JITNEY_CHECK(check(node).map_error([&](Failure f) {
        const bool known = static_cast<int>(node.op) < op_count();
        f.message = fmt::format("graph '{}', node {} '{}' ({}): {}", g_.name, i, node.name,
                                known ? info(node.op).name : "unknown", f.message);
        return f;
      }));
    }
    if (!g_.output_names.empty() && g_.output_names.size() != g_.outputs.size()) {
      return internal_error("graph '{}': {} names for {} outputs", g_.name, g_.output_names.size(), g_.outputs.size());
    }
    for (const ValueId id : g_.outputs) {
      if (!is_defined(id)) return internal_error("graph '{}': output {} is not defined", g_.name, id);
    }
    return {};
  }

 private:
  bool exists(ValueId id) const { return id >= 0 && static_cast<std::size_t>(id) < g_.values.size(); }
  bool is_defined(ValueId id) const { return exists(id) && defined_[static_cast<std::size_t>(id)]; }

  Status check_values() {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < g_.values.size(); ++i) {
      const Value& v = g_.values[i];
      if (v.name.empty()) return internal_error("graph '{}': value {} has no name", g_.name, i);
      if (!names.insert(v.name).second) return internal_error("graph '{}': two values are named '{}'", g_.name, v.name);
      if (!v.constant) continue;
      defined_[i] = true;
      const Shape held(v.constant->shape().begin(), v.constant->shape().end());
      if (v.dtype != v.constant->dtype() || v.shape != held) {
        return internal_error("graph '{}': constant '{}' is {}{} and holds {}{}", g_.name, v.name, to_string(v.dtype),
                              to_string(v.shape), to_string(v.constant->dtype()), to_string(held));
      }
    }
    return {};
  }

  Status define(ValueId id, const std::string& what) {
    if (!exists(id)) return internal_error("{} is value {}, which does not exist", what, id);
    if (is_defined(id)) return internal_error("{} defines '{}' a second time", what, g_.value(id).name);
    defined_[static_cast<std::size_t>(id)] = true;
    return {};
  }

  Status check(const Node& node) {
    if (static_cast<int>(node.op) >= op_count())
      return internal_error("there is no operator {}", static_cast<int>(node.op));
    const OpInfo& row = info(node.op);
    if (!is_legal(node.op, forms_)) return internal_error("it is not allowed in a graph that is {}", forms_.name);
    const auto count = static_cast<int>(node.inputs.size());
    if (count < row.min_inputs || (row.max_inputs >= 0 && count > row.max_inputs)) {
      return internal_error("it has {} inputs; {} to {} were expected", count, row.min_inputs,
                            row.max_inputs < 0 ? "any number" : std::to_string(row.max_inputs));
    }
    for (int i = 0; i < count; ++i) {
      const ValueId id = node.inputs[static_cast<std::size_t>(i)];
      // What comes after the required inputs may be absent, except in lists.
      if (id == kNoValue && i >= row.min_inputs && row.max_inputs >= 0) continue;
      if (!exists(id)) return internal_error("input {} is value {}, which does not exist", i, id);
      if (!is_defined(id)) return internal_error("input {}, '{}', is used before it is defined", i, g_.value(id).name);
    }
    if (node.outputs.empty() || (node.outputs.size() > 1 && node.op != Op::region && !is_hosted(node.op))) {
      return internal_error("it has {} outputs; one was expected", node.outputs.size());
    }
    for (const ValueId id : node.outputs) JITNEY_CHECK(define(id, "it"));
    JITNEY_CHECK(verify_attributes(node));
    JITNEY_CHECK(check_bodies(node));
    return verify_types(g_, node);
  }

  /// Graphs that the runtime runs are of this stage too. Once optimized they are divided: nothing but hosted operators,
  /// and no such in a stage.
  Status check_bodies(const Node& node) {
    if (!is_hosted(node.op)) {
      if (hosted_ && forms_.stage == Stage::optimized) return internal_error("it belongs into a stage");
      return {};
    }
    for (const auto& [key, attribute] : node.attributes) {
      const auto* body = std::get_if<std::shared_ptr<const Graph>>(&attribute);
      if (body == nullptr) continue;
      if (*body == nullptr) return internal_error("its {} is null", key);
      const bool compiled = node.op == Op::stage;
      if (compiled && has_hosted(**body)) return internal_error("its {} has hosted operators", key);
      JITNEY_CHECK(verify(**body, compiled ? Stage::optimized : forms_.stage));
    }
    return {};
  }

  const Graph& g_;
  const LegalForms& forms_;
  std::vector<bool> defined_;
  const bool hosted_ = has_hosted(g_);
};

}  // namespace

Status verify(const Graph& graph, Stage stage) { return Verifier(graph, stage).run(); }

}  // namespace jitney::ir
