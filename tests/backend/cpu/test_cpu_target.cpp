// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "backend/cpu/cpu_target.h"

namespace jitney::backend {
namespace {

CpuTarget everything() {
  CpuTarget target{.level = static_cast<int>(cpu_levels().size()) - 1};
  for (std::size_t i = 0; i < cpu_features().size(); ++i) {
    const auto& feature = cpu_features()[i];
    if (target.level >= feature.from_level && target.level < feature.implied_by_level) target.features |= 1u << i;
  }
  return target;
}

TEST(CpuTarget, KeysAreDistinct) {
  std::set<std::string_view> keys;
  for (const auto& level : cpu_levels()) EXPECT_TRUE(keys.insert(level.key).second);
  for (const auto& feature : cpu_features()) EXPECT_TRUE(keys.insert(feature.key).second);
}

TEST(CpuTarget, TextIsReadBack) {
  for (const auto& target : {everything(), detect_cpu_target(), CpuTarget{}}) {
    const auto parsed = parse_cpu_target(to_string(target), everything(), "test");
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(*parsed, target);
  }
}

TEST(CpuTarget, UnknownNamesListTheAllowed) {
  for (const std::string text : {"x", "x86-64-v9", "X86-64", "native", "+", "x86-64+", "x86-64+mmx", "x86-64 ",
                                 "+avx512_bf16", "x86-64-v3+x86-64"}) {
    const auto parsed = parse_cpu_target(text, everything(), "JITNEY_CPU_TARGET");
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().kind, ErrorKind::user);
    for (const auto part : {std::string_view("JITNEY_CPU_TARGET"), cpu_levels()[0].key, cpu_features()[0].key}) {
      EXPECT_NE(parsed.error().message.find(part), std::string::npos) << parsed.error().message;
    }
  }
}

TEST(CpuTarget, NeverAboveTheCpu) {
  const CpuTarget lowest{};
  for (int level = 1; level < static_cast<int>(cpu_levels().size()); ++level) {
    const auto parsed = parse_cpu_target(cpu_levels()[static_cast<std::size_t>(level)].key, lowest, "test");
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().kind, ErrorKind::user);
    EXPECT_NE(parsed.error().message.find(to_string(lowest)), std::string::npos) << parsed.error().message;
  }
  for (std::size_t i = 0; i < cpu_features().size(); ++i) {
    CpuTarget without = everything();
    if ((without.features >> i & 1) == 0) continue;
    without.features &= ~(1u << i);
    const auto wanted = to_string({.level = everything().level, .features = 1u << i});
    EXPECT_TRUE(parse_cpu_target(wanted, everything(), "test"));
    EXPECT_FALSE(parse_cpu_target(wanted, without, "test")) << wanted;
  }
}

#if defined(__x86_64__)
TEST(CpuTarget, WhatALevelContainsIsPresentAboveIt) {
  const CpuTarget v3{.level = 2};
  EXPECT_TRUE(parse_cpu_target("x86-64-v2+avx+f16c", v3, "test"));
  EXPECT_FALSE(parse_cpu_target("x86-64-v2+avx+f16c", CpuTarget{.level = 1}, "test"));
  EXPECT_FALSE(parse_cpu_target("x86-64-v3+avx", v3, "test")) << "v3 has it already: one target, one key";
}

TEST(CpuTarget, WideVectorsNeedTheLevel) {
  EXPECT_EQ(cpu_levels()[0].vector_bytes, 16);
  EXPECT_EQ(cpu_levels()[2].vector_bytes, 32);
  EXPECT_EQ(cpu_levels()[3].vector_bytes, 64);
}

TEST(CpuTarget, AgreesWithTheKernelsView) {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line) && !line.starts_with("flags")) {
  }
  line += ' ';
  const auto target = detect_cpu_target();
  for (std::size_t i = 0; i < cpu_features().size(); ++i) {
    const auto& feature = cpu_features()[i];
    if (target.level < feature.from_level || target.level >= feature.implied_by_level) continue;
    const bool listed = line.find(' ' + std::string(feature.key) + ' ') != std::string::npos;
    EXPECT_EQ((target.features >> i & 1) != 0, listed) << feature.key;
  }
  EXPECT_EQ(target.level >= 3, line.find(" avx512vl ") != std::string::npos);
}
#endif

TEST(CpuTarget, EnvironmentLowersIt) {
  const auto lowest = std::string(cpu_levels()[0].key);
  setenv("JITNEY_CPU_TARGET", lowest.c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
  const auto lowered = choose_cpu_target();
  setenv("JITNEY_CPU_TARGET", "8086", 1);  // NOLINT(concurrency-mt-unsafe)
  const auto refused = choose_cpu_target();
  unsetenv("JITNEY_CPU_TARGET");  // NOLINT(concurrency-mt-unsafe)
  ASSERT_TRUE(lowered);
  EXPECT_EQ(to_string(*lowered), lowest);
  EXPECT_FALSE(refused);
  EXPECT_EQ(*choose_cpu_target(), detect_cpu_target());
}

TEST(CpuTarget, ClangKnowsTheOptions) {
  const std::string clang = "/usr/lib/llvm-19/bin/clang";
  if (!std::filesystem::exists(clang)) GTEST_SKIP() << "there is no " << clang;
  const std::string source = JITNEY_TEST_OUTPUT "/options.c", log = JITNEY_TEST_OUTPUT "/options.log";
  std::ofstream(source) << "float f(float x) { return x * x; }\n";
  for (int level = 0; level < static_cast<int>(cpu_levels().size()); ++level) {
    CpuTarget target{.level = level};
    for (std::size_t i = 0; i < cpu_features().size(); ++i) {
      if (level >= cpu_features()[i].from_level && level < cpu_features()[i].implied_by_level)
        target.features |= 1u << i;
    }
    std::string command = clang + " -cc1 -S -O1 -o /dev/null";
    for (const auto& option : compiler_options(target)) command += " " + option;
    command += " " + source + " > " + log + " 2>&1";
    const int status = std::system(command.c_str());  // NOLINT(concurrency-mt-unsafe,cert-env33-c)
    std::ifstream said(log);
    const std::string text{std::istreambuf_iterator<char>(said), {}};
    EXPECT_EQ(status, 0) << command << "\n" << text;
    EXPECT_EQ(text, "") << command;  // an unknown feature is only a warning
  }
}

}  // namespace
}  // namespace jitney::backend
