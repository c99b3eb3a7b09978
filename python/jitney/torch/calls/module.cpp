// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// jitney._torch_calls; nothing else.

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>
#include <torch/version.h>

#include "jitney/torch/calls/engine_call.h"
#include "jitney/torch/calls/weights.h"

namespace {

/// Inlined into this module is how torch lays out its objects, in the version that it was built for.
void require_torch() {
  const auto found = nanobind::cast<std::string>(nanobind::module_::import_("torch").attr("__version__"));
  if (found.substr(0, found.find('+')) == TORCH_VERSION) return;
  throw nanobind::import_error(("built for torch " TORCH_VERSION ", and this is " + found).c_str());
}

}  // namespace

NB_MODULE(_torch_calls, module) {
  namespace nb = nanobind;
  require_torch();
  using namespace jitney::torch_runtime;
  nb::set_leak_warnings(false);  // as in _jitney
  module.doc() = "What a PyTorch program in Python does at each call of an engine.";
  nb::class_<EngineCall>(module, "EngineCall").def(nb::init<std::int64_t>()).def("__call__", &EngineCall::call);
  nb::class_<Weights>(module, "Weights")
      .def(nb::init<nb::tuple, std::vector<Py_ssize_t>>())
      .def("are_in", &Weights::are_in);
}
