// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Optimization profiles when an engine runs.
#include <gmock/gmock.h>
#include <jitney/scopes.h>
#include <jitney/session.h>

#include "session_support.h"

namespace jitney {
namespace {

using ::testing::HasSubstr;
using testing::SessionTest;
using testing::views;

class ProfilesAtRunTime : public SessionTest {
 protected:
  static Engine ranged() {
    return engine().with_profiles({{{{{1, 1}, {2, 8}, {4, 64}}}}, {{{{1, 32}, {1, 48}, {8, 512}}}}});
  }
  static RuntimeSettings settings(DynamicShapesKernelSpecializationStrategy strategy) {
    auto s = testing::settings_with(RuntimeCacheSetting::memory());
    s.dynamic_shapes_kernel_specialization_strategy = strategy;
    return s;
  }
  std::string refused(Session& session, std::int64_t n, std::int64_t m) {
    const auto x = input(n, m);
    try {
      (void)session.execute(views(x));
      ADD_FAILURE() << n << "x" << m << " ran";
      return "";
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::user);
      return e.what();
    }
  }
};

TEST_F(ProfilesAtRunTime, AutoKeepsSwitchesAndRefuses) {
  Session s(ranged(), {}, settings(DynamicShapesKernelSpecializationStrategy::none));
  run(s, 2, 8);
  EXPECT_EQ(s.optimization_profile(), 0);
  run(s, 8, 512);
  EXPECT_EQ(s.optimization_profile(), 1);
  run(s, 2, 40);
  EXPECT_EQ(s.optimization_profile(), 1) << "the active one fits";
  run(s, 2, 8);
  EXPECT_EQ(s.optimization_profile(), 0);
  EXPECT_THAT(refused(s, 5, 8), HasSubstr("No optimization profile matches: input 'x' has shape [5, 8]"));
  EXPECT_THAT(refused(s, 0, 8), HasSubstr("No optimization profile matches"));
  EXPECT_EQ(s.num_execution_contexts_created(), 1) << "a switch makes no context";
  EXPECT_EQ(s.stats().compiled, s.stats().distinct_kernels);
}

TEST_F(ProfilesAtRunTime, APinHoldsThroughNewContexts) {
  Session s(ranged(), {}, settings(DynamicShapesKernelSpecializationStrategy::none));
  run(s, 2, 8);
  {
    const OptimizationProfileScope pin(s, 1);
    EXPECT_THAT(refused(s, 2, 8), HasSubstr("Optimization profile 1 does not match: input 'x' has shape [2, 8]"));
    run(s, 2, 40);
    s.invalidate_context();
    EXPECT_THAT(refused(s, 2, 8), HasSubstr("profile 1"));
    {
      const OptimizationProfileScope inner(s, kAutoProfile);
      run(s, 2, 8);
    }
    s.set_optimization_profile(0);
    EXPECT_THAT(refused(s, 2, 8), HasSubstr("profile 1")) << "what is set lies beneath scopes";
  }
  EXPECT_THAT(refused(s, 8, 40), HasSubstr("Optimization profile 0 does not match"));
  s.set_optimization_profile(kAutoProfile);
  run(s, 8, 40);
}

TEST_F(ProfilesAtRunTime, AProfileThatIsNotThere) {
  Session s(ranged(), {}, settings(DynamicShapesKernelSpecializationStrategy::none));
  EXPECT_THROW(s.set_optimization_profile(2), Error);
  EXPECT_THROW(s.set_optimization_profile(-2), Error);
  EXPECT_THROW(OptimizationProfileScope(s, 7), Error);
  run(s, 2, 8);
  Session plain(engine(), {}, settings(DynamicShapesKernelSpecializationStrategy::none));
  plain.set_optimization_profile(0);
  run(plain, 100, 100);
  EXPECT_THROW(plain.set_optimization_profile(1), Error);
  Session* const both[] = {&s, &plain};
  EXPECT_THROW(OptimizationProfileScope(both, 1), Error);
  run(s, 2, 8);
}

TEST_F(ProfilesAtRunTime, OptimaHaveKernelsFromTheFirstContextOn) {
  Session s(ranged(), {}, settings(DynamicShapesKernelSpecializationStrategy::lazy));
  run(s, 1, 1);
  EXPECT_TRUE(s.wait_until_specialized(60));
  EXPECT_GE(s.compile_status().specialized, 2U) << "of both profiles, though no such shape was seen";
  Session none(ranged(), {}, settings(DynamicShapesKernelSpecializationStrategy::none));
  run(none, 1, 1);
  EXPECT_EQ(none.compile_status().specialized, 0U);
}

TEST_F(ProfilesAtRunTime, WarmKeepsToTheProfiles) {
  Session s(ranged(), {}, settings(DynamicShapesKernelSpecializationStrategy::lazy));
  const std::vector<std::vector<std::vector<std::int64_t>>> inside{{{4, 64}}}, outside{{{5, 8}}};
  s.warm(inside);
  EXPECT_THROW(s.warm(outside), Error);
}

}  // namespace
}  // namespace jitney
