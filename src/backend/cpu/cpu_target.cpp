// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/cpu_target.h"

#include <fmt/ranges.h>

#include "util/env.h"

#if defined(__x86_64__)
#include <sys/syscall.h>
#include <unistd.h>
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#else
#error "the CPU backend knows x86-64 and aarch64"
#endif

namespace jitney::backend {
namespace {

#if defined(__x86_64__)

constexpr const char* kTriple = "x86_64-pc-linux-gnu";
constexpr CpuLevel kLevels[] = {{"x86-64", "x86-64", 16},
                                {"x86-64-v2", "x86-64-v2", 16},
                                {"x86-64-v3", "x86-64-v3", 32},
                                {"x86-64-v4", "x86-64-v4", 64}};
constexpr int kV2 = 1, kV3 = 2, kV4 = 3, kNone = 4;

/// The tiles' registers are saved only for processes that ask; whether one may ask is known beforehand.
bool may_use_tiles() {
  constexpr int kGetSupportedComponents = 0x1021, kTileData = 18;
  std::uint64_t components = 0;
  return syscall(SYS_arch_prctl, kGetSupportedComponents, &components) == 0 && (components >> kTileData & 1) != 0;
}

// __builtin_cpu_supports also asks the operating system whether it saves the wide registers. It wants a literal.
#define JITNEY_CPU_HAS(NAME) [] { return __builtin_cpu_supports(NAME) != 0; }
constexpr CpuFeature kFeatures[] = {
    {"avx", "avx", kV2, kV3, JITNEY_CPU_HAS("avx")},
    {"f16c", "f16c", kV2, kV3, JITNEY_CPU_HAS("f16c")},
    {"avx_vnni", "avxvnni", kV3, kNone, JITNEY_CPU_HAS("avxvnni")},
    {"avx512vbmi", "avx512vbmi", kV4, kNone, JITNEY_CPU_HAS("avx512vbmi")},
    {"avx512_vbmi2", "avx512vbmi2", kV4, kNone, JITNEY_CPU_HAS("avx512vbmi2")},
    {"avx512_vnni", "avx512vnni", kV4, kNone, JITNEY_CPU_HAS("avx512vnni")},
    {"avx512_bf16", "avx512bf16", kV4, kNone, JITNEY_CPU_HAS("avx512bf16")},
    {"avx512_fp16", "avx512fp16", kV4, kNone, JITNEY_CPU_HAS("avx512fp16")},
    {"amx_tile", "amx-tile", kV4, kNone, [] { return __builtin_cpu_supports("amx-tile") != 0 && may_use_tiles(); }},
    {"amx_int8", "amx-int8", kV4, kNone, [] { return __builtin_cpu_supports("amx-int8") != 0 && may_use_tiles(); }},
    {"amx_bf16", "amx-bf16", kV4, kNone, [] { return __builtin_cpu_supports("amx-bf16") != 0 && may_use_tiles(); }},
};
#undef JITNEY_CPU_HAS

int detect_level() {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("x86-64-v4")) return kV4;
  if (__builtin_cpu_supports("x86-64-v3")) return kV3;
  return __builtin_cpu_supports("x86-64-v2") ? kV2 : 0;
}

#else

constexpr const char* kTriple = "aarch64-unknown-linux-gnu";
constexpr CpuLevel kLevels[] = {{"aarch64", "generic", 16}};
constexpr int kNone = 1;
constexpr CpuFeature kFeatures[] = {
    {"asimddp", "dotprod", 0, kNone, [] { return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0; }},
    {"asimdhp", "fullfp16", 0, kNone, [] { return (getauxval(AT_HWCAP) & HWCAP_ASIMDHP) != 0; }},
    {"bf16", "bf16", 0, kNone, [] { return (getauxval(AT_HWCAP2) & HWCAP2_BF16) != 0; }},
    {"i8mm", "i8mm", 0, kNone, [] { return (getauxval(AT_HWCAP2) & HWCAP2_I8MM) != 0; }},
};

int detect_level() { return 0; }

#endif

bool fits(const CpuFeature& feature, int level) {
  return level >= feature.from_level && level < feature.implied_by_level;
}

tl::unexpected<Failure> unknown_target(std::string_view text, std::string_view source) {
  std::vector<std::string_view> levels, features;
  for (const auto& level : kLevels) levels.push_back(level.key);
  for (const auto& feature : kFeatures) features.push_back(feature.key);
  return user_error("{} is '{}'; allowed is one of {}, and after it any of +{} that go with it", source, text,
                    fmt::join(levels, ", "), fmt::join(features, " +"));
}

}  // namespace

std::span<const CpuLevel> cpu_levels() { return kLevels; }
std::span<const CpuFeature> cpu_features() { return kFeatures; }

CpuTarget detect_cpu_target() {
  CpuTarget target{.level = detect_level()};
  for (std::size_t i = 0; i < std::size(kFeatures); ++i) {
    if (fits(kFeatures[i], target.level) && kFeatures[i].is_present()) target.features |= 1u << i;
  }
  return target;
}

Expected<CpuTarget> parse_cpu_target(std::string_view text, const CpuTarget& detected, std::string_view source) {
  CpuTarget target{.level = -1};
  bool is_first = true;
  for (std::size_t begin = 0; begin <= text.size(); is_first = false) {
    const auto end = std::min(text.find('+', begin), text.size());
    const auto name = text.substr(begin, end - begin);
    begin = end + 1;
    bool is_known = false;
    for (int level = 0; is_first && level < static_cast<int>(std::size(kLevels)); ++level) {
      if (kLevels[level].key != name) continue;
      target.level = level;
      is_known = true;
    }
    for (std::size_t i = 0; !is_first && i < std::size(kFeatures); ++i) {
      if (kFeatures[i].key != name || !fits(kFeatures[i], target.level)) continue;
      target.features |= 1u << i;
      is_known = true;
    }
    if (!is_known) return unknown_target(text, source);
  }
  // What a level contains, every higher level has.
  std::uint32_t present = detected.features;
  for (std::size_t i = 0; i < std::size(kFeatures); ++i) {
    if (detected.level >= kFeatures[i].implied_by_level) present |= 1u << i;
  }
  if (target.level > detected.level || (target.features & ~present) != 0) {
    return user_error("{} is '{}', which this CPU cannot run; it has {}", source, text, to_string(detected));
  }
  return target;
}

bool compiles_only() {
  static const bool set = env_string("JITNEY_CPU_COMPILE_ONLY").has_value();
  return set;
}

Expected<CpuTarget> choose_cpu_target() {
  static const CpuTarget detected = detect_cpu_target();
  const auto wanted = env_string("JITNEY_CPU_TARGET");
  if (!wanted) return detected;
  if (compiles_only()) {
    constexpr CpuTarget kEverything = {.level = std::size(kLevels) - 1, .features = ~0u};
    return parse_cpu_target(*wanted, kEverything, "JITNEY_CPU_TARGET");
  }
  return parse_cpu_target(*wanted, detected, "JITNEY_CPU_TARGET");
}

std::string to_string(const CpuTarget& target) {
  std::string text(kLevels[target.level].key);
  for (std::size_t i = 0; i < std::size(kFeatures); ++i) {
    if ((target.features >> i & 1) != 0) text.append("+").append(kFeatures[i].key);
  }
  return text;
}

std::vector<std::string> compiler_options(const CpuTarget& target) {
  std::vector<std::string> options{"-triple", kTriple, "-target-cpu", std::string(kLevels[target.level].clang_cpu)};
  for (std::size_t i = 0; i < std::size(kFeatures); ++i) {
    if ((target.features >> i & 1) == 0) continue;
    options.emplace_back("-target-feature");
    options.push_back("+" + std::string(kFeatures[i].clang));
  }
  return options;
}

}  // namespace jitney::backend
