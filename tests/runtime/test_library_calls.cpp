// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Library calls in whole graphs, against the interpreter. Builds without a library generate kernels; all of this must
// hold there, too.
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <thread>

#include "runtime/support.h"
#include "util/reloadable.h"

namespace jitney {
namespace {

using ir::Dim;
using ir::Graph;
using ir::Op;
using ir::Shape;
using ir::ValueId;

struct Net {
  Graph g;
  std::mt19937 rng{11};

  ValueId input(const std::string& name, const Shape& s) {
    for (const auto& d : s)
      if (auto n = d.symbol_name()) g.symbols[*n] = {};
    g.inputs.push_back(g.add_value(name, DType::f32, s));
    return g.inputs.back();
  }
  ValueId constant(const std::vector<std::int64_t>& shape, double scale = 1) {
    Tensor t = testing::random_tensor(DType::f32, shape, rng);
    for (std::int64_t i = 0; i < t.num_elements(); ++i) t.as<float>()[i] *= static_cast<float>(scale);
    return g.add_constant("c" + std::to_string(g.values.size()), t);
  }
  ValueId op(Op o, std::vector<ValueId> in, const Shape& s, ir::Attributes a = {}) {
    return g.add_node(o, std::string(info(o).name), std::move(in), DType::f32, s, std::move(a));
  }
  /// "Same" padding.
  ValueId conv(ValueId x, std::int64_t o, std::int64_t k, std::int64_t groups = 1) {
    Shape s = g.value(x).shape;
    const std::int64_t c = *s[1].constant() / groups, p = k / 2;
    std::vector<ValueId> in{x, constant({o, c, k, k}, 1 / std::sqrt(static_cast<double>(c * k * k))), constant({o})};
    s[1] = o;
    return op(Op::conv, in, s,
              {{"strides", std::vector<std::int64_t>{1, 1}},
               {"dilations", std::vector<std::int64_t>{1, 1}},
               {"pads", std::vector<std::int64_t>{p, p, p, p}},
               {"groups", groups}});
  }
  ValueId relu(ValueId x) { return op(Op::relu, {x}, g.value(x).shape); }
  ValueId add(ValueId a, ValueId b) { return op(Op::add, {a, b}, g.value(a).shape); }
};

/// Two residual blocks with everything that the library path has: 3x3, 1x1 and depthwise, sums in place.
Graph residual_network() {
  Net net;
  ValueId x = net.input("x", {Dim::symbol("n"), 3, Dim::symbol("h"), Dim::symbol("w")});
  ValueId a = net.relu(net.conv(x, 64, 3));
  ValueId b = net.conv(net.relu(net.conv(a, 64, 3)), 64, 3);
  ValueId sum = net.relu(net.add(b, a));
  ValueId wide = net.relu(net.conv(sum, 128, 1));
  ValueId deep = net.conv(wide, 128, 3, 128);
  ValueId back = net.add(net.conv(deep, 64, 1), sum);
  Shape s = net.g.value(back).shape;
  ValueId mean = net.op(Op::reduce_mean, {back}, {s[0], s[1]},
                        {{"axes", std::vector<std::int64_t>{2, 3}}, {"keepdims", std::int64_t{0}}});
  net.g.outputs = {net.op(Op::matmul, {mean, net.constant({64, 96}, 0.1)}, {s[0], 96}), back};
  return std::move(net.g);
}

std::vector<Tensor> images(std::int64_t n, std::int64_t h, std::int64_t w, unsigned seed = 1) {
  std::mt19937 rng(seed);
  return {testing::random_tensor(DType::f32, {n, 3, h, w}, rng)};
}

/// Weights that exist twice cost twice the memory: once they are packed, nobody holds the original.
TEST(LibraryCalls, OriginalsAreGoneAfterPacking) {
  Net net;
  const Shape s{Dim::symbol("n"), 1024};
  std::mt19937 rng(3);
  const Tensor plain = testing::random_tensor(DType::f32, {1024, 512}, rng);
  int made = 0;
  const Tensor weights = value_or_throw(derive(DType::f32, {1024, 512}, [&]() -> Expected<Tensor> {
    ++made;
    return plain;
  }));
  const ValueId x = net.input("x", s);
  net.g.outputs = {net.op(Op::matmul, {x, net.g.add_constant("w", weights)}, {s[0], 512})};
  for (const auto precision : {Precision::fp32, Precision::bf16}) {
    made = 0;
    ExecutionContext context(testing::engine_of(net.g), {.runtime_cache = "none", .precision = precision});
    if (context.stats().library_calls == 0) GTEST_SKIP() << "this build has no library for it";
    for (const std::int64_t n : {1, 40}) {
      const std::vector<Tensor> in{testing::random_tensor(DType::f32, {n, 1024}, rng)};
      const std::vector<TensorView> views{in[0].view()};
      const auto out = context.execute(views);
      double expected = 0;
      for (std::int64_t k = 0; k < 1024; ++k) expected += in[0].as<float>()[k] * plain.as<float>()[k * 512];
      EXPECT_NEAR(out[0].as<float>()[0], expected, precision == Precision::fp32 ? 1e-3 : 1);
      EXPECT_FALSE(weights.reloadable()->is_held());
    }
    EXPECT_GE(made, 1);
    // What was packed for one shape serves the other.
    if (precision == Precision::fp32) {
      EXPECT_EQ(made, 1);
    }
  }
}

TEST(LibraryCalls, AResidualNetworkAtManyShapes) {
  Graph g = residual_network();
  ExecutionContext context(testing::engine_of(g), testing::options());
  for (auto [n, h, w] : std::vector<std::array<std::int64_t, 3>>{
           {1, 16, 16}, {2, 9, 13}, {1, 1, 1}, {3, 4, 40}, {0, 8, 8}, {1, 33, 31}, {1, 16, 16}}) {
    SCOPED_TRACE(fmt::format("{}x{}x{}", n, h, w));
    testing::expect_agrees(g, images(n, h, w), context);
  }
  EXPECT_EQ(context.stats().failed, 0);
}

TEST(LibraryCalls, AnyNumberOfThreadsGivesTheSameBits) {
  Graph g = residual_network();
  const auto in = images(2, 20, 24);
  ExecutionContext context(testing::engine_of(g), {.threads = 2, .runtime_cache = "none"});
  const auto first = context.execute(testing::views(in));
  for (int i = 0; i < 3; ++i) {
    const auto again = context.execute(testing::views(in));
    for (std::size_t o = 0; o < first.size(); ++o)
      ASSERT_EQ(std::memcmp(first[o].data(), again[o].data(), first[o].num_bytes()), 0);
  }
}

TEST(LibraryCalls, ManyCallersAtDifferentShapes) {
  Graph g = residual_network();
  ExecutionContext context(testing::engine_of(g), {.threads = 1, .runtime_cache = "none"});
  std::vector<std::vector<Tensor>> inputs, wanted;
  for (int i = 0; i < 4; ++i) {
    inputs.push_back(images(1 + i % 2, 8 + 3 * i, 12, static_cast<unsigned>(i)));
    wanted.push_back(value_or_throw(ir::interpret(g, inputs.back())));
  }
  std::vector<std::thread> callers;
  std::atomic<int> wrong{0};
  for (int i = 0; i < 4; ++i)
    callers.emplace_back([&, i] {
      for (int turn = 0; turn < 5; ++turn) {
        const auto at = static_cast<std::size_t>((i + turn) % 4);
        const auto got = context.execute(testing::views(inputs[at]));
        for (std::size_t o = 0; o < got.size(); ++o)
          if (!testing::close(got[o], wanted[at][o], testing::tolerance(DType::f32))) ++wrong;
      }
    });
  for (auto& c : callers) c.join();
  EXPECT_EQ(wrong.load(), 0);
}

TEST(LibraryCalls, TheChildOfAForkGetsRightResults) {
  Graph g = residual_network();
  const auto in = images(1, 17, 18);
  ExecutionContext context(testing::engine_of(g), {.threads = 2, .runtime_cache = "none"});
  const auto before = context.execute(testing::views(in));
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    alarm(20);  // a hang is a failure
    const auto here = context.execute(testing::views(in));
    bool same = true;
    for (std::size_t o = 0; o < here.size(); ++o)
      same = same && testing::close(here[o], before[o], testing::tolerance(DType::f32));
    _exit(same ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "status " << status;
  const auto after = context.execute(testing::views(in));
  EXPECT_EQ(std::memcmp(after[0].data(), before[0].data(), before[0].num_bytes()), 0);
}

TEST(LibraryCalls, Bf16IsNearFp32) {
  Graph g = residual_network();
  const auto in = images(1, 16, 16);
  ExecutionContext low(testing::engine_of(g), {.runtime_cache = "none", .precision = Precision::bf16});
  const auto want = value_or_throw(ir::interpret(g, in)), got = low.execute(testing::views(in));
  for (std::size_t o = 0; o < want.size(); ++o) {
    double largest = 0, difference = 0;
    for (std::int64_t i = 0; i < want[o].num_elements(); ++i) {
      largest = std::max(largest, std::abs(static_cast<double>(want[o].as<float>()[i])));
      difference = std::max(difference, std::abs(static_cast<double>(want[o].as<float>()[i] - got[o].as<float>()[i])));
    }
    EXPECT_LT(difference, 0.03 * largest);
    EXPECT_GT(difference, 0) << "nothing was rounded";
  }
}

TEST(LibraryCalls, ContextsShareWeights) {
  Graph g = residual_network();
  Engine engine = testing::engine_of(g);
  const auto in = images(1, 8, 8);
  auto run = [&] {
    auto context = std::make_unique<ExecutionContext>(engine, ContextOptions{.runtime_cache = "none"});
    context->execute(testing::views(in));
    return context;
  };
  const auto one = run();
  const auto alone = one->stats().device_bytes;
  const auto two = run();
  const auto both = two->stats().device_bytes;
  EXPECT_LT(both - alone, 2 * two->stats().arena_bytes + 4096) << "the second context has an arena of its own only";
}

}  // namespace
}  // namespace jitney
