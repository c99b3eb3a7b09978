// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace jitney::backend {

/// While it lives, this thread treats denormal numbers as zero, in operands and results: arithmetic on them is up to
/// 200 times slower. Restores the thread's mode afterwards, because the thread may be the caller's own or shared with
/// other users of OpenMP. Costs a register read where the mode is set already.
class FlushDenormals {
 public:
  FlushDenormals() : saved_(read()) {
    if ((saved_ & kFlush) != kFlush) write(saved_ | kFlush);
  }
  ~FlushDenormals() {
    // Only the mode goes back: the exception flags that the kernel raised stay, as after any arithmetic.
    if ((saved_ & kFlush) != kFlush) write((read() & ~kFlush) | (saved_ & kFlush));
  }
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
#if defined(__x86_64__)
  using Register = std::uint32_t;
  static constexpr Register kFlush = 0x8040;  // MXCSR: flush to zero, denormals are zero
  static Register read() { return _mm_getcsr(); }
  static void write(Register value) { _mm_setcsr(value); }
#elif defined(__aarch64__)
  using Register = std::uint64_t;
  static constexpr Register kFlush = 1u << 24;  // FPCR: FZ
  static Register read() {
    Register value;
    __asm__ volatile("mrs %0, fpcr" : "=r"(value));
    return value;
  }
  static void write(Register value) { __asm__ volatile("msr fpcr, %0" : : "r"(value)); }
#else
  using Register = std::uint32_t;
  static constexpr Register kFlush = 0;
  static Register read() { return 0; }
  static void write(Register) {}
#endif
  Register saved_;
};

}  // namespace jitney::backend
