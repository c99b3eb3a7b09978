// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/kernel_report.h"

namespace jitney::cli {
namespace {

const ir::Dim n = ir::Dim::symbol("n"), found = ir::Dim::symbol("found");

runtime::KernelReport report() {
  runtime::KernelReport r;
  r.target = "somewhere";
  r.distinct_kernels = 1;
  runtime::KernelReport::Step step;
  step.name = "norm\xff";  // names come from the model and need not be UTF-8
  step.done_by = "kernel 0";
  step.operators = {"add", "relu"};
  step.axes = {{.name = "i0", .extent = n, .vector = true}};
  step.schedule = "vector axis i0 (n), 16 lanes";
  step.operands = {{.name = "x", .moves = "contiguous"}, {.name = "y", .output = true, .moves = "contiguous"}};
  step.bytes = {ir::Dim(4) * n, ir::Dim(4) * n};
  r.steps = {step};
  r.fusion = {.operators = 2, .steps = 1, .unfused = {ir::Dim(8) * n, ir::Dim(8) * n}, .fused = step.bytes};
  return r;
}

TEST(KernelReport, BytesAreExpressionsAndNumbers) {
  const Extents extents{.values = {{"n", 6}}, .assumed = {}};
  const auto json = nlohmann::json::parse(to_json(report(), extents));
  EXPECT_EQ(json["steps"][0]["bytes"]["read"]["expression"], "4*n");
  EXPECT_EQ(json["steps"][0]["bytes"]["read"]["value"], 24);
  EXPECT_EQ(json["fusion"]["ratio"], 0.5);
  const std::string text = to_text(report(), extents);
  EXPECT_NE(text.find("bytes      read 4*n = 24; written 4*n = 24\n"), std::string::npos) << text;
  EXPECT_NE(text.find("== fusion: 2 operators in 1 steps =="), std::string::npos) << text;
}

TEST(KernelReport, ASymbolThatOnlyDataDecidesHasNoNumber) {
  auto r = report();
  r.steps[0].bytes.read = found;
  r.fusion.fused.read = found;
  const Extents extents{.values = {{"n", 6}}, .assumed = {}};
  const auto json = nlohmann::json::parse(to_json(r, extents));
  EXPECT_TRUE(json["steps"][0]["bytes"]["read"]["value"].is_null());
  EXPECT_TRUE(json["fusion"]["ratio"].is_null());
  EXPECT_NE(to_text(r, extents).find("read found; written"), std::string::npos);
}

TEST(KernelReport, NothingMovedHasNoRatio) {
  const auto json = nlohmann::json::parse(to_json(report(), {.values = {{"n", 0}}, .assumed = {}}));
  EXPECT_TRUE(json["fusion"]["ratio"].is_null());
  EXPECT_EQ(json["steps"][0]["bytes"]["read"]["value"], 0);
}

}  // namespace
}  // namespace jitney::cli
