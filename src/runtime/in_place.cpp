// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/in_place.h"

#include <algorithm>

#include "runtime/plan.h"

namespace jitney::runtime {
namespace {

using kernel::Kernel;

/// Whether two functions of the axes agree on all points. False also where that cannot be told.
bool is_same(const kernel::Affine& a, const kernel::Affine& b, const Kernel& k, const ir::SymbolValues& symbols) {
  const auto equal = [&](const ir::Dim& x, const ir::Dim& y) {
    const auto left = x.evaluate(symbols), right = y.evaluate(symbols);
    return left && right && *left == *right;
  };
  if (!equal(a.offset, b.offset)) return false;
  for (std::size_t i = 0; i < k.axes.size(); ++i) {
    const auto extent = k.axes[i].extent.evaluate(symbols);
    if (!extent || (*extent > 1 && !equal(a.coefficients[i], b.coefficients[i]))) return false;
  }
  return true;
}

/// A loop nest that stores once a point, and loads the operand only where that point stores.
bool loads_where_it_stores(const Kernel& k, int operand, int output, const ir::SymbolValues& symbols) {
  if (k.has_reduction() || k.row_stores.size() != 1 || !k.full_stores.empty()) return false;
  const kernel::Access& store = k.row_stores[0].access;
  if (store.operand != output || !store.indirect.empty()) return false;
  return std::ranges::all_of(k.exprs, [&](const kernel::Expr& e) {
    return e.kind != kernel::Expr::Kind::load || e.access.operand != operand ||
           (e.access.indirect.empty() && is_same(e.access.element, store.element, k, symbols));
  });
}

/// A scatter copies and updates line by line, each line by itself.
bool scatters_onto(const kernel::Algorithm& a, int operand, const ir::SymbolValues& symbols) {
  if (a.kind == kernel::Algorithm::Kind::top_k || operand != 0) return false;
  const auto &data = a.operands.front(), &out = a.operands.back();
  const auto equal = [&](const ir::Dim& x, const ir::Dim& y) {
    const auto left = x.evaluate(symbols), right = y.evaluate(symbols);
    return left && right && *left == *right;
  };
  if (!equal(data.offset, out.offset)) return false;
  for (std::size_t d = 0; d < data.shape.size(); ++d) {
    const auto extent = data.shape[d].evaluate(symbols);
    if (!extent || (*extent > 1 && !equal(data.strides[d], out.strides[d]))) return false;
  }
  return true;
}

/// Whether a step that reads `input` and writes `output` may do both in the same place.
bool may_meet(const Program& program, const Step& step, ir::ValueId input, ir::ValueId output,
              const ir::SymbolValues& symbols) {
  if (!step.kernel || program.graph.value(input).dtype != program.graph.value(output).dtype) return false;
  const auto place = std::ranges::find(step.node->outputs, output) - step.node->outputs.begin();
  const int written = static_cast<int>(step.node->inputs.size()) + static_cast<int>(place);
  for (std::size_t i = 0; i < step.node->inputs.size(); ++i) {
    if (step.roots[i] != input) continue;
    const int operand = static_cast<int>(i);
    const bool may = step.kernel->algorithm ? scatters_onto(*step.kernel->algorithm, operand, symbols)
                                            : loads_where_it_stores(*step.kernel, operand, written, symbols);
    if (!may) return false;
  }
  return true;
}

}  // namespace

InPlaceRules::InPlaceRules(const Program& program, const Plan& plan)
    : inputs_(program.graph.inputs.size()), table_(inputs_ * program.graph.outputs.size(), Overlap::never) {
  const auto& g = program.graph;
  // The last step that reads each value and the first one that writes it.
  std::vector<int> last_read(g.values.size(), -1), written(g.values.size(), -1);
  for (std::size_t s = 0; s < program.steps.size(); ++s) {
    const Step& step = program.steps[s];
    for (std::size_t i = 0; i < step.node->inputs.size(); ++i)
      last_read[static_cast<std::size_t>(step.roots[i])] = static_cast<int>(s);
    for (const ir::ValueId out : step.node->outputs)
      if (written[static_cast<std::size_t>(out)] < 0) written[static_cast<std::size_t>(out)] = static_cast<int>(s);
  }
  for (std::size_t o = 0; o < g.outputs.size(); ++o) {
    const ir::ValueId output = program.views[static_cast<std::size_t>(g.outputs[o])].root;
    const int writes = written[static_cast<std::size_t>(output)];
    if (writes < 0) continue;
    for (std::size_t i = 0; i < inputs_; ++i) {
      const ir::ValueId input = g.inputs[i];
      const int reads = last_read[static_cast<std::size_t>(input)];
      Overlap& overlap = table_[o * inputs_ + i];
      if (reads < writes)
        overlap = Overlap::anyhow;
      else if (reads == writes &&
               may_meet(program, program.steps[static_cast<std::size_t>(writes)], input, output, plan.symbols))
        overlap = Overlap::exactly;
    }
  }
}

}  // namespace jitney::runtime
