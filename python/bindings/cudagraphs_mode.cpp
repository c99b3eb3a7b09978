// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <jitney/cudagraphs_mode.h>

#include "bindings/bindings.h"
#include "bindings/scope.h"

namespace jitney::python {

namespace nb = nanobind;

void bind_cudagraphs_mode(nb::module_& module) {
  module.def("cudagraphs_mode", [] { return static_cast<int>(cudagraphs_mode()); });
  module.def("set_cudagraphs_mode", [](int mode) { set_cudagraphs_mode(static_cast<CudaGraphsMode>(mode)); });
  bind_scope<CudaGraphsModeScope, int>(module, "CudaGraphsModeScope",
                                       [](auto& guard, int mode) { guard.emplace(static_cast<CudaGraphsMode>(mode)); });
}

}  // namespace jitney::python
