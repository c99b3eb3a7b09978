// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <jitney/logging.h>
#include <jitney/metrics.h>
#include <jitney/trace.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "bindings/bindings.h"
#include "bindings/file_paths.h"
#include "bindings/gil.h"
#include "bindings/scope.h"

namespace jitney::python {

namespace nb = nanobind;

void bind_observation(nb::module_& module) {
  module.def("log_level", [] { return static_cast<int>(log_level()); });
  module.def("set_log_level", [](int level) { set_log_level(static_cast<LogLevel>(level)); });
  bind_scope<LogScope, int>(module, "LogScope",
                            [](auto& guard, int level) { guard.emplace(static_cast<LogLevel>(level)); });

  module.def("start_trace", [](nb::handle path) { start_trace(file_path(path)); });
  module.def("stop_trace", &stop_trace, nb::call_guard<GilReleased>());
  module.def("is_tracing", &is_tracing);
  bind_scope<CorrelationId, std::string>(module, "CorrelationId",
                                         [](auto& guard, const std::string& id) { guard.emplace(id); });
  bind_scope<TraceScope, std::string>(module, "TraceScope",
                                      [](auto& guard, const std::string& name) { guard.emplace(name); });

  nb::class_<Metric>(module, "Metric")
      .def_ro("name", &Metric::name)
      .def_ro("labels", &Metric::labels)
      .def_ro("value", &Metric::value)
      .def_ro("help", &Metric::help)
      .def_prop_ro("key", &Metric::key)
      .def_prop_ro("is_counter", [](const Metric& m) { return m.type == Metric::Type::counter; });
  module.def("process_metrics", [] { return metrics(); });
  module.def("to_prometheus", &to_prometheus);
}

}  // namespace jitney::python
