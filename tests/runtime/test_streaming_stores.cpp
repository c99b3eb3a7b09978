// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Results so large that they are written past the caches: every element, whatever the alignment where a thread begins.
#include "runtime/support.h"

namespace jitney {
namespace {

TEST(StreamingStores, WriteEveryElementOnce) {
  const ir::Dim n = ir::Dim::symbol("n");
  ir::Graph g;
  g.symbols["n"] = {};
  g.inputs = {g.add_value("x", DType::f64, {n})};
  g.outputs = {g.add_node(ir::Op::neg, "y", {g.inputs[0]}, DType::f64, {n})};
  ContextOptions options = testing::options();
  options.threads = 3;
  ExecutionContext context(testing::engine_of(g), options);
  const std::int64_t large = (32 << 20) / 8;  // elements from which stores go past the caches
  for (const std::int64_t count : {large - 1, large, large + 1, large + 5003}) {
    // They begin one element behind an aligned address.
    Tensor x(DType::f64, {count + 1}), y(DType::f64, {count + 2});
    for (std::int64_t i = 0; i <= count; ++i) x.as<double>()[i] = static_cast<double>(i + 1);
    std::fill_n(y.as<double>(), count + 2, 7.0);
    const std::vector<std::int64_t> shape{count};
    std::vector<TensorView> inputs{x.view()}, outputs{y.view()};
    inputs[0].data = x.as<double>() + 1;
    outputs[0].data = y.as<double>() + 1;
    inputs[0].shape = outputs[0].shape = shape;
    context.execute(inputs, outputs);
    EXPECT_EQ(y.as<double>()[0], 7.0);
    EXPECT_EQ(y.as<double>()[count + 1], 7.0);
    std::int64_t wrong = 0;
    for (std::int64_t i = 0; i < count; ++i) wrong += y.as<double>()[i + 1] != -static_cast<double>(i + 2);
    EXPECT_EQ(wrong, 0) << "of " << count;
  }
}

}  // namespace
}  // namespace jitney
