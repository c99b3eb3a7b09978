// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/onednn/choose.h"

namespace jitney::backend::onednn {
namespace {

/// Instead of an implementation whose name is, or begins with, `taken`, the next one listed that begins with `better`.
struct Preference {
  std::string_view taken;
  bool is_prefix;
  std::string_view better;
  bool (*applies)(const Recipe& recipe);
};

/// oneDNN's order is tuned for processors of its own maker, which were not measured.
bool is_other_maker() {
#if defined(__x86_64__)
  static const bool is_amd = [] {
    __builtin_cpu_init();
    return __builtin_cpu_is("amd") != 0;
  }();
  return is_amd;
#else
  return false;
#endif
}
bool is_amd(const Recipe&) { return is_other_maker(); }

/// Half of a wide register would do nothing; these processors compute as fast with narrow ones.
bool is_narrow(const Recipe& r) { return is_other_maker() && !r.is_strided && r.columns % 16 == 8 && r.columns <= 24; }
bool is_small_or_strided(const Recipe& r) { return is_other_maker() && (r.is_strided || r.rows <= 196); }

/// b is not packed, so the general implementation copies it on every run; for few rows that is most of the work.
bool has_few_rows(const Recipe& r) { return !r.constant_weights && r.rows > 0 && r.rows <= 64; }
bool has_one_row(const Recipe& r) { return !r.constant_weights && r.rows == 1; }

// Measured on two cores of Zen 4 with oneDNN 3.2, channels-last, one image:
//  - depthwise 3x3 of MobileNetV2: brdgmm_dw takes 1.2 to 2 times as long as jit_dw;
//  - convolutions of ResNet-18: brgconv is never faster than jit (0 to 1 % slower) and takes twice as long to compile;
//  - 1x1, strided or of at most 14x14 pixels: brgconv_1x1 takes 0.98 to 1.18 times as long as jit, and twice to
//  compile;
//  - 1x1 into 24 channels: 130 us become 99;
//  - matmul of 1 to 64 rows with b of 1024x4096 as it is: brg takes 4.4 to 1.1 times as long as gemm.
constexpr Preference kPreferences[] = {
    {"brdgmm_dw:", true, "jit_dw:", is_amd},
    {"brgconv:avx512_core", false, "jit:avx512_core", is_amd},
    {"brgconv:avx512_core_bf16", false, "jit_bf16:avx512_core_bf16", is_amd},
    {"brgconv_1x1:avx512_core", false, "jit:avx512_core", is_small_or_strided},
    {"brgconv_1x1:avx512_core_bf16", false, "jit_bf16:avx512_core_bf16", is_small_or_strided},
    {"brgconv_1x1:avx512_core", false, "brgconv_1x1:avx2", is_narrow},
    {"brg:avx512_core", false, "gemm:jit", has_few_rows},
    {"brg:avx512_core_bf16", false, "gemm:jit", has_one_row},
};

}  // namespace

Expected<Description> choose(const Create& create, const Recipe& recipe) {
  JITNEY_TRY(auto first, create());
  const std::string name = implementation(first.get());
  for (const auto& p : kPreferences) {
    if (!(p.is_prefix ? name.starts_with(p.taken) : name == p.taken) || !p.applies(recipe)) continue;
    // Moving on to the next implementation is for good, and a clone cannot move: `first` stays for when none is better.
    JITNEY_TRY(auto next, create());
    while (api().primitive_desc_next_impl(next.get()) == dnnl_success) {
      const std::string other = implementation(next.get());
      if (is_reference(other)) break;
      if (other.starts_with(p.better)) return next;
    }
  }
  return first;
}

}  // namespace jitney::backend::onednn
