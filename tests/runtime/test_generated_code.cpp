// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// What the compiler makes of generated source: every operator compiles for every type, and what was meant to be
// vectors is vectors.
#include <cstdlib>

#include "compiler/compiler.h"
#include "ir/graph.h"
#include "runtime/kernel_set.h"
#include "runtime/program.h"
#include "runtime/support.h"
#include "runtime/target.h"

namespace jitney {
namespace {

using ir::Dim;
using ir::Graph;
using ir::Op;
using ir::ValueId;

const Dim n = Dim::symbol("n");

/// Adds op over inputs of `dtype` where the operator takes that; gives whether it does.
bool add(Graph& g, Op op, DType dtype, const std::vector<ValueId>& operands) {
  auto family = info(op).family;
  if (family != ir::OpFamily::unary && family != ir::OpFamily::binary) return false;
  std::vector<ValueId> in(operands.begin(), operands.begin() + info(op).min_inputs);
  std::vector<const ir::Value*> values;
  for (ValueId id : in) values.push_back(&g.value(id));
  std::vector<ir::Guard> guards;
  auto inferred = ir::infer(op, "op", values, {}, guards);
  if (!inferred) return false;
  (void)dtype;
  g.outputs.push_back(g.add_node(op, std::string(info(op).name), in, inferred->dtype, inferred->shape));
  return true;
}

Graph two_inputs(DType dtype) {
  Graph g;
  g.symbols["n"] = {};
  g.inputs = {g.add_value("x", dtype, {n}), g.add_value("y", dtype, {n})};
  return g;
}

TEST(GeneratedCode, EveryOperatorCompilesForEveryType) {
  // Each alone at night, because a kernel gets only the parts of the prelude that it names; all of a type together
  // else.
  const bool nightly = std::getenv("JITNEY_NIGHTLY") != nullptr;
  std::mt19937 rng(3);
  int tried = 0;
  for (int t = 0; t < kDTypeCount; ++t) {
    auto dtype = static_cast<DType>(t);
    if (is_storage_only(dtype)) continue;  // no unary or binary operator computes with them
    std::vector<Graph> graphs;
    Graph together = two_inputs(dtype);
    for (int o = 0; o < ir::op_count(); ++o) {
      Graph alone = two_inputs(dtype);
      if (!add(alone, static_cast<Op>(o), dtype, alone.inputs)) continue;
      if (nightly) graphs.push_back(std::move(alone));
      add(together, static_cast<Op>(o), dtype, together.inputs);
    }
    if (!nightly) graphs.push_back(std::move(together));
    for (const Graph& g : graphs) {
      SCOPED_TRACE(fmt::format("{} {}", to_string(dtype), g.nodes[0].name));
      ExecutionContext context(testing::engine_of(g), testing::options());
      std::vector<Tensor> in{testing::random_tensor(dtype, {19}, rng), testing::random_tensor(dtype, {19}, rng)};
      testing::expect_agrees(g, in, context);
      tried += static_cast<int>(g.outputs.size());
      if (HasFailure()) return;
    }
  }
  EXPECT_GT(tried, 300);
}

struct Compiled {
  std::string diagnostics, binary;
};

Compiled compile(const Graph& g) {
  auto target = value_or_throw(runtime::open_target({}));
  auto program =
      value_or_throw(runtime::make_program(*testing::engine_of(g).impl(), *target.backend, target.device, target.info));
  EXPECT_EQ(program->sources.size(), 1u);
  auto result = runtime::shared_compiler(backend::SourceLanguage::c)
                    .compile({backend::SourceLanguage::c, "test", program->sources[0].source(),
                              target.info.compiler_options, true});
  if (!result) throw std::runtime_error(result.error().message);
  return {result->diagnostics,
          std::string(reinterpret_cast<const char*>(result->binary.data()), result->binary.size())};
}

TEST(GeneratedCode, TranscendentalsAreVectorsAndCallNoLibrary) {
  for (Op op : {Op::exp, Op::tanh, Op::erf, Op::log, Op::sigmoid, Op::gelu_erf, Op::silu})
    for (DType dtype : {DType::f32, DType::f16, DType::bf16}) {
      SCOPED_TRACE(fmt::format("{} {}", info(op).name, to_string(dtype)));
      Graph g = two_inputs(dtype);
      g.outputs = {g.add_node(op, "f", {g.inputs[0]}, dtype, {n})};
      g.inputs.pop_back();
      Compiled c = compile(g);
      for (const char* name : {"expf", "tanhf", "erff", "logf"})
        EXPECT_EQ(c.binary.find(name), std::string::npos) << name << " is called";
      EXPECT_EQ(c.diagnostics.find("pass-failed"), std::string::npos) << c.diagnostics;
    }
}

TEST(GeneratedCode, TheCheckAboveCanFail) {
  // f64 goes one lane at a time through libm: the same look at the binary must see that.
  Graph g = two_inputs(DType::f64);
  g.outputs = {g.add_node(Op::erf, "f", {g.inputs[0]}, DType::f64, {n})};
  g.inputs.pop_back();
  EXPECT_NE(compile(g).binary.find("erf"), std::string::npos);
  auto target = value_or_throw(runtime::open_target({}));
  auto loop = runtime::shared_compiler(backend::SourceLanguage::c)
                  .compile({backend::SourceLanguage::c, "loop",
                            "float f(float*p,long n){float s=0;\n#pragma clang loop "
                            "vectorize(enable)\nfor(long i=0;i<n;++i)s=s*p[i]+p[(long)s];return s;}",
                            target.info.compiler_options, true});
  ASSERT_TRUE(loop.has_value());
  EXPECT_NE(loop->diagnostics.find("pass-failed"), std::string::npos) << loop->diagnostics;
}

}  // namespace
}  // namespace jitney
