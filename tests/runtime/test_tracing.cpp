// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// What a trace says of compiling, looking up, planning, executing, capturing and replaying.
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "runtime/support.h"

namespace jitney {
namespace {

using ir::Dim;
using nlohmann::json;

/// A softmax, which is a kernel, and a product, which is a library's or a kernel.
ir::Graph small_graph() {
  ir::Graph g;
  g.name = "small";
  const Dim n = Dim::symbol("n");
  g.symbols["n"] = {};
  g.inputs = {g.add_value("x", DType::f32, {n, 8})};
  const auto s = g.add_node(ir::Op::softmax, "soft", {g.inputs[0]}, DType::f32, {n, 8}, {{"axis", std::int64_t{1}}});
  g.outputs = {
      g.add_node(ir::Op::matmul, "product", {s, g.add_constant("w", Tensor(DType::f32, {8, 4}))}, DType::f32, {n, 4})};
  return g;
}

class Tracing : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "jitney-test-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  /// The spans, by category, in order of their beginning.
  std::map<std::string, std::vector<json>> trace(const std::function<void()>& work) {
    const std::string path = folder_ / "trace.json";
    {
      const Trace on(path);
      work();
    }
    const json file = json::parse(std::ifstream(path));
    flows_.clear();
    for (const auto& e : file.at("traceEvents"))
      if (e.at("ph") == "s" || e.at("ph") == "f") flows_.push_back(e);
    std::map<std::string, std::vector<json>> spans;
    for (const auto& e : file.at("traceEvents"))
      if (e.at("ph") == "X") spans[e.at("cat")].push_back(e);
    return spans;
  }

  static ContextOptions options_of(const std::string& store) {
    return {.threads = 1,
            .runtime_cache = store,
            .dynamic_shapes_kernel_specialization_strategy = DynamicShapesKernelSpecializationStrategy::none};
  }

  static bool within(const json& inner, const json& outer) {
    const double begin = inner.at("ts"), duration = inner.at("dur"), from = outer.at("ts"), whole = outer.at("dur");
    return inner.at("tid") == outer.at("tid") && begin >= from && begin + duration <= from + whole + 0.0005;
  }

  std::filesystem::path folder_;
  std::vector<json> flows_;  ///< of the last trace
};

TEST_F(Tracing, AFirstExecuteShowsWhereItsTimeGoes) {
  const Engine engine = testing::engine_of(small_graph());
  const std::vector<Tensor> inputs{Tensor(DType::f32, {3, 8})};
  const std::string store = (folder_ / "cache").string() + "/";
  const auto cold = trace([&] {
    ExecutionContext context(engine, options_of(store));
    const CorrelationId id("request 1");
    context.execute(testing::views(inputs));
  });
  ASSERT_EQ(cold.at("execute").size(), 1);
  const json& execute = cold.at("execute")[0];
  EXPECT_EQ(execute.at("args").at("correlation_id"), "request 1");
  ASSERT_FALSE(cold.at("compile").empty());
  for (const json& compile : cold.at("compile")) {
    const json& args = compile.at("args");
    EXPECT_EQ(args.at("key").get<std::string>().size(), 32);
    EXPECT_GT(args.at("worker").get<int>(), 0);
    EXPECT_GT(args.at("in_worker_us").get<int>(), 0);
    EXPECT_LE(args.at("in_worker_us").get<double>(), compile.at("dur").get<double>());
    EXPECT_GT(args.at("bytes").get<int>(), 0);
    EXPECT_EQ(args.at("correlation_id"), "request 1") << "also where another thread compiles";
  }
  EXPECT_EQ(cold.at("compile")[0].at("name"), "soft");
  std::map<std::string, int> results;
  for (const json& look : cold.at("cache")) ++results[look.at("args").value("result", "?" + look.dump())];
  EXPECT_GT(results["absent"], 0);
  EXPECT_GT(results["written"], 0);
  EXPECT_EQ(results["hit"], 0);
  ASSERT_EQ(cold.at("step").size(), 2);
  EXPECT_EQ(cold.at("step")[0].at("name"), "soft");
  for (const json& step : cold.at("step")) EXPECT_TRUE(within(step, execute));
  EXPECT_TRUE(within(cold.at("plan")[0], execute));
  EXPECT_GT(cold.at("lower").size(), 5) << "one a pass";

  const auto warm = trace([&] {
    ExecutionContext context(engine, options_of(store));
    context.execute(testing::views(inputs));
    context.execute(testing::views(inputs));
  });
  EXPECT_FALSE(warm.contains("compile"));
  EXPECT_EQ(warm.at("execute").size(), 2);
  results.clear();
  for (const json& look : warm.at("cache")) ++results[look.at("args").value("result", "?" + look.dump())];
  EXPECT_GT(results["hit"], 0);
  EXPECT_LE(results["absent"], 1) << "the compiler's identity, which this process may know from elsewhere";
}

TEST_F(Tracing, AnArrowLeadsFromASpecializationToItsFirstUse) {
  const std::vector<Tensor> inputs{Tensor(DType::f32, {3, 8})};
  const auto spans = trace([&] {
    ExecutionContext context(testing::engine_of(small_graph()), {.threads = 1, .runtime_cache = "none"});
    context.execute(testing::views(inputs));
    ASSERT_TRUE(context.wait_until_specialized(60));
    for (int i = 0; i < 3; ++i) context.execute(testing::views(inputs));
  });
  ASSERT_EQ(spans.at("specialize").size(), 2);
  const json &made = spans.at("specialize")[0], &used = spans.at("specialize")[1];
  EXPECT_EQ(made.at("name"), "in the background");
  EXPECT_EQ(made.at("args").at("shapes"), "[3,8]");
  EXPECT_EQ(used.at("name"), "first use");
  EXPECT_TRUE(within(used, spans.at("execute")[1]));
  EXPECT_NE(made.at("tid"), used.at("tid"));
  ASSERT_EQ(flows_.size(), 2);
  EXPECT_EQ(flows_[0].at("id"), flows_[1].at("id"));
  EXPECT_EQ(flows_[0].at("tid"), made.at("tid"));
  EXPECT_EQ(flows_[1].at("tid"), used.at("tid"));
}

TEST_F(Tracing, CapturesAndReplaysAreThere) {
  const std::vector<Tensor> inputs{Tensor(DType::f32, {3, 8})}, outputs{Tensor(DType::f32, {3, 4})};
  const auto spans = trace([&] {
    ExecutionContext context(testing::engine_of(small_graph()),
                             {.device = {Device::Type::null, 0},
                              .runtime_cache = "none",
                              .cuda_graph_strategy = CudaGraphStrategy::whole_graph_capture});
    for (int i = 0; i < 3; ++i) context.execute(testing::views(inputs), testing::views(outputs));
  });
  ASSERT_EQ(spans.at("execute").size(), 3);
  ASSERT_EQ(spans.at("capture").size(), 1);
  ASSERT_EQ(spans.at("replay").size(), 2);
  EXPECT_TRUE(within(spans.at("capture")[0], spans.at("execute")[1]));
  EXPECT_TRUE(within(spans.at("replay")[1], spans.at("execute")[2]));
  EXPECT_FALSE(spans.contains("compile"));
}

}  // namespace
}  // namespace jitney
