// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace jitney::backend {

/// While it lives, this thread treats denormal numbers as zero, in operands and results: arithmetic on them is up to
/// 200 times slower. Or, where a stream wants them, computes with them, whatever the caller does. Restores the thread's
/// mode afterwards, because the thread may be the caller's own or shared with other users of OpenMP. Costs a register
/// read where the mode is set already.
class FlushDenormals {
 public:
#if defined(__x86_64__)
  using Mode = std::uint32_t;
#elif defined(__aarch64__)
  using Mode = std::uint64_t;
#else
  using Mode = std::uint32_t;
#endif
  explicit FlushDenormals(bool flush) : saved_(set(flush)) {}
  ~FlushDenormals() { restore(saved_); }
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

  /// Sets the mode; gives what restore() takes.
  static Mode set(bool flush) {
    const Mode before = read(), wanted = flush ? before | kFlush : before & ~kFlush;
    if (before != wanted) write(wanted);
    return before;
  }
  static void restore(Mode before) {
    // Only the mode goes back: the exception flags that the kernel raised stay, as after any arithmetic.
    const Mode now = read(), wanted = (now & ~kFlush) | (before & kFlush);
    if (now != wanted) write(wanted);
  }
  /// Whether this thread flushes now.
  static bool is_set() { return kFlush != 0 && (read() & kFlush) == kFlush; }

 private:
#if defined(__x86_64__)
  static constexpr Mode kFlush = 0x8040;  // MXCSR: flush to zero, denormals are zero
  static Mode read() { return _mm_getcsr(); }
  static void write(Mode value) { _mm_setcsr(value); }
#elif defined(__aarch64__)
  static constexpr Mode kFlush = 1u << 24;  // FPCR: FZ
  static Mode read() {
    Mode value;
    __asm__ volatile("mrs %0, fpcr" : "=r"(value));
    return value;
  }
  static void write(Mode value) { __asm__ volatile("msr fpcr, %0" : : "r"(value)); }
#else
  static constexpr Mode kFlush = 0;
  static Mode read() { return 0; }
  static void write(Mode) {}
#endif
  Mode saved_;
};

}  // namespace jitney::backend
