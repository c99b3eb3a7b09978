// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/error.h>
#include <nanobind/nanobind.h>

#include "bindings/gil.h"

namespace jitney::python {

/// ContextOptions::interrupted: runs Python's signal handlers, as Python itself does it between two instructions (in
/// the main thread only). True when one raised; the exception then waits in this thread.
bool signal_is_pending();

/// Runs `work` without the GIL. What a signal handler raised meanwhile (KeyboardInterrupt) goes on instead of the Error
/// that it led to.
template <class Work>
void without_gil(const Work& work) {
  try {
    GilReleased released;
    work();
  } catch (const Error&) {
    if (PyErr_Occurred() != nullptr) throw nanobind::python_error();
    throw;
  }
}

}  // namespace jitney::python
