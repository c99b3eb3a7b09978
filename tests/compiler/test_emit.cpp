// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Generated source is canonical: names and shapes of the model are not in it.
#include <gtest/gtest.h>

#include "compiler/emit.h"
#include "passes/lower.h"
#include "passes/views.h"

namespace jitney::compiler {
namespace {

using ir::Dim;
using ir::Graph;
using ir::Op;
using ir::Shape;

std::vector<EmittedKernel> kernels_of(const Graph& graph, bool names = false) {
  auto g = value_or_throw(passes::lower(value_or_throw(passes::optimize(graph))));
  auto views = value_or_throw(passes::compute_views(g));
  std::vector<EmittedKernel> out;
  for (const auto& node : g.nodes) {
    if (node.op != Op::region) continue;
    std::vector<Dim> offsets;
    std::vector<std::vector<Dim>> strides;
    for (auto in : node.inputs) {
      offsets.push_back(views[static_cast<std::size_t>(in)].offset);
      strides.push_back(views[static_cast<std::size_t>(in)].strides);
    }
    out.push_back(emit_c(value_or_throw(kernel::build(node, offsets, strides)), {.model_names = names}));
  }
  return out;
}

Graph norm(const std::string& name, Dim rows, Dim columns) {
  Graph g;
  for (const auto& d : {rows, columns})
    if (auto s = d.symbol_name()) g.symbols[*s] = {};
  Shape s{rows, columns};
  g.inputs = {g.add_value(name, DType::f32, s)};
  g.outputs = {g.add_node(Op::layer_norm, name + "_norm", g.inputs, DType::f32, s,
                          {{"axis", std::int64_t{1}}, {"epsilon", 1e-5}})};
  return g;
}

TEST(EmitC, SourceDoesNotDependOnShapesOrNames) {
  auto a = kernels_of(norm("hidden", Dim::symbol("batch"), 768)), b = kernels_of(norm("x", 12, Dim::symbol("width")));
  ASSERT_EQ(a.size(), 1u);
  ASSERT_EQ(b.size(), 1u);
  EXPECT_EQ(a[0].code, b[0].code);
  EXPECT_EQ(a[0].defines, b[0].defines);
  EXPECT_EQ(a[0].numbers.size(), b[0].numbers.size());
}

TEST(EmitC, NamedSourceHasTheModelsNames) {
  EXPECT_NE(kernels_of(norm("hidden", 4, 768), true)[0].code.find("hidden"), std::string::npos);
  EXPECT_EQ(kernels_of(norm("hidden", 4, 768), false)[0].code.find("hidden"), std::string::npos);
}

TEST(EmitC, AnotherEpsilonIsAnotherKernel) {
  Graph g = norm("x", 4, 8);
  g.nodes[0].attributes["epsilon"] = 1e-3;
  EXPECT_NE(kernels_of(g)[0].code, kernels_of(norm("x", 4, 8))[0].code);
}

}  // namespace
}  // namespace jitney::compiler
