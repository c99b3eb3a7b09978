// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Compiled kernels against the interpreter, one small graph an idea.
#include "runtime/kernels_fixture.h"

namespace jitney {
namespace {

using ir::Dim;
using ir::Graph;
using ir::Op;
using ir::ValueId;
using testing::Kernels;

const Dim n = Dim::symbol("n"), m = Dim::symbol("m");

TEST_F(Kernels, UnaryFloat) {
  for (DType t : {DType::f32, DType::f64, DType::f16, DType::bf16})
    for (Op op :
         {Op::neg,  Op::abs,      Op::sign,      Op::floor, Op::ceil,       Op::round,   Op::sqrt, Op::reciprocal,
          Op::exp,  Op::log,      Op::sin,       Op::cos,   Op::tan,        Op::asin,    Op::acos, Op::atan,
          Op::sinh, Op::cosh,     Op::asinh,     Op::acosh, Op::atanh,      Op::tanh,    Op::erf,  Op::sigmoid,
          Op::relu, Op::gelu_erf, Op::gelu_tanh, Op::silu,  Op::hard_swish, Op::softplus}) {
      if (t != DType::f32 && op != Op::exp && op != Op::erf && op != Op::floor && op != Op::silu) continue;
      SCOPED_TRACE(info(op).name);
      Graph g;
      ValueId x = input(g, "x", t, {n});
      g.outputs = {g.add_node(op, "f", {x}, t, {n})};
      check(g, {{{"n", 37}}, {{"n", 1}}, {{"n", 0}}, {{"n", 1000}}}, true);
      if (HasFailure()) return;
    }
}

// Small results count as much as large ones: -20 to 20 in steps of 1/8, relative to the result.
TEST_F(Kernels, FunctionsKeepTheirRelativeAccuracy) {
  for (DType t : {DType::f32, DType::f64})
    for (Op op : {Op::exp, Op::sigmoid, Op::softplus, Op::silu, Op::tanh, Op::erf}) {
      SCOPED_TRACE(fmt::format("{} {}", info(op).name, to_string(t)));
      Graph g;
      ValueId x = input(g, "x", t, {n});
      g.outputs = {g.add_node(op, "f", {x}, t, {n})};
      Tensor in(t, {321});
      for (int i = 0; i < 321; ++i) {
        if (t == DType::f32)
          in.as<float>()[i] = static_cast<float>(i - 160) / 8;
        else
          in.as<double>()[i] = static_cast<double>(i - 160) / 8;
      }
      ExecutionContext context(testing::engine_of(g), testing::options());
      const Tensor want = value_or_throw(ir::interpret(g, {in}))[0];
      const Tensor got = testing::execute(context, {in})[0];
      for (int i = 0; i < 321; ++i) {
        const double w = t == DType::f32 ? want.as<float>()[i] : want.as<double>()[i];
        const double f = t == DType::f32 ? got.as<float>()[i] : got.as<double>()[i];
        ASSERT_NEAR(f, w, std::abs(w) * (t == DType::f32 ? 2e-6 : 1e-12)) << "at " << (i - 160) / 8.0;
      }
    }
}

TEST_F(Kernels, BinaryBroadcast) {
  for (DType t : {DType::f32, DType::i32, DType::i64, DType::u8, DType::i8, DType::f64}) {
    for (Op op : {Op::add, Op::sub, Op::mul, Op::div, Op::min, Op::max, Op::mod, Op::less, Op::equal}) {
      SCOPED_TRACE(fmt::format("{} {}", info(op).name, to_string(t)));
      Graph g;
      ValueId a = input(g, "a", t, {n, 1, 5}), b = input(g, "b", t, {m, 1});
      DType out = gives_boolean(op) ? DType::boolean : t;
      g.outputs = {g.add_node(op, "f", {a, b}, out, {n, m, 5})};
      check(g, {{{"n", 3}, {"m", 4}}, {{"n", 1}, {"m", 1}}, {{"n", 2}, {"m", 0}}}, true);
      if (HasFailure()) return;
    }
  }
}

TEST_F(Kernels, SoftmaxOverEveryAxis) {
  for (std::int64_t axis = 0; axis < 3; ++axis) {
    Graph g;
    ValueId x = input(g, "x", DType::f32, {n, m, 19});
    g.outputs = {g.add_node(Op::softmax, "s", {x}, DType::f32, {n, m, 19}, {{"axis", axis}})};
    check(g, {{{"n", 3}, {"m", 70}}, {{"n", 1}, {"m", 1}}, {{"n", 5}, {"m", 33}}, {{"n", 0}, {"m", 3}}});
  }
}

TEST_F(Kernels, LayerNormWithResidual) {
  Graph g;
  ValueId x = input(g, "x", DType::f32, {n, m, 48}), y = input(g, "y", DType::f32, {n, m, 48});
  ValueId w = input(g, "w", DType::f32, {48}), b = input(g, "b", DType::f32, {48});
  ValueId sum = g.add_node(Op::add, "residual", {x, y}, DType::f32, {n, m, 48});
  g.outputs = {g.add_node(Op::layer_norm, "norm", {sum, w, b}, DType::f32, {n, m, 48},
                          {{"axis", std::int64_t{2}}, {"epsilon", 1e-5}}),
               sum};
  ExecutionContext context(testing::engine_of(g), testing::options());
  EXPECT_EQ(context.stats().kernels, 1) << "the residual belongs into the normalization's kernel\n"
                                        << context.inspect();
  check(g, {{{"n", 2}, {"m", 7}}, {{"n", 1}, {"m", 1}}});
}

TEST_F(Kernels, Reductions) {
  for (Op op : {Op::reduce_sum, Op::reduce_mean, Op::reduce_max, Op::reduce_min, Op::reduce_prod})
    for (std::vector<std::int64_t> axes : {std::vector<std::int64_t>{0}, {1}, {2}, {0, 2}, {0, 1, 2}, {1, 2}})
      for (DType t : {DType::f32, DType::i64, DType::boolean}) {
        if (t == DType::boolean && op != Op::reduce_max && op != Op::reduce_min) continue;
        if (t != DType::f32 && (op == Op::reduce_mean || axes.size() == 2)) continue;
        Graph g;
        ValueId x = input(g, "x", t, {n, m, 3});
        ir::Shape s{n, m, 3};
        for (auto it = axes.rbegin(); it != axes.rend(); ++it) s.erase(s.begin() + *it);
        g.outputs = {g.add_node(op, "r", {x}, t, s, {{"axes", axes}, {"keepdims", std::int64_t{0}}})};
        check(g, {{{"n", 4}, {"m", 5}}, {{"n", 1}, {"m", 67}}});
        if (HasFailure()) return;
      }
}

TEST_F(Kernels, EmptyReductions) {
  for (Op op : {Op::reduce_sum, Op::reduce_max, Op::reduce_prod}) {
    Graph g;
    ValueId x = input(g, "x", DType::f32, {n, m});
    g.outputs = {g.add_node(op, "r", {x}, DType::f32, {n},
                            {{"axes", std::vector<std::int64_t>{1}}, {"keepdims", std::int64_t{0}}})};
    check(g, {{{"n", 3}, {"m", 0}}, {{"n", 0}, {"m", 3}}});
  }
}

TEST_F(Kernels, MatMulShapes) {
  struct Case {
    ir::Shape a, b, c;
  };
  Dim k = Dim::symbol("k");
  for (const Case& c :
       {Case{{n, k}, {k, m}, {n, m}}, Case{{2, n, k}, {k, m}, {2, n, m}}, Case{{3, 1, n, k}, {2, k, m}, {3, 2, n, m}},
        Case{{k}, {k, m}, {m}}, Case{{n, k}, {k}, {n}}, Case{{k}, {k}, {}}}) {
    for (DType t : {DType::f32, DType::f16, DType::i32}) {
      Graph g;
      ValueId a = input(g, "a", t, c.a), b = input(g, "b", t, c.b);
      ValueId y = g.add_node(Op::matmul, "mm", {a, b}, t, c.c);
      g.outputs = {t == DType::i32 ? y : g.add_node(Op::relu, "act", {y}, t, c.c)};
      check(g, {{{"n", 5}, {"m", 7}, {"k", 9}}, {{"n", 1}, {"m", 130}, {"k", 33}}, {{"n", 2}, {"m", 1}, {"k", 0}}});
      if (HasFailure()) return;
    }
  }
}

TEST_F(Kernels, TransposedViewsFeedMatMul) {
  Graph g;
  ValueId x = input(g, "x", DType::f32, {n, m, 12});
  ValueId r = g.add_node(Op::reshape, "split", {x}, DType::f32, {n, m, 3, 4});
  ValueId q = g.add_node(Op::permute, "heads", {r}, DType::f32, {n, 3, m, 4},
                         {{"perm", std::vector<std::int64_t>{0, 2, 1, 3}}});
  ValueId kt =
      g.add_node(Op::permute, "keys", {r}, DType::f32, {n, 3, 4, m}, {{"perm", std::vector<std::int64_t>{0, 2, 3, 1}}});
  ValueId s = g.add_node(Op::matmul, "scores", {q, kt}, DType::f32, {n, 3, m, m});
  ValueId p = g.add_node(Op::softmax, "p", {s}, DType::f32, {n, 3, m, m}, {{"axis", std::int64_t{3}}});
  ValueId y = g.add_node(Op::matmul, "mix", {p, q}, DType::f32, {n, 3, m, 4});
  ValueId back =
      g.add_node(Op::permute, "back", {y}, DType::f32, {n, m, 3, 4}, {{"perm", std::vector<std::int64_t>{0, 2, 1, 3}}});
  g.outputs = {g.add_node(Op::reshape, "join", {back}, DType::f32, {n, m, 12})};
  check(g, {{{"n", 2}, {"m", 5}}, {{"n", 1}, {"m", 1}}, {{"n", 3}, {"m", 40}}});
}

TEST_F(Kernels, SliceNegativeStepConcatPad) {
  Graph g;
  ValueId x = input(g, "x", DType::f32, {n, 10});
  ValueId rev =
      g.add_node(Op::slice, "rev", {x}, DType::f32, {n, 5}, {{"starts", ir::Shape{0, 9}}, {"steps", ir::Shape{1, -2}}});
  ValueId cat = g.add_node(Op::concat, "cat", {rev, x, rev}, DType::f32, {n, 20}, {{"axis", std::int64_t{1}}});
  ValueId pad = g.add_node(Op::pad, "pad", {cat}, DType::f32, {n + Dim(3), 19},
                           {{"before", ir::Shape{1, -2}}, {"value", 7.5}, {"mode", std::string("constant")}});
  g.outputs = {g.add_node(Op::exp, "e", {pad}, DType::f32, {n + Dim(3), 19}), rev};
  check(g, {{{"n", 4}}, {{"n", 1}}, {{"n", 0}}});
}

TEST_F(Kernels, GatherRowsColumnsAndOutOfRange) {
  for (std::int64_t axis : {0, 1}) {
    Graph g;
    ValueId x = input(g, "x", DType::f32, {6, n}), i = input(g, "i", DType::i64, {m, 2});
    ir::Shape out = axis == 0 ? ir::Shape{m, 2, n} : ir::Shape{6, m, 2};
    ValueId y = g.add_node(Op::gather, "take", {x, i}, DType::f32, out, {{"axis", axis}});
    g.outputs = {g.add_node(Op::neg, "neg", {y}, DType::f32, out)};
    ExecutionContext context(testing::engine_of(g), testing::options());
    Tensor data = testing::random_tensor(DType::f32, {6, 6}, rng), index(DType::i64, {3, 2});
    for (int k = 0; k < 6; ++k) index.as<std::int64_t>()[k] = k % 2 ? -k : k;
    testing::expect_agrees(g, {data, index}, context);
    index.as<std::int64_t>()[4] = 6;
    std::vector<Tensor> bad{data, index};
    try {
      testing::execute(context, bad);
      FAIL() << "an index out of range must be refused";
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::user);
      EXPECT_NE(std::string(e.what()).find("take"), std::string::npos) << e.what();
    }
  }
}

TEST_F(Kernels, Convolutions) {
  struct Case {
    std::int64_t channels, out, groups, kernel, stride, dilation, pad;
  };
  for (const Case& c :
       {Case{3, 8, 1, 3, 1, 1, 1}, Case{4, 6, 2, 3, 2, 1, 1}, Case{6, 6, 6, 3, 1, 1, 1}, Case{2, 4, 1, 1, 1, 1, 0},
        Case{3, 5, 1, 3, 1, 2, 2}, Case{4, 8, 4, 5, 2, 1, 2}, Case{3, 4, 1, 7, 2, 1, 3}}) {
    Graph g;
    Dim h = Dim::symbol("h");
    auto extent = [&](const Dim& d) {
      return Dim::floordiv(d + Dim(2 * c.pad - c.dilation * (c.kernel - 1) - 1), c.stride) + Dim(1);
    };
    ValueId x = input(g, "x", DType::f32, {n, c.channels, h, 33});
    ValueId w = input(g, "w", DType::f32, {c.out, c.channels / c.groups, c.kernel, c.kernel}),
            b = input(g, "b", DType::f32, {c.out});
    ir::Shape out{n, c.out, extent(h), extent(33)};
    using V = std::vector<std::int64_t>;
    ValueId y = g.add_node(Op::conv, "conv", {x, w, b}, DType::f32, out,
                           {{"strides", V{c.stride, c.stride}},
                            {"dilations", V{c.dilation, c.dilation}},
                            {"pads", V(4, c.pad)},
                            {"groups", c.groups}});
    g.outputs = {g.add_node(Op::relu, "relu", {y}, DType::f32, out)};
    check(g, {{{"n", 2}, {"h", 11}}, {{"n", 1}, {"h", 40}}});
    if (HasFailure()) return;
  }
}

TEST_F(Kernels, Pools) {
  using V = std::vector<std::int64_t>;
  for (Op op : {Op::max_pool, Op::avg_pool})
    for (std::int64_t include : {0, 1})
      for (std::int64_t pad : {0, 1}) {
        Graph g;
        Dim h = Dim::symbol("h");
        ValueId x = input(g, "x", DType::f32, {n, 3, h, 20});
        auto extent = [&](const Dim& d) { return Dim::floordiv(d + Dim(2 * pad - 3), 2) + Dim(1); };
        ir::Attributes a{{"kernel", V{3, 3}}, {"strides", V{2, 2}}, {"dilations", V{1, 1}}, {"pads", V(4, pad)}};
        if (op == Op::avg_pool) a["include_pad"] = include;
        g.outputs = {g.add_node(op, "pool", {x}, DType::f32, {n, 3, extent(h), extent(20)}, a)};
        check(g, {{{"n", 2}, {"h", 9}}, {{"n", 1}, {"h", 30}}});
        if (HasFailure()) return;
      }
}

TEST_F(Kernels, CastsBetweenAllTypes) {
  for (int from = 0; from < kDTypeCount; ++from)
    for (int to = 0; to < kDTypeCount; ++to) {
      auto f = static_cast<DType>(from), t = static_cast<DType>(to);
      if (is_storage_only(f) || is_storage_only(t)) continue;  // their casts are composed of operators on bits
      SCOPED_TRACE(fmt::format("{} to {}", to_string(f), to_string(t)));
      Graph g;
      ValueId x = input(g, "x", f, {n});
      ValueId y = g.add_node(Op::cast, "c", {x}, t, {n});
      g.outputs = {y};
      check(g, {{{"n", 45}}}, true);
      if (HasFailure()) return;
    }
}

TEST_F(Kernels, IotaDimsWhere) {
  Graph g;
  ValueId x = input(g, "x", DType::f32, {n, m});
  ValueId i = g.add_node(Op::iota, "rows", {}, DType::i64, {n, m}, {{"axis", std::int64_t{0}}});
  ValueId j = g.add_node(Op::iota, "columns", {}, DType::i64, {n, m}, {{"axis", std::int64_t{1}}});
  ValueId causal = g.add_node(Op::less_equal, "causal", {j, i}, DType::boolean, {n, m});
  ValueId d = g.add_node(Op::dims, "extent", {}, DType::i64, {}, {{"values", ir::Shape{n * m}}});
  ValueId df = g.add_node(Op::cast, "extentf", {d}, DType::f32, {});
  g.outputs = {g.add_node(Op::where, "w", {causal, x, df}, DType::f32, {n, m}),
               g.add_node(Op::dims, "shape", {}, DType::i64, {3}, {{"values", ir::Shape{n, m, n + m}}})};
  check(g, {{{"n", 5}, {"m", 7}}, {{"n", 1}, {"m", 1}}});
}

TEST_F(Kernels, OutputsThatAreInputsConstantsOrRepeated) {
  Graph g;
  ValueId x = input(g, "x", DType::f32, {n});
  Tensor c(DType::f32, {3});
  c.as<float>()[1] = 2;
  ValueId k = g.add_constant("k", c);
  ValueId y = g.add_node(Op::exp, "e", {x}, DType::f32, {n});
  g.outputs = {x, k, y, y};
  check(g, {{{"n", 4}}, {{"n", 0}}});
}

TEST_F(Kernels, StridedUserInput) {
  if (testing::device().type != Device::Type::cpu) GTEST_SKIP() << "inputs of a GPU must be contiguous";
  Graph g;
  ValueId x = input(g, "x", DType::f32, {n, m});
  g.outputs = {g.add_node(Op::neg, "f", {x}, DType::f32, {n, m})};
  ExecutionContext context(testing::engine_of(g), testing::options());
  float data[12];
  for (int i = 0; i < 12; ++i) data[i] = static_cast<float>(i);
  std::int64_t shape[] = {3, 2}, strides[] = {-4, 2};
  TensorView v{data + 8, DType::f32, shape, strides, {}};
  auto out = context.execute(std::vector<TensorView>{v});
  const float want[] = {-8, -10, -4, -6, 0, -2};
  for (int i = 0; i < 6; ++i) EXPECT_EQ(out[0].as<float>()[i], want[i]);
}

}  // namespace
}  // namespace jitney
