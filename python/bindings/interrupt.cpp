// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "bindings/interrupt.h"

#include "bindings/gil.h"

namespace jitney::python {

bool signal_is_pending() {
  const GilAcquired acquired;
  return PyErr_CheckSignals() != 0;
}

}  // namespace jitney::python
