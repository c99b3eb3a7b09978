// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// What make_schedule decides, and that the emitter does as it says.
#include <gtest/gtest.h>

#include "compiler/emit.h"
#include "golden_graphs.h"
#include "kernel/schedule.h"

namespace jitney::kernel {
namespace {

using Reduction = Schedule::Reduction;
using ir::Dim;

Kernel golden(const std::string& name) {
  for (const auto& g : compiler::test::golden_graphs())
    if (g.name == name) return compiler::test::kernels_of(compiler::test::lowered(g.graph)).at(0);
  throw std::runtime_error("no golden graph " + name);
}

TEST(Schedule, AMapTakesOneVectorAlongTheInnermostAxis) {
  const Kernel k = golden("gelu");
  const Schedule s = make_schedule(k, 64);
  EXPECT_EQ(s.vector_axis, static_cast<int>(k.axes.size()) - 1);
  EXPECT_EQ(s.lanes, 16);
  EXPECT_EQ(make_schedule(k, 32).lanes, 8);
  EXPECT_EQ(s.reduction, Reduction::none);
  EXPECT_EQ(s.registers, 1);
  EXPECT_EQ(s.accumulators, 0);
  EXPECT_EQ(s.points, Dim::symbol("n") * Dim::symbol("m"));
}

TEST(Schedule, ARowIsReducedAcrossTheLanesOfTwoVectors) {
  const Kernel k = golden("softmax");
  const Schedule s = make_schedule(k, 64);
  EXPECT_TRUE(k.axes[static_cast<std::size_t>(s.vector_axis)].reduction);
  EXPECT_EQ(s.reduction, Reduction::across_lanes);
  EXPECT_EQ(s.lanes, 32);
  EXPECT_EQ(s.accumulators, 2) << "one sum a phase, two vectors each";
  EXPECT_EQ(s.points, Dim::symbol("n"));
  EXPECT_EQ(Dim::mod(s.cost_per_point, Dim::symbol("m")), Dim(0)) << "the row's length counts";
  EXPECT_EQ(print(k, s), fmt::format("vector axis r1 (m), 32 lanes, reduction across lanes, 2 phases, 2 accumulators, "
                                     "n points of about {} operations",
                                     s.cost_per_point.to_string()));
}

TEST(Schedule, AMiddleAxisIsReducedInEachLane) {
  const Kernel k = golden("reduce_middle");
  const Schedule s = make_schedule(k, 64);
  EXPECT_FALSE(k.axes[static_cast<std::size_t>(s.vector_axis)].reduction);
  EXPECT_EQ(s.reduction, Reduction::per_lane);
  EXPECT_EQ(s.lanes, 64);
  EXPECT_EQ(s.accumulators, 4);
}

TEST(Schedule, ASmallKnownExtentTakesFewerLanesButNeverFewerThanEight) {
  Kernel k = golden("softmax");
  k.axes.back().extent = 12;
  EXPECT_EQ(make_schedule(k, 64).lanes, 16);
  k.axes.back().extent = 3;
  EXPECT_EQ(make_schedule(k, 64).lanes, 8);
}

TEST(Schedule, OnlyFixedShapesNeedNoTail) {
  Kernel k = golden("softmax");
  k.axes.back().extent = 64;
  EXPECT_TRUE(make_schedule(k, 64).tail);
  EXPECT_FALSE(make_schedule(k, 64, true).tail);
  k.axes.back().extent = 65;
  EXPECT_TRUE(make_schedule(k, 64, true).tail);
}

TEST(Schedule, GrainIsAtLeastOnePoint) {
  EXPECT_EQ(grain(1), 1 << 16);
  EXPECT_EQ(grain(0), 1 << 16);
  EXPECT_EQ(grain(std::int64_t{1} << 40), 1);
}

TEST(Schedule, TheEmitterObeys) {
  const Kernel k = golden("softmax");
  Schedule s = make_schedule(k, 64);
  s.lanes = 8;
  const auto emitted = compiler::emit_c(k, s, {.vector_bytes = 64});
  EXPECT_NE(emitted.defines.find("#define JT_LANES 8\n"), std::string::npos) << emitted.defines;
}

}  // namespace
}  // namespace jitney::kernel
