// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Random graphs, compiled and interpreted: whatever fusion, views and code generation do, results agree.
#include <cstdlib>

#include "runtime/support.h"

namespace jitney {
namespace {

using ir::Dim;
using ir::Graph;
using ir::Op;
using ir::ValueId;

/// Grows a graph of f32 values over symbols n and m, keeping every value's shape.
class Grower {
 public:
  explicit Grower(unsigned seed) : rng_(seed) {
    g.symbols["n"] = {};
    g.symbols["m"] = {};
    const ir::Shape shapes[] = {{n, m, 6}, {n, m, 6}, {6}, {m, 1}, {n, 1, 6}, {}};
    for (int i = 0; i < 3; ++i) g.inputs.push_back(g.add_value(fmt::format("x{}", i), DType::f32, shapes[pick(6)]));
    pool_ = g.inputs;
  }

  Graph grow(int nodes) {
    for (int i = 0; i < nodes; ++i) add();
    int outputs = 1 + pick(3);
    for (int i = 0; i < outputs; ++i)
      g.outputs.push_back(
          pool_[pool_.size() - 1 - static_cast<std::size_t>(pick(std::min<int>(4, static_cast<int>(pool_.size()))))]);
    return std::move(g);
  }

  Graph g;

 private:
  const Dim n = Dim::symbol("n"), m = Dim::symbol("m");
  std::mt19937 rng_;
  std::vector<ValueId> pool_;
  int count_ = 0;

  int pick(int below) { return std::uniform_int_distribution<int>(0, below - 1)(rng_); }
  ValueId any() { return pool_[static_cast<std::size_t>(pick(static_cast<int>(pool_.size())))]; }
  const ir::Shape shape(ValueId v) { return g.value(v).shape; }
  void push(Op op, std::vector<ValueId> in, ir::Shape s, ir::Attributes a = {}) {
    pool_.push_back(g.add_node(op, fmt::format("{}{}", info(op).name, count_++), std::move(in), DType::f32,
                               std::move(s), std::move(a)));
  }

  void add() {
    ValueId x = any();
    ir::Shape s = shape(x);
    auto rank = static_cast<int>(s.size());
    switch (pick(rank == 0 ? 2 : 12)) {
      case 0: {
        // Bounded functions: values stay where float comparison means something.
        constexpr Op ops[] = {Op::tanh, Op::sigmoid, Op::neg,      Op::abs,   Op::erf,
                              Op::relu, Op::sin,     Op::gelu_erf, Op::floor, Op::cos};
        return push(ops[pick(10)], {x}, s);
      }
      case 1: {
        ValueId y = any();
        std::vector<ir::Guard> guards;
        auto both = ir::broadcast(s, shape(y), "b", guards);
        if (!both || !guards.empty()) return;
        constexpr Op ops[] = {Op::add, Op::sub, Op::min, Op::max, Op::mul};
        int op = pick(5);
        push(ops[op], {x, y}, *both);
        if (op == 4) push(Op::tanh, {pool_.back()}, *both);
        return;
      }
      case 2: return push(Op::softmax, {x}, s, {{"axis", std::int64_t{pick(rank)}}});
      case 3: return push(Op::layer_norm, {x}, s, {{"axis", std::int64_t{pick(rank)}}, {"epsilon", 0.1}});
      case 4: {
        std::int64_t axis = pick(rank);
        ir::Shape kept = s;
        kept[static_cast<std::size_t>(axis)] = 1;
        constexpr Op ops[] = {Op::reduce_mean, Op::reduce_max, Op::reduce_min};
        return push(ops[pick(3)], {x}, kept,
                    {{"axes", std::vector<std::int64_t>{axis}}, {"keepdims", std::int64_t{1}}});
      }
      case 5: {
        std::vector<std::int64_t> perm(static_cast<std::size_t>(rank));
        for (std::size_t i = 0; i < perm.size(); ++i) perm[i] = static_cast<std::int64_t>(i);
        std::shuffle(perm.begin(), perm.end(), rng_);
        ir::Shape t;
        for (auto a : perm) t.push_back(s[static_cast<std::size_t>(a)]);
        return push(Op::permute, {x}, t, {{"perm", perm}});
      }
      case 10: {
        push(Op::cumsum, {x}, s, {{"axis", std::int64_t{pick(rank)}}, {"exclusive", std::int64_t{pick(2)}}});
        return push(Op::tanh, {pool_.back()}, s);
      }
      case 11: {  // an index along an axis of 6, as a number
        if (!s.back().is(6)) return;
        ir::Shape kept = s;
        kept.back() = 1;
        const ValueId index =
            g.add_node(pick(2) == 0 ? Op::arg_max : Op::arg_min, fmt::format("arg{}", count_++), {x}, DType::i64, kept,
                       {{"axes", std::vector<std::int64_t>{std::int64_t{rank - 1}}},
                        {"keepdims", std::int64_t{1}},
                        {"last", std::int64_t{pick(2)}}});
        push(Op::cast, {index}, kept);
        return push(Op::sin, {pool_.back()}, kept);
      }
      case 6: return push(Op::reshape, {x}, {product(s)});
      case 7: {
        std::int64_t axis = pick(rank);
        ir::Shape t = s;
        t[static_cast<std::size_t>(axis)] = t[static_cast<std::size_t>(axis)] * Dim(2);
        return push(Op::concat, {x, x}, t, {{"axis", axis}});
      }
      case 8: {
        auto axis = static_cast<std::size_t>(pick(rank));
        if (!s[axis].is_constant()) return;
        ir::Shape starts(s.size(), 0), steps(s.size(), 1), t = s;
        starts[axis] = *s[axis].constant() - 1;
        steps[axis] = -1;
        if (*s[axis].constant() < 1) return;
        return push(Op::slice, {x}, t, {{"starts", starts}, {"steps", steps}});
      }
      default: {
        if (rank < 2) return;
        ir::Shape t = s;
        std::swap(t[t.size() - 1], t[t.size() - 2]);
        std::vector<std::int64_t> perm(s.size());
        for (std::size_t i = 0; i < perm.size(); ++i) perm[i] = static_cast<std::int64_t>(i);
        std::swap(perm[perm.size() - 1], perm[perm.size() - 2]);
        push(Op::permute, {x}, t, {{"perm", perm}});
        ir::Shape y = s;
        y[y.size() - 1] = s[s.size() - 2];
        push(Op::matmul, {x, pool_.back()}, y);
        return push(Op::tanh, {pool_.back()}, y);
      }
    }
  }
};

TEST(RandomGraphs, AgreeWithTheInterpreter) {
  // Seeds are fixed, so a failure repeats; JITNEY_RANDOM_GRAPHS asks for more of them.
  const char* more = std::getenv("JITNEY_RANDOM_GRAPHS");
  const int graphs = more ? std::atoi(more) : 12;
  for (int seed = 0; seed < graphs; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937 rng(static_cast<unsigned>(seed) + 1000);
    Graph graph = Grower(static_cast<unsigned>(seed)).grow(2 + seed % 18);
    ASSERT_TRUE(verify(graph, ir::Stage::imported).has_value()) << print(graph);
    ExecutionContext context(testing::engine_of(graph), testing::options());
    for (const ir::SymbolValues& symbols :
         {ir::SymbolValues{{"n", 3}, {"m", 5}}, ir::SymbolValues{{"n", 1}, {"m", 1}},
          ir::SymbolValues{{"n", 2}, {"m", 37}}, ir::SymbolValues{{"n", 0}, {"m", 4}}}) {
      std::vector<Tensor> inputs;
      for (ValueId in : graph.inputs)
        inputs.push_back(
            testing::random_tensor(DType::f32, value_or_throw(ir::evaluate(graph.value(in).shape, symbols)), rng));
      testing::expect_agrees(graph, inputs, context);
      if (HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace jitney
