// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>

#include "passes/eliminate_dead.h"
#include "passes/recognize_activations.h"
#include "passes/rewrite.h"

namespace jitney::passes {
namespace {

using ir::Op;
using ir::ValueId;

/// Writes an activation out in arithmetic, as exporters do.
class Formula {
 public:
  Formula() {
    g.symbols["n"] = {};
    x = g.add_value("x", DType::f32, shape);
    g.inputs = {x};
  }
  ValueId number(double v) {
    Tensor t(DType::f32, {});
    store_scalar(DType::f32, v, t.data());
    return g.add_constant("c" + std::to_string(g.values.size()), t);
  }
  ValueId op(Op o, ValueId a) { return g.add_node(o, "n", {a}, DType::f32, shape); }
  ValueId op(Op o, ValueId a, ValueId b) { return g.add_node(o, "n", {a, b}, DType::f32, shape); }
  /// The operators that are left when `y` is the output.
  std::vector<Op> recognized(ValueId y) {
    g.outputs = {y};
    auto r = value_or_throw(eliminate_dead(value_or_throw(recognize_activations(g))));
    std::vector<Op> ops;
    for (const auto& n : r.nodes) ops.push_back(n.op);
    return ops;
  }
  ir::Graph g;
  ir::Shape shape{ir::Dim::symbol("n"), 4};
  ValueId x;
};

TEST(RecognizeActivations, Silu) {
  Formula f;
  EXPECT_EQ(f.recognized(f.op(Op::mul, f.op(Op::sigmoid, f.x), f.x)), std::vector{Op::silu});
}

TEST(RecognizeActivations, SigmoidOfSomethingElseIsNoSilu) {
  Formula f;
  EXPECT_EQ(f.recognized(f.op(Op::mul, f.op(Op::sigmoid, f.op(Op::neg, f.x)), f.x)).size(), 3u);
}

TEST(RecognizeActivations, GeluByErfInBothOrders) {
  for (bool half_first : {true, false}) {
    Formula f;
    ValueId e = f.op(Op::add, f.op(Op::erf, f.op(Op::div, f.x, f.number(std::sqrt(2.0)))), f.number(1));
    ValueId y = half_first ? f.op(Op::mul, f.op(Op::mul, f.x, f.number(0.5)), e)
                           : f.op(Op::mul, f.op(Op::mul, f.x, e), f.number(0.5));
    EXPECT_EQ(f.recognized(y), std::vector{Op::gelu_erf});
  }
}

TEST(RecognizeActivations, GeluNeedsItsConstants) {
  Formula f;
  ValueId e = f.op(Op::add, f.op(Op::erf, f.op(Op::div, f.x, f.number(1.5))), f.number(1));
  EXPECT_EQ(f.recognized(f.op(Op::mul, f.op(Op::mul, f.x, e), f.number(0.5))).size(), 5u);
}

TEST(RecognizeActivations, GeluByTanh) {
  Formula f;
  ValueId cube = f.op(Op::mul, f.op(Op::pow, f.x, f.number(3)), f.number(0.044715));
  ValueId t = f.op(Op::tanh, f.op(Op::mul, f.op(Op::add, f.x, cube), f.number(std::sqrt(2 / M_PI))));
  ValueId y = f.op(Op::mul, f.op(Op::mul, f.number(0.5), f.x), f.op(Op::add, f.number(1), t));
  EXPECT_EQ(f.recognized(y), std::vector{Op::gelu_tanh});
}

TEST(RecognizeActivations, HardSwishByClip) {
  Formula f;
  ValueId clip = f.op(Op::min, f.op(Op::max, f.op(Op::add, f.x, f.number(3)), f.number(0)), f.number(6));
  EXPECT_EQ(f.recognized(f.op(Op::div, f.op(Op::mul, f.x, clip), f.number(6))), std::vector{Op::hard_swish});
}

TEST(RecognizeActivations, HardSwishByHardSigmoid) {
  Formula f;
  ValueId line = f.op(Op::add, f.op(Op::mul, f.x, f.number(1.0 / 6)), f.number(0.5));
  ValueId gate = f.op(Op::max, f.op(Op::min, line, f.number(1)), f.number(0));
  EXPECT_EQ(f.recognized(f.op(Op::mul, f.x, gate)), std::vector{Op::hard_swish});
}

}  // namespace
}  // namespace jitney::passes
