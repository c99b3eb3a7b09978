// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// The generic form of a kernel and its specialized one compute what the reference interpreter does.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "golden_graphs.h"
#include "passes/rewrite.h"
#include "run_kernels.h"

namespace jitney::compiler {
namespace {

double at(const Tensor& t, std::int64_t i) {
  return passes::load_scalar(t.dtype(),
                             static_cast<const char*>(t.data()) + i * static_cast<std::int64_t>(size_of(t.dtype())));
}

std::vector<Tensor> random_inputs(const ir::Graph& graph, const ir::SymbolValues& symbols, std::mt19937& rng) {
  std::normal_distribution<double> normal;
  std::uniform_int_distribution<int> row(-100, 99);
  std::vector<Tensor> inputs;
  for (auto id : graph.inputs) {
    const auto& v = graph.value(id);
    Tensor t(v.dtype, value_or_throw(ir::evaluate(v.shape, symbols)));
    for (std::int64_t i = 0; i < t.num_elements(); ++i) {
      double x = row(rng);
      if (is_floating(v.dtype)) x = normal(rng);
      if (v.dtype == DType::boolean) x = x > 0;
      passes::store_scalar(v.dtype, x, static_cast<char*>(t.data()) + i * static_cast<std::int64_t>(size_of(v.dtype)));
    }
    inputs.push_back(std::move(t));
  }
  return inputs;
}

void expect_close(const std::vector<Tensor>& got, const std::vector<Tensor>& want) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t o = 0; o < got.size(); ++o) {
    ASSERT_EQ(got[o].num_elements(), want[o].num_elements());
    const double tolerance = want[o].dtype() == DType::bf16 ? 3e-2 : want[o].dtype() == DType::f16 ? 4e-3 : 2e-5;
    for (std::int64_t i = 0; i < got[o].num_elements(); ++i) {
      const double a = at(got[o], i), b = at(want[o], i);
      if (a == b || (std::isnan(a) && std::isnan(b))) continue;
      ASSERT_LE(std::abs(a - b), tolerance * std::max(1.0, std::abs(b))) << "output " << o << ", element " << i;
    }
  }
}

class Forms : public ::testing::Test {
 protected:
  std::unique_ptr<Compiler> compiler = make_compiler({});
  std::mt19937 rng{11};

  static std::vector<test::GoldenGraph> graphs() {
    auto all = test::golden_graphs();
    const auto has_f16 = [](const auto& g) {
      return g.name == "f16_storage" || g.name == "layer_norm_f16" || g.name == "depthwise";
    };
    if (!test::converts_f16()) std::erase_if(all, has_f16);
    return all;
  }
  void check(const test::GoldenGraph& golden, const test::CompiledGraph& compiled, const ir::SymbolValues& symbols) {
    SCOPED_TRACE(fmt::format("{} at n={}, m={}", golden.name, symbols.at("n"), symbols.at("m")));
    auto inputs = random_inputs(golden.graph, symbols, rng);
    auto want = value_or_throw(ir::interpret(golden.graph, inputs));
    for (double cut : {0.0, 0.4}) expect_close(compiled.run(inputs, cut), want);
  }
};

TEST_F(Forms, GenericRunsEveryShape) {
  for (const auto& golden : graphs()) {
    const test::CompiledGraph compiled(test::lowered(golden.graph), *compiler,
                                       [](const auto& k) { return emit_c(k, {.vector_bytes = 32}); });
    for (const auto& symbols : golden.shapes) check(golden, compiled, symbols);
    check(golden, compiled, {{"n", 1 + static_cast<int>(rng() % 9)}, {"m", 1 + static_cast<int>(rng() % 200)}});
    if (HasFailure()) return;
  }
}

TEST_F(Forms, SpecializedRunsItsShape) {
  for (const auto& golden : graphs())
    for (auto symbols : golden.shapes) {
      if (symbols.at("m") == 37) symbols["m"] = 30 + static_cast<int>(rng() % 170);
      const test::CompiledGraph compiled(test::lowered(golden.graph), *compiler, [&](const auto& k) {
        return emit_c(k, {.vector_bytes = 32, .known = symbols});
      });
      for (const auto& k : compiled.kernels()) EXPECT_TRUE(k.numbers.empty()) << "all is known, and nothing is passed";
      check(golden, compiled, symbols);
      if (HasFailure()) return;
    }
}

TEST_F(Forms, WithSomeNumbersKnownTheOthersArePassed) {
  for (const auto& golden : graphs()) {
    const test::CompiledGraph compiled(test::lowered(golden.graph), *compiler, [](const auto& k) {
      return emit_c(k, {.vector_bytes = 32, .known = ir::SymbolValues{{"m", 64}}});
    });
    for (int n : {1, 2, 7}) check(golden, compiled, {{"n", n}, {"m", 64}});
    if (HasFailure()) return;
  }
}

/// The one kernel of a golden graph.
EmittedKernel emitted(const std::string& name, const EmitOptions& options) {
  for (const auto& golden : test::golden_graphs())
    if (golden.name == name) return emit_c(test::kernels_of(test::lowered(golden.graph)).at(0), options);
  throw std::runtime_error("no golden graph " + name);
}

TEST(SpecializedForm, HasATailOnlyWhereLanesDoNotDivideTheAxis) {
  using Known = ir::SymbolValues;
  auto code = [](const char* name, std::int64_t m) { return emitted(name, {.known = Known{{"n", 3}, {"m", m}}}).code; };
  for (const char* name : {"softmax", "gelu"}) {
    EXPECT_EQ(code(name, 128).find("_part_"), std::string::npos) << code(name, 128);
    EXPECT_NE(code(name, 37).find("_part_"), std::string::npos) << code(name, 37);
  }
  EXPECT_NE(emitted("softmax", {}).code.find("_part_"), std::string::npos);
  EXPECT_EQ(emitted("gelu", {.known = Known{{"n", 3}, {"m", 128}}}).granule, 16);
  EXPECT_EQ(emitted("softmax", {.known = Known{{"n", 3}, {"m", 128}}}).granule, 1) << "its points are whole rows";
}

TEST(SpecializedForm, AStrideThatTurnsOutToBeOneIsNoGather) {
  // With one row in the middle a transpose moves nothing.
  EXPECT_NE(emitted("transpose", {}).code.find("jt_gather_"), std::string::npos);
  EXPECT_EQ(emitted("transpose", {.known = ir::SymbolValues{{"n", 3}, {"m", 1}}}).code.find("jt_gather_"),
            std::string::npos);
}

}  // namespace
}  // namespace jitney::compiler
