// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "bindings/settings.h"

#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>

#include <utility>

#include "bindings/bindings.h"
#include "bindings/file_paths.h"

namespace jitney::python {

namespace nb = nanobind;

RuntimeCacheSetting cache_setting_from(nb::handle object) {
  if (object.is_none()) return RuntimeCacheSetting::memory();
  if (nb::isinstance<RuntimeCache>(object)) return nb::cast<std::shared_ptr<RuntimeCache>>(object);
  return file_path(object);
}

nb::object cache_setting_to(const RuntimeCacheSetting& setting) {
  if (setting.handle()) return nb::cast(setting.handle());
  if (setting.is_memory()) return nb::none();
  return path_text(setting.path());
}

RuntimeSettings settings_from(const nb::tuple& fields) {
  RuntimeSettings s;
  s.dynamic_shapes_kernel_specialization_strategy =
      from_underlying<DynamicShapesKernelSpecializationStrategy>(nb::cast<std::int64_t>(fields[0]));
  s.cuda_graph_strategy = from_underlying<CudaGraphStrategy>(nb::cast<std::int64_t>(fields[1]));
  s.runtime_cache = cache_setting_from(fields[2]);
  return s;
}

nb::tuple settings_to(const RuntimeSettings& s) {
  return nb::make_tuple(static_cast<int>(s.dynamic_shapes_kernel_specialization_strategy),
                        static_cast<int>(s.cuda_graph_strategy), cache_setting_to(s.runtime_cache));
}

namespace {

/// One row: (name, flag, variable, values, fallback, doc).
nb::list table() {
  nb::list rows;
  for (const SettingInfo& row : runtime_settings_table()) {
    nb::list fields;
    for (const std::string_view text : {row.name, row.flag, row.variable, row.values, row.fallback, row.doc})
      fields.append(std::string(text));
    rows.append(nb::tuple(fields));
  }
  return rows;
}

}  // namespace

void bind_settings(nb::module_& module) {
  module.def("runtime_settings_table", &table);
  module.def("runtime_settings_defaults", [] { return settings_to(RuntimeSettings{}); });
  module.def("runtime_settings_of_environment", [] { return settings_to(default_runtime_settings()); });
  module.def("runtime_settings_text", [](const nb::tuple& fields) { return to_string(settings_from(fields)); });
  module.def("default_cache_path", [] { return path_text(default_cache_path()); });
}

}  // namespace jitney::python
