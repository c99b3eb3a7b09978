// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// What GPUs do in ways of their own: few long rows, which several blocks divide, and reads across memory, which go by
// tiles. On a CPU the same graphs are kernels like others.
#include "runtime/kernels_fixture.h"

namespace jitney {
namespace {

using ir::Dim;
using ir::Graph;
using ir::Op;
using ir::ValueId;
using testing::Kernels;

using Ints = std::vector<std::int64_t>;
const Dim n = Dim::symbol("n"), m = Dim::symbol("m");

class PartsAndTiles : public Kernels {
 protected:
  static ValueId reduce(Graph& g, Op op, ValueId x, std::int64_t axis, bool keep) {
    auto shape = g.value(x).shape;
    shape[static_cast<std::size_t>(axis)] = Dim(1);
    if (!keep) shape.erase(shape.begin() + axis);
    return g.add_node(op, g.unused_name("r"), {x}, g.value(x).dtype, shape,
                      {{"axes", Ints{axis}}, {"keepdims", std::int64_t{keep}}});
  }
  static ValueId binary(Graph& g, Op op, ValueId a, ValueId b) {
    return g.add_node(op, g.unused_name("b"), {a, b}, g.value(a).dtype, g.value(a).shape);
  }
};

TEST_F(PartsAndTiles, RowsOfEveryLengthInFewRows) {
  for (const DType t : {DType::f32, DType::f16, DType::f64, DType::i64}) {
    SCOPED_TRACE(to_string(t));
    for (const bool across : {false, true}) {
      SCOPED_TRACE(across ? "columns" : "rows");
      Graph g;
      const ValueId x = input(g, "x", t, across ? ir::Shape{m, n} : ir::Shape{n, m});
      const std::int64_t axis = across ? 0 : 1;
      // Two phases and a result as long as the input; and one number for each row.
      const ValueId shifted = binary(g, Op::sub, x, reduce(g, Op::reduce_max, x, axis, true));
      g.outputs = {shifted, reduce(g, Op::reduce_max, x, axis, false)};
      if (t != DType::f16)  // which the interpreter rounds in between
        g.outputs.push_back(binary(g, Op::sub, shifted, reduce(g, Op::reduce_min, shifted, axis, true)));
      std::vector<ir::SymbolValues> cases{{{"n", 3}, {"m", 70001}}, {{"n", 1}, {"m", 1}}, {{"n", 1}, {"m", 262144}}};
      for (const std::int64_t length : {63, 511, 2048, 8192, 16385, 40000})
        for (const std::int64_t rows : {1, 2, 17, 40}) cases.push_back({{"n", rows}, {"m", length}});
      cases.push_back({{"n", 0}, {"m", 9000}});
      check(g, cases);
      if (HasFailure()) return;
    }
  }
}

TEST_F(PartsAndTiles, SumsOfLongRows) {
  for (const DType t : {DType::f32, DType::f64, DType::i64})
    for (const std::int64_t length : {std::int64_t{0}, std::int64_t{60000}}) {
      Graph g;
      const ValueId x = input(g, "x", t, {n, length == 0 ? m : Dim(length)});
      // Of squares: nothing cancels, whatever is added first.
      g.outputs = {reduce(g, Op::reduce_sum, binary(g, Op::mul, x, x), 1, true)};
      if (is_floating(t))
        g.outputs.push_back(g.add_node(Op::softmax, "s", {x}, t, g.value(x).shape, {{"axis", std::int64_t{1}}}));
      if (length != 0)
        check(g, {{{"n", 1}}, {{"n", 5}}, {{"n", 100}}});
      else
        check(g, {{{"n", 1}, {"m", 100003}}, {{"n", 2}, {"m", 65536}}, {{"n", 33}, {"m", 9999}}});
      if (HasFailure()) return;
    }
}

TEST_F(PartsAndTiles, TransposesOfEveryExtent) {
  for (const DType t : {DType::f32, DType::f16, DType::f64, DType::u8, DType::boolean}) {
    SCOPED_TRACE(to_string(t));
    Graph g;
    const ValueId x = input(g, "x", t, {n, m}), y = input(g, "y", t, {m, n});
    const auto turned = [&](ValueId from) {
      return g.add_node(Op::permute, g.unused_name("t"), {from}, t, {m, n}, {{"perm", Ints{1, 0}}});
    };
    const Op both = t == DType::boolean ? Op::logical_and : Op::add;
    g.outputs = {binary(g, both, turned(x), y)};
    std::vector<ir::SymbolValues> cases;
    for (const std::int64_t rows : {1, 7, 8, 31, 32, 33, 129})
      for (const std::int64_t columns : {0, 1, 5, 8, 64, 65, 300}) cases.push_back({{"n", rows}, {"m", columns}});
    check(g, cases);
    if (HasFailure()) return;
  }
}

TEST_F(PartsAndTiles, TransposesInTheMiddle) {
  Graph g;
  const ValueId x = input(g, "x", DType::f32, {n, m, Dim(40), Dim(3)}), z = input(g, "z", DType::f16, {Dim(40), m});
  const auto turned =
      g.add_node(Op::permute, "t", {x}, DType::f32, {n, Dim(3), Dim(40), m}, {{"perm", Ints{0, 3, 2, 1}}});
  const auto up = g.add_node(Op::cast, "c", {z}, DType::f32, {Dim(40), m});
  const auto padded = g.add_node(Op::permute, "u", {up}, DType::f32, {m, Dim(40)}, {{"perm", Ints{1, 0}}});
  g.outputs = {g.add_node(Op::add, "a", {turned, up}, DType::f32, g.value(turned).shape), padded};
  check(
      g,
      {{{"n", 2}, {"m", 50}}, {{"n", 1}, {"m", 1}}, {{"n", 3}, {"m", 32}}, {{"n", 0}, {"m", 9}}, {{"n", 5}, {"m", 0}}});
}

}  // namespace
}  // namespace jitney
