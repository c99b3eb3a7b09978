// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nanobind/nanobind.h>

#include <chrono>
#include <thread>

namespace jitney::python {

/// Python before 3.14 ends a daemon thread that wants the GIL of an interpreter that has ended by unwinding its stack,
/// which stops at the first destructor and ends the process. Here such a thread waits for ever, as in later versions;
/// the process' end takes it along.
[[noreturn]] inline void wait_for_the_end() {
  for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}

/// Without the GIL from here to the end of the scope.
class GilReleased {
 public:
  GilReleased() : state_(PyEval_SaveThread()) {}
  ~GilReleased() {
    try {
      PyEval_RestoreThread(state_);
    } catch (...) {
      wait_for_the_end();
    }
  }
  GilReleased(const GilReleased&) = delete;
  GilReleased& operator=(const GilReleased&) = delete;

 private:
  PyThreadState* state_;
};

/// With the GIL, in any thread.
class GilAcquired {
 public:
  GilAcquired() : state_(acquire()) {}
  ~GilAcquired() { PyGILState_Release(state_); }
  GilAcquired(const GilAcquired&) = delete;
  GilAcquired& operator=(const GilAcquired&) = delete;

 private:
  static PyGILState_STATE acquire() {
    try {
      return PyGILState_Ensure();
    } catch (...) {
      wait_for_the_end();
    }
  }
  const PyGILState_STATE state_;
};

}  // namespace jitney::python
