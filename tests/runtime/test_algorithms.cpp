// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Scatters, the best of a line, and padding that repeats: compiled, against the interpreter.
#include <numeric>

#include "runtime/support.h"

namespace jitney {
namespace {

using ir::Dim;
using ir::Graph;
using ir::Op;
using ir::ValueId;
using Extents = std::vector<std::int64_t>;

class Algorithms : public ::testing::Test {
 protected:
  std::mt19937 rng{11};

  static ValueId input(Graph& g, const std::string& name, DType t, ir::Shape s) {
    g.inputs.push_back(g.add_value(name, t, std::move(s)));
    for (const auto& d : g.value(g.inputs.back()).shape)
      if (auto n = d.symbol_name()) g.symbols[*n] = {};
    return g.inputs.back();
  }

  /// Indices in [-extent, extent), with repetitions.
  Tensor indices(DType t, const Extents& shape, std::int64_t extent) {
    Tensor i(t, shape);
    std::uniform_int_distribution<std::int64_t> any(-extent, std::max<std::int64_t>(extent - 1, -extent));
    for (std::int64_t e = 0; e < i.num_elements(); ++e) {
      if (t == DType::i32)
        i.as<std::int32_t>()[e] = static_cast<std::int32_t>(any(rng));
      else
        i.as<std::int64_t>()[e] = any(rng);
    }
    return i;
  }
  Tensor random(DType t, const Extents& shape) { return testing::random_tensor(t, shape, rng); }
};

const Dim n = Dim::symbol("n"), m = Dim::symbol("m"), k = Dim::symbol("k");

TEST_F(Algorithms, ScatterElements) {
  for (DType t : {DType::f32, DType::f16, DType::bf16, DType::f64, DType::i8, DType::i64, DType::u16, DType::boolean})
    for (const char* mode : {"none", "add", "mul", "max", "min"})
      for (std::int64_t axis : {0, 1}) {
        if (t == DType::boolean && mode != std::string("none")) continue;
        SCOPED_TRACE(fmt::format("{} {} axis {}", to_string(t), mode, axis));
        Graph g;
        const DType of = axis == 0 ? DType::i64 : DType::i32;
        const ValueId x = input(g, "x", t, {n, m}), i = input(g, "i", of, {k, 3}), u = input(g, "u", t, {k, 3});
        g.outputs = {
            g.add_node(Op::scatter_elements, "s", {x, i, u}, t, {n, m}, {{"axis", axis}, {"mode", std::string(mode)}})};
        ExecutionContext context(testing::engine_of(g), testing::options());
        for (const auto& [shape, count] : std::vector<std::pair<Extents, std::int64_t>>{
                 {{7, 5}, 4}, {{3, 3}, 0}, {{40, 9}, 3}, {{2, 3}, 2}, {{1, 4}, 1}}) {
          const std::int64_t updates = axis == 0 ? count * 3 : std::min(count, shape[0]);
          testing::expect_agrees(g,
                                 {random(t, shape), indices(of, {updates, 3}, shape[static_cast<std::size_t>(axis)]),
                                  random(t, {updates, 3})},
                                 context);
          if (HasFailure()) return;
        }
      }
}

TEST_F(Algorithms, ScatterNd) {
  for (std::int64_t tuple : {1, 2, 3})
    for (const char* mode : {"none", "add", "max"}) {
      SCOPED_TRACE(fmt::format("{} of 3, {}", tuple, mode));
      Graph g;
      ir::Shape data{n, 4, 5}, updates{m, 2};
      updates.insert(updates.end(), data.begin() + tuple, data.end());
      const ValueId x = input(g, "x", DType::f32, data), i = input(g, "i", DType::i64, {m, 2, tuple}),
                    u = input(g, "u", DType::f32, updates);
      g.outputs = {g.add_node(Op::scatter_nd, "s", {x, i, u}, DType::f32, data, {{"mode", std::string(mode)}})};
      ExecutionContext context(testing::engine_of(g), testing::options());
      for (const auto& [extent, count] : {std::pair{6, 3}, {1, 1}, {4, 0}, {9, 20}}) {
        Extents shape{count, 2};
        for (std::int64_t d = tuple; d < 3; ++d) shape.push_back(d == 1 ? 4 : 5);
        testing::expect_agrees(g,
                               {random(DType::f32, {extent, 4, 5}),
                                indices(DType::i64, {count, 2, tuple}, std::min(extent, 4)), random(DType::f32, shape)},
                               context);
        if (HasFailure()) return;
      }
    }
}

/// Data and updates are read through views; the result feeds another kernel.
TEST_F(Algorithms, ScatterBetweenKernels) {
  Graph g;
  const ValueId x = input(g, "x", DType::f32, {n, 4}), i = input(g, "i", DType::i64, {m, 2}),
                u = input(g, "u", DType::f32, {2, m});
  const ValueId turned = g.add_node(Op::permute, "t", {x}, DType::f32, {4, n}, {{"perm", Extents{1, 0}}});
  const ValueId updates = g.add_node(Op::permute, "p", {u}, DType::f32, {m, 2}, {{"perm", Extents{1, 0}}});
  const ValueId s = g.add_node(Op::scatter_elements, "s", {turned, i, updates}, DType::f32, {4, n},
                               {{"axis", std::int64_t{0}}, {"mode", std::string("add")}});
  g.outputs = {g.add_node(Op::exp, "e", {s}, DType::f32, {4, n})};
  ExecutionContext context(testing::engine_of(g), testing::options());
  for (std::int64_t updates_of_each : {0, 3, 11})
    testing::expect_agrees(g,
                           {random(DType::f32, {6, 4}), indices(DType::i64, {updates_of_each, 2}, 4),
                            random(DType::f32, {2, updates_of_each})},
                           context);
}

TEST_F(Algorithms, AnIndexThatIsOutOfRangeIsAnError) {
  Graph g;
  const ValueId x = input(g, "x", DType::f32, {n}), i = input(g, "i", DType::i64, {m}),
                u = input(g, "u", DType::f32, {m});
  g.outputs = {g.add_node(Op::scatter_elements, "s", {x, i, u}, DType::f32, {n},
                          {{"axis", std::int64_t{0}}, {"mode", std::string("none")}})};
  ExecutionContext context(testing::engine_of(g), testing::options());
  for (std::int64_t bad : {4L, -5L, INT64_MAX, INT64_MIN}) {
    Tensor index(DType::i64, {1});
    index.as<std::int64_t>()[0] = bad;
    EXPECT_THROW(testing::execute(context, {random(DType::f32, {4}), index, random(DType::f32, {1})}), Error) << bad;
  }
  testing::expect_agrees(g, {random(DType::f32, {4}), indices(DType::i64, {2}, 4), random(DType::f32, {2})}, context);
}

TEST_F(Algorithms, TopK) {
  for (DType t : {DType::f32, DType::f16, DType::i8, DType::u64, DType::f64})
    for (bool largest : {true, false})
      for (std::int64_t axis : {0, 2}) {
        SCOPED_TRACE(fmt::format("{} {} axis {}", to_string(t), largest, axis));
        Graph g;
        ir::Shape shape{n, 3, m}, out = shape;
        out[static_cast<std::size_t>(axis)] = Dim::min(shape[static_cast<std::size_t>(axis)], 5);
        const ValueId x = input(g, "x", t, shape);
        g.outputs = {g.add_node(Op::top_k, "k", {x}, DType::i64, out,
                                {{"axis", axis}, {"largest", static_cast<std::int64_t>(largest)}})};
        ExecutionContext context(testing::engine_of(g), testing::options());
        for (const Extents& extents :
             {Extents{4, 3, 7}, Extents{5, 3, 5}, Extents{1, 3, 1}, Extents{0, 3, 6}, Extents{9, 3, 100}})
          testing::expect_agrees(g, {testing::random_tensor(t, extents, rng, /*special=*/true)}, context);
        if (HasFailure()) return;
      }
}

TEST_F(Algorithms, PaddingThatRepeats) {
  for (const char* mode : {"edge", "wrap", "reflect"})
    for (DType t : {DType::f32, DType::u8}) {
      SCOPED_TRACE(mode);
      Graph g;
      const ValueId x = input(g, "x", t, {n, 3, m});
      g.outputs = {g.add_node(Op::pad, "p", {x}, t, {n + Dim(5), 3, m},
                              {{"before", ir::Shape{2, 0, -1}}, {"value", 0.0}, {"mode", std::string(mode)}})};
      ExecutionContext context(testing::engine_of(g), testing::options());
      for (const auto& [a, b] : {std::pair{4, 6}, {1, 1}, {2, 1}, {30, 17}, {3, 0}})
        testing::expect_agrees(g, {random(t, {a, 3, b})}, context);
      if (HasFailure()) return;
    }
}

}  // namespace
}  // namespace jitney
