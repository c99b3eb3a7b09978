// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Library calls on a device whose libraries take their time: who waits for them, and what is done meanwhile.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "backend/null/null_backend.h"
#include "engine/engine_impl.h"
#include "runtime/executor.h"
#include "runtime/support.h"
#include "util/threads.h"

namespace jitney::runtime {
namespace {

using backend::Haste;

struct NamedPrimitive final : backend::Primitive {
  explicit NamedPrimitive(Haste h) : haste(h) {}
  std::size_t scratch_bytes() const override { return 0; }
  std::string implementation() const override { return haste == Haste::at_once ? "at once" : "good"; }
  bool is_reference() const override { return false; }
  bool is_provisional() const override { return haste == Haste::at_once; }
  const Haste haste;
};

struct NamedInvocation final : backend::Invocation {
  std::shared_ptr<const backend::Primitive> of;
};

/// Has products, which compute nothing.
class SlowLibrary final : public backend::NullBackend {
 public:
  Expected<backend::DeviceInfo> device_info(int device) const override {
    JITNEY_TRY(auto info, NullBackend::device_info(device));
    info.host_memory = false;
    return info;
  }
  bool offers(int, const backend::LibraryCall& call) const override {
    return !std::holds_alternative<backend::AttentionCall>(call);
  }
  Expected<std::shared_ptr<const backend::Primitive>> plan(int, const backend::LibraryCall&,
                                                           const backend::PlanOptions& options) override {
    std::unique_lock lock(mutex_);
    // Until there are as many as are waited for: those that plan one after the other wait in vain.
    ++begun_;
    came_.notify_all();
    if (!came_.wait_for(lock, std::chrono::seconds(5), [&] { return begun_ >= most_ || has_waited_in_vain; }))
      has_waited_in_vain = true;
    planned.push_back(options.haste);
    if (options.haste == refused) return environment_error("not now");
    return std::make_shared<NamedPrimitive>(options.haste);
  }
  void rehearse(int, const backend::LibraryCall& call, const backend::PlanOptions& options) override {
    rehearsed.emplace_back(std::get<backend::MatMulCall>(call).a.shape[0], options.services != nullptr);
  }
  Expected<std::shared_ptr<const backend::PackedWeights>> pack(int, const backend::Primitive&,
                                                               const backend::WeightsSource&) override {
    return std::shared_ptr<const backend::PackedWeights>();
  }
  Expected<std::unique_ptr<backend::Invocation>> invocation(int, std::shared_ptr<const backend::Primitive> primitive,
                                                            std::shared_ptr<const backend::PackedWeights>) override {
    auto made = std::make_unique<NamedInvocation>();
    made->of = std::move(primitive);
    return made;
  }
  Status run(int, backend::Invocation& invocation, std::span<void* const>, void*, backend::StreamHandle) override {
    ran.push_back(dynamic_cast<NamedInvocation&>(invocation).of->implementation());
    return {};
  }

  /// From now on plan() ends only once so many have begun; has_waited_in_vain says whether that came to pass.
  void wait_for(int calls) { most_ = begun_ + calls; }
  bool has_waited_in_vain = false;
  std::optional<Haste> refused;
  std::vector<Haste> planned;
  std::vector<std::pair<std::int64_t, bool>> rehearsed;  // rows, and with services
  std::vector<std::string> ran;

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  int begun_ = 0, most_ = 0;
};

struct Services final : backend::PlanServices {
  Expected<std::vector<std::byte>> compile(const std::string&, const std::string&) override {
    return internal_error("nothing is compiled here");
  }
  std::optional<std::string> recall(const std::string&) override { return std::nullopt; }
  void keep(const std::string&, const std::string&) override {}
  bool times_tactics() const override { return times; }
  bool times = false;
};

class CallsAheadTest : public ::testing::Test {
 protected:
  /// y = x w for any number of rows, or for these.
  void make(std::optional<std::int64_t> rows = std::nullopt) {
    ir::Graph g;
    const ir::Dim n = rows ? ir::Dim(*rows) : ir::Dim::symbol("n");
    if (!rows) g.symbols["n"] = {.min = 2, .max = 64};
    g.inputs = {g.add_value("x", DType::f32, {n, 8})};
    std::mt19937 rng(1);
    const auto w = g.add_constant("w", testing::random_tensor(DType::f32, {8, 8}, rng));
    g.outputs = {g.add_node(ir::Op::matmul, "y", {g.inputs[0], w}, DType::f32, {n, 8})};
    open(std::move(g));
  }
  /// Two convolutions that differ, for any number of images.
  void make_convolutions() {
    ir::Graph g;
    const ir::Dim n = ir::Dim::symbol("n");
    g.symbols["n"] = {};
    g.inputs = {g.add_value("x", DType::f32, {n, 8, 1, 1})};
    ir::ValueId x = g.inputs[0];
    std::mt19937 rng(1);
    for (const std::int64_t channels : {16, 24}) {
      const auto w = testing::random_tensor(DType::f32, {channels, *g.value(x).shape[1].constant(), 1, 1}, rng);
      const std::vector<std::int64_t> ones{1, 1};
      x = g.add_node(ir::Op::conv, fmt::format("y{}", channels), {x, g.add_constant(fmt::format("w{}", channels), w)},
                     DType::f32, {n, channels, 1, 1},
                     {{"strides", ones},
                      {"dilations", ones},
                      {"pads", std::vector<std::int64_t>(4)},
                      {"groups", std::int64_t{1}}});
    }
    g.outputs = {x};
    open(std::move(g));
  }
  void open(ir::Graph g) {
    target_ = {&library_, 0, value_or_throw(library_.device_info(0))};
    program_ = value_or_throw(make_program(EngineImpl(std::move(g)), library_, 0, target_.info));
    executor_ = std::make_unique<Executor>(program_, target_, backend::StreamOptions{}, services_);
    executor_->plan_at_once([&](const Plan& plan) { asked_.push_back(plan.input_shapes[0][0]); });
    ASSERT_TRUE(executor_->prepare());
  }
  void TearDown() override { executor_.reset(); }

  std::shared_ptr<const Plan> plan(std::int64_t rows) {
    return value_or_throw(make_plan(*program_, {{rows, 8}}, target_.info.alignment));
  }
  /// Who did it.
  std::string run(const Plan& plan, bool specialized = false, bool captures = false) {
    void* const in = x_.data();
    void* const out = y_.data();
    value_or_throw(executor_->run(plan, {}, {&in, 1}, {&out, 1}, {.captures = captures, .specialized = specialized}));
    return library_.ran.back();
  }
  /// The plan's kernels of its own, of which there are none, with better calls.
  std::weak_ptr<const CallSet> specialize(const Plan& plan) {
    auto better = value_or_throw(executor_->better_calls(plan));
    std::weak_ptr<const CallSet> made = better;
    const auto cache = cache::make_memory_cache();
    auto forms = value_or_throw(Forms::make(*program_, target_, plan, *cache,
                                            shared_compiler(backend::SourceLanguage::c), {}, std::move(better)));
    plan.forms.move(FormSlot::State::none, FormSlot::State::making);
    plan.forms.put(std::move(forms));
    return made;
  }

  std::vector<float> x_ = std::vector<float>(64 * 8), y_ = x_;
  SlowLibrary library_;
  Target target_;
  std::shared_ptr<Services> services_ = std::make_shared<Services>();
  std::shared_ptr<const Program> program_;
  std::unique_ptr<Executor> executor_;
  std::vector<std::int64_t> asked_;  // for a rehearsal, by a plan of so many rows
};

using Rows = std::vector<std::int64_t>;
using Rehearsed = std::vector<std::pair<std::int64_t, bool>>;

TEST_F(CallsAheadTest, WhoeverWasServedBeforeDoesNotWaitForAShape) {
  make();
  EXPECT_EQ(run(*plan(3)), "good");
  EXPECT_EQ(asked_, Rows{});
  library_.planned.clear();
  EXPECT_EQ(run(*plan(5)), "at once");
  EXPECT_EQ(run(*plan(6)), "at once");
  EXPECT_EQ(asked_, Rows{5});
  EXPECT_EQ(library_.planned, (std::vector{Haste::at_once, Haste::at_once})) << "and once each";
  // Who warms an engine has time.
  const auto warmed = plan(7);
  ASSERT_TRUE(executor_->plan_calls(*warmed));
  EXPECT_EQ(run(*warmed), "good");
}

TEST_F(CallsAheadTest, ConvolutionsOfALaterShapeArePlannedSideBySide) {
  if (usable_cores() < 2) GTEST_SKIP() << "one core";
  make_convolutions();
  const auto plan_of = [&](std::int64_t n) {
    return value_or_throw(make_plan(*program_, {{n, 8, 1, 1}}, target_.info.alignment));
  };
  run(*plan_of(1));
  library_.planned.clear();
  library_.wait_for(2);
  const auto second = plan_of(2);
  run(*second);
  EXPECT_EQ(library_.planned.front(), Haste::at_once);
  EXPECT_FALSE(library_.has_waited_in_vain) << "one after the other";
}

TEST_F(CallsAheadTest, OneShapeOrTimedTacticsAreNeverPlannedAtOnce) {
  make(4);
  EXPECT_EQ(run(*plan(4)), "good");
  EXPECT_EQ(run(*plan(4)), "good");
  EXPECT_EQ(asked_, Rows{});
  services_->times = true;
  make();
  EXPECT_EQ(run(*plan(3)), "good");
  EXPECT_EQ(run(*plan(5)), "good");
  EXPECT_EQ(asked_, Rows{});
}

TEST_F(CallsAheadTest, BetterCallsComeWithTheShapesOwnKernels) {
  make();
  const auto first = plan(3), second = plan(5), later = plan(6);
  run(*first);
  run(*second);
  EXPECT_EQ(value_or_throw(executor_->better_calls(*first)), nullptr) << "as good as they get";
  EXPECT_EQ(value_or_throw(executor_->better_calls(*later)), nullptr);
  EXPECT_EQ(run(*later), "good") << "planned when they were asked for, by whoever had the time";
  library_.planned.clear();
  const auto better = specialize(*second).lock();
  ASSERT_NE(better, nullptr);
  EXPECT_FALSE(better->is_provisional);
  EXPECT_EQ(library_.planned.front(), Haste::ahead);
  EXPECT_EQ(run(*second, true), "good");
  EXPECT_EQ(run(*second, false), "at once") << "a context that wants no specialized kernels";
  EXPECT_EQ(executor_->call_of(*second, 0).first, "good");
  second->forms.drop();
  EXPECT_EQ(run(*second, true), "at once");
}

TEST_F(CallsAheadTest, WhatALibraryRefusesLaterStaysAsItIs) {
  make();
  const auto second = plan(5);
  run(*plan(3));
  run(*second);
  library_.refused = Haste::ahead;
  EXPECT_EQ(value_or_throw(executor_->better_calls(*second)), nullptr) << "the interpreter is no better";
  EXPECT_EQ(run(*second), "at once");
}

TEST_F(CallsAheadTest, AGraphKeepsTheCallsThatItRuns) {
  make();
  const auto second = plan(5);
  run(*plan(3));
  run(*second);
  const auto better = specialize(*second);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(run(*second, true, true), "good");
  ASSERT_GT(executor_->graph_counts().captured, 0);
  second->forms.drop();
  EXPECT_FALSE(better.expired());
  executor_.reset();  // the graph's invocations go back to the calls, which go with it
  EXPECT_TRUE(better.expired());
}

TEST_F(CallsAheadTest, OtherExtentsAreRehearsedTheLikeliestFirst) {
  make();
  const auto p = plan(3);
  std::stop_source stop;
  executor_->rehearse(*p, stop.get_token());
  EXPECT_EQ(library_.rehearsed, (Rehearsed{{4, false},
                                           {2, false},
                                           {8, false},
                                           {16, false},
                                           {32, false},
                                           {64, false},
                                           {4, true},
                                           {2, true},
                                           {8, true},
                                           {16, true},
                                           {32, true},
                                           {64, true}}))
      << "those that the symbol allows, and what is compiled last";
  library_.rehearsed.clear();
  stop.request_stop();
  executor_->rehearse(*p, stop.get_token());
  EXPECT_TRUE(library_.rehearsed.empty());
}

}  // namespace
}  // namespace jitney::runtime
