// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// What becomes of kernels when the compiler, the cache or the loader fails.
#include "runtime/kernel_set.h"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>

#include "runtime/support.h"
#include "runtime/target.h"
#include "util/memfd.h"

namespace jitney::runtime {
namespace {

using compiler::CompileFailure;
using compiler::CompileOutcome;
using compiler::CompileRequest;
using compiler::CompileResult;
using ir::Dim;
using ir::Op;
using ir::ValueId;

/// The real compiler, except for what a test answers itself.
class FakeCompiler final : public compiler::Compiler {
 public:
  using Answer = std::function<std::optional<CompileOutcome>(const CompileRequest&)>;
  explicit FakeCompiler(Answer answer) : answer_(std::move(answer)) {}

  CompileOutcome compile(const CompileRequest& request, std::stop_token stop) override {
    ++calls;
    if (auto made = answer_(request)) return *made;
    return shared_compiler(backend::SourceLanguage::c).compile(request, stop);
  }
  Expected<std::string> identity(std::stop_token) override { return "fake"; }
  void remember(const std::string&) override {}
  std::string record() const override { return ""; }
  Expected<std::string> record_key() const override { return "fake"; }
  int workers_started() const override { return 0; }

  std::atomic<int> calls{0};

 private:
  Answer answer_;
};

FakeCompiler::Answer optimizer_fails_with(CompileFailure::Reason reason, const std::string& message) {
  return [=](const CompileRequest& r) -> std::optional<CompileOutcome> {
    if (r.optimize) return CompileOutcome(tl::unexpected(CompileFailure{reason, message}));
    return std::nullopt;
  };
}

FakeCompiler::Answer all_is_well() {
  return [](const CompileRequest&) { return std::nullopt; };
}

/// Softmaxes over rows of different lengths: from two on at least two kernels.
ir::Graph graph_of(int kernels) {
  ir::Graph g;
  g.symbols["n"] = {};
  for (int k = 0; k < kernels; ++k) {
    std::vector<Dim> shape{Dim::symbol("n"), 8 + k};
    ValueId x = g.add_value("x" + std::to_string(k), DType::f32, shape);
    g.inputs.push_back(x);
    g.outputs.push_back(
        g.add_node(Op::softmax, "s" + std::to_string(k), {x}, DType::f32, shape, {{"axis", std::int64_t{1}}}));
  }
  return g;
}

class KernelSets : public ::testing::Test {
 protected:
  void SetUp() override { load(1); }
  void load(int kernels) {
    target_ = value_or_throw(open_target({}));
    Engine engine = testing::engine_of(graph_of(kernels));
    program_ = value_or_throw(make_program(*engine.impl(), *target_.backend, target_.device, target_.info));
    ASSERT_GE(program_->sources.size(), std::min<std::size_t>(2, static_cast<std::size_t>(kernels)));
  }
  KernelCounts build(compiler::Compiler& compiler) {
    ::testing::internal::CaptureStderr();
    KernelSet set(sources_of(program_), target_, *cache_, compiler);
    log_ = ::testing::internal::GetCapturedStderr();
    return set.counts();
  }
  long lines() const { return std::count(log_.begin(), log_.end(), '\n'); }
  int total() const { return static_cast<int>(program_->sources.size()); }

  Target target_;
  std::shared_ptr<const Program> program_;
  std::shared_ptr<cache::RuntimeCache> cache_ = cache::make_memory_cache();
  std::string log_;
};

TEST_F(KernelSets, UnoptimizedKernelIsKeptAndOneThatIsOptimizedReplacesIt) {
  FakeCompiler slow(optimizer_fails_with(CompileFailure::Reason::timed_out, "it ran into its time limit (kept)"));
  auto cold = build(slow);
  EXPECT_EQ(cold.compiled, 1);
  EXPECT_EQ(cold.unoptimized, 1);
  EXPECT_EQ(slow.calls, 2);
  EXPECT_EQ(lines(), 1) << log_;
  EXPECT_NE(log_.find("not optimized"), std::string::npos) << log_;
  EXPECT_NE(log_.find("(kept)"), std::string::npos) << log_;

  auto warm = build(slow);
  EXPECT_EQ(slow.calls, 2) << "nothing is compiled again";
  EXPECT_EQ(warm.from_cache, 1);
  EXPECT_EQ(warm.unoptimized, 1);

  // Somebody else had the time.
  auto request =
      CompileRequest{target_.info.language, "k", program_->sources[0].source(), target_.info.compiler_options, true};
  auto good = shared_compiler(backend::SourceLanguage::c).compile(request);
  ASSERT_TRUE(good);
  cache_->publish(kernel_key(program_->sources[0], target_.info, "fake"), good->binary);
  auto later = build(slow);
  EXPECT_EQ(later.from_cache, 1);
  EXPECT_EQ(later.unoptimized, 0);
  EXPECT_EQ(slow.calls, 2);
}

TEST_F(KernelSets, APassingCauseIsNotKept) {
  using Reason = CompileFailure::Reason;
  for (Reason reason : {Reason::resources, Reason::starved}) {
    cache_ = cache::make_memory_cache();
    FakeCompiler poor(optimizer_fails_with(reason, "no memory"));
    EXPECT_EQ(build(poor).unoptimized, 1);
    FakeCompiler well(all_is_well());
    auto next = build(well);
    EXPECT_EQ(next.compiled, 1);
    EXPECT_EQ(next.unoptimized, 0);
    EXPECT_EQ(next.from_cache, 0);
  }
}

TEST_F(KernelSets, AFailureIsNotRemembered) {
  FakeCompiler broken([](const CompileRequest&) {
    return CompileOutcome(tl::unexpected(CompileFailure{CompileFailure::Reason::starved, "too busy"}));
  });
  EXPECT_EQ(build(broken).failed, 1);
  FakeCompiler well(all_is_well());
  EXPECT_EQ(build(well).compiled, 1);
  EXPECT_EQ(log_, "");
}

TEST_F(KernelSets, OneWarningForManyKernels) {
  load(4);
  FakeCompiler refuses([](const CompileRequest& r) {
    return CompileOutcome(tl::unexpected(
        CompileFailure{CompileFailure::Reason::rejected, "compiling '" + r.name + "': no /proc (many kernels)"}));
  });
  EXPECT_EQ(build(refuses).failed, total());
  EXPECT_EQ(lines(), 1) << log_;
  EXPECT_NE(log_.find("reference interpreter"), std::string::npos) << log_;
  EXPECT_NE(log_.find("no /proc (many kernels)"), std::string::npos) << log_;
  EXPECT_NE(log_.find(std::to_string(total()) + " kernels in all"), std::string::npos) << log_;
  build(refuses);
  EXPECT_EQ(log_, "") << "once a process";
}

TEST_F(KernelSets, AKernelThatCannotBeLoadedIsWarnedAbout) {
  load(3);
  FakeCompiler garbage(
      [](const CompileRequest&) { return CompileOutcome(CompileResult{std::vector<std::byte>(5000), "", 0}); });
  auto counts = build(garbage);
  EXPECT_EQ(counts.failed, total());
  EXPECT_EQ(counts.compiled, 0);
  EXPECT_EQ(lines(), 1) << log_;
  EXPECT_NE(log_.find("cannot be loaded"), std::string::npos) << log_;
  EXPECT_NE(log_.find("reference interpreter"), std::string::npos) << log_;
  FakeCompiler well(all_is_well());
  EXPECT_EQ(build(well).from_cache, 0) << "what cannot be loaded is not published";
}

TEST_F(KernelSets, ALimitOnFileSizesIsNamedAndKillsNobody) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  auto tries = [&] {
    rlimit limit{4096, 4096};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    bool small = make_memfd("small", std::vector<std::byte>(4096)).has_value();
    FakeCompiler big(
        [](const CompileRequest&) { return CompileOutcome(CompileResult{std::vector<std::byte>(4097), "", 0}); });
    KernelSet set(sources_of(program_), target_, *cache_, big);
    std::exit(small && set.counts().failed == 1 ? 0 : 1);
  };
  EXPECT_EXIT(tries(), ::testing::ExitedWithCode(0), "ulimit -f.*4096 bytes");
}

TEST_F(KernelSets, KeysOfTheTwoKindsDiffer) {
  const auto& source = program_->sources[0];
  EXPECT_NE(kernel_key(source, target_.info, "c"), kernel_key(source, target_.info, "c", false));
}

}  // namespace
}  // namespace jitney::runtime
