// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "bindings/bindings.h"

NB_MODULE(_jitney, module) {
  using namespace jitney::python;
  // What other libraries keep until the process ends is no mistake: PyTorch keeps the operators that hold engines.
  nanobind::set_leak_warnings(false);
  module.doc() = "The C++ side of the package jitney.";
  module.attr("__version__") = JITNEY_VERSION;
  bind_errors(module);
  bind_engine(module);
  bind_runtime_cache(module);
  bind_settings(module);
  bind_cudagraphs_mode(module);
  bind_observation(module);
  bind_session(module);
}
