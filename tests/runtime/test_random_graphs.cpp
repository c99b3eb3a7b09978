// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Random graphs, compiled and interpreted: whatever fusion, views and code generation do, results agree. A failure
// prints the smallest graph that still fails. Seeds are fixed, so a failure repeats: JITNEY_RANDOM_GRAPHS says how
// many graphs (nightly: 1000), JITNEY_RANDOM_SEED with which seed to begin.
#include <cstdlib>

#include "passes/eliminate_dead.h"
#include "runtime/random_graph.h"
#include "runtime/support.h"

namespace jitney {
namespace {

using ir::Graph;
using ir::ValueId;
using testing::RandomGraph;

/// A graph with inputs, and by how much each output may differ.
struct Case {
  Graph graph;
  std::vector<Tensor> inputs;
  std::vector<double> errors;
  ContextOptions options;

  /// What is wrong, or nothing.
  std::string problem(ExecutionContext* context = nullptr) const {
    try {
      const auto want = ir::interpret(graph, inputs);
      if (!want) return "";  // a cut graph may be one that no model has
      std::optional<ExecutionContext> own;
      if (!context) context = &own.emplace(testing::engine_of(graph), options);
      const auto got = testing::execute(*context, inputs);
      if (context->stats().failed > 0) return "a kernel was not compiled";
      for (std::size_t i = 0; i < got.size(); ++i) {
        if (auto same = testing::close(got[i], (*want)[i], 0, 0, errors[i]); !same)
          return fmt::format("output {}: {}, allowed is {}", i, same.message(), errors[i]);
      }
    } catch (const std::exception& e) {
      return e.what();
    }
    return "";
  }
};

std::optional<Graph> without_dead(Graph g) {
  auto alive = passes::eliminate_dead(g);
  return alive && verify(*alive, ir::Stage::imported) ? std::optional(std::move(*alive)) : std::nullopt;
}

/// With the node's value as an input; nothing where that cannot be.
std::optional<Case> cut(const Case& c, std::size_t node) {
  const ValueId v = c.graph.nodes[node].outputs[0];
  Graph one = c.graph;
  one.outputs = {v};
  auto value = ir::interpret(one, c.inputs);
  if (!value) return std::nullopt;
  Case smaller = c;
  smaller.graph.nodes.erase(smaller.graph.nodes.begin() + static_cast<std::ptrdiff_t>(node));
  smaller.graph.inputs.push_back(v);
  smaller.inputs.push_back((*value)[0]);
  auto alive = without_dead(std::move(smaller.graph));
  if (!alive) return std::nullopt;
  smaller.graph = std::move(*alive);
  return smaller;
}

/// The first value that is wrong, from as few nodes as possible.
Case shrink(const RandomGraph& random, Case c) {
  for (const auto& node : random.graph.nodes) {
    Case first = c;
    first.graph.outputs = {node.outputs[0]};
    first.errors = {random.facts.at(node.outputs[0]).error};
    auto alive = without_dead(std::move(first.graph));
    if (!alive) continue;
    first.graph = std::move(*alive);
    if (first.problem().empty()) continue;
    c = std::move(first);
    break;
  }
  for (std::size_t n = c.graph.nodes.size(); n-- > 0;) {
    if (n >= c.graph.nodes.size()) continue;
    if (auto smaller = cut(c, n); smaller && !smaller->problem().empty()) c = std::move(*smaller);
  }
  return c;
}

int number_from(const char* variable, int otherwise) {
  const char* text = std::getenv(variable);
  return text ? std::atoi(text) : otherwise;
}

TEST(RandomGraphs, AgreeWithTheInterpreter) {
  const int first = number_from("JITNEY_RANDOM_SEED", 0);
  const int graphs = number_from("JITNEY_RANDOM_GRAPHS", std::getenv("JITNEY_NIGHTLY") ? 1000 : 24);
  std::map<ir::Op, int> seen;
  for (int seed = first; seed < first + graphs; ++seed) {
    std::mt19937 rng(static_cast<unsigned>(seed) + 1000);
    const RandomGraph random = testing::grow_random_graph(static_cast<unsigned>(seed), 2 + (seed * 7) % 34);
    ASSERT_TRUE(verify(random.graph, ir::Stage::imported).has_value()) << "seed " << seed << print(random.graph);
    for (const auto& node : random.graph.nodes) ++seen[node.op];
    const auto specials = static_cast<testing::Specials>(seed % 3);
    Case c{random.graph, {}, {}, testing::options()};
    if (specials == testing::Specials::denormal) c.options.denormals = Denormals::keep;
    for (ValueId out : random.graph.outputs) c.errors.push_back(random.facts.at(out).error);
    ExecutionContext context(testing::engine_of(c.graph), c.options);
    int compiled = -1;
    for (const ir::SymbolValues& symbols :
         {ir::SymbolValues{{"n", 3}, {"m", 5}}, ir::SymbolValues{{"n", 1}, {"m", 1}},
          ir::SymbolValues{{"n", 2}, {"m", 257}}, ir::SymbolValues{{"n", 0}, {"m", 4}},
          ir::SymbolValues{{"n", 5}, {"m", 0}}}) {
      c.inputs = testing::random_inputs(random, symbols, specials, rng);
      std::string problem = c.problem(&context);
      // The specialized form of some: a compile a shape is too slow for all.
      if (problem.empty() && seed % 4 == 0 && symbols.at("m") != 5) {
        Case special = c;
        special.options.dynamic_shapes_kernel_specialization_strategy =
            DynamicShapesKernelSpecializationStrategy::eager;
        problem = special.problem();
        if (!problem.empty()) c = std::move(special);
      }
      if (!problem.empty()) {
        const Case small = shrink(random, c);
        FAIL() << "seed " << seed << " at n = " << symbols.at("n") << ", m = " << symbols.at("m") << ": " << problem
               << "\nsmallest: " << small.problem() << "\n"
               << print(small.graph);
      }
      if (compiled < 0) compiled = context.stats().compiled;
      ASSERT_EQ(context.stats().compiled, compiled) << "seed " << seed << ": another shape compiled something";
    }
  }
  if (graphs >= 24) {
    EXPECT_GE(seen.size(), 45U) << "graphs of too few kinds of operators";
  }
}

}  // namespace
}  // namespace jitney
