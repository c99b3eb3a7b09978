// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <random>
#include <string>
#include <vector>

#include "runtime/support.h"

namespace jitney::testing {

/// Compiled kernels against the interpreter, on whatever device is tested.
class Kernels : public ::testing::Test {
 protected:
  std::mt19937 rng{7};

  /// Runs `graph` at several values of its symbols, all with one context, and expects no compile after the first.
  void check(const ir::Graph& graph, const std::vector<ir::SymbolValues>& cases, bool special = false,
             int interpreted = 0) {
    ExecutionContext context(engine_of(graph), options());
    int compiled = -1;
    for (const auto& symbols : cases) {
      std::vector<Tensor> inputs;
      for (ir::ValueId in : graph.inputs) {
        auto shape = value_or_throw(ir::evaluate(graph.value(in).shape, symbols));
        inputs.push_back(random_tensor(graph.value(in).dtype, shape, rng, special));
      }
      expect_agrees(graph, inputs, context, interpreted);
      if (compiled < 0) compiled = context.stats().compiled;
      EXPECT_EQ(context.stats().compiled, compiled);
      EXPECT_EQ(context.stats().failed, 0);
      if (HasFailure()) return;
    }
  }

  static ir::ValueId input(ir::Graph& g, const std::string& name, DType t, ir::Shape s) {
    g.inputs.push_back(g.add_value(name, t, std::move(s)));
    for (const auto& d : g.value(g.inputs.back()).shape)
      if (auto n = d.symbol_name()) g.symbols[*n] = {};
    return g.inputs.back();
  }
};

}  // namespace jitney::testing
