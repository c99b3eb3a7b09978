// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "util/expected.h"

/// Which instructions compiled code may use. A target is a level, as compilers and distributions name them, and the
/// features beyond it that generated code gains from.
namespace jitney::backend {

struct CpuLevel {
  std::string_view key;        ///< in target keys and JITNEY_CPU_TARGET: "x86-64-v3"
  std::string_view clang_cpu;  ///< for -target-cpu
  int vector_bytes;
};

struct CpuFeature {
  std::string_view key;    ///< "avx512_bf16", the name in /proc/cpuinfo
  std::string_view clang;  ///< for -target-feature: "avx512bf16"
  int from_level;          ///< the lowest level that it can join
  int implied_by_level;    ///< the level that contains it, where the key does not repeat it
  bool (*is_present)();    ///< the CPU has it and the operating system saves its registers
};

/// Of the architecture this was compiled for, lowest level first.
std::span<const CpuLevel> cpu_levels();
std::span<const CpuFeature> cpu_features();

struct CpuTarget {
  int level = 0;               ///< index into cpu_levels()
  std::uint32_t features = 0;  ///< bit i: cpu_features()[i]
  friend bool operator==(const CpuTarget&, const CpuTarget&) = default;
};

/// What this machine can run.
CpuTarget detect_cpu_target();

/// Parses a target like "x86-64-v3+avx_vnni"; a level without features has none. Error(user) for a name that does not
/// exist and for anything that `detected` lacks. `source` says in the message where the text came from.
Expected<CpuTarget> parse_cpu_target(std::string_view text, const CpuTarget& detected, std::string_view source);

/// Whether this process compiles and runs nothing (JITNEY_CPU_COMPILE_ONLY): then its target may be any processor of
/// this architecture, and what libraries offer there is what counts.
bool compiles_only();

/// What detect_cpu_target() says, or the target that JITNEY_CPU_TARGET names: a lower one, unless compiles_only().
Expected<CpuTarget> choose_cpu_target();

/// "x86-64-v4+avx512_vnni+avx512_bf16". parse_cpu_target reads it back.
std::string to_string(const CpuTarget& target);

/// Arguments of clang -cc1: triple, processor, features.
std::vector<std::string> compiler_options(const CpuTarget& target);

}  // namespace jitney::backend
