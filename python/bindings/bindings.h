// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nanobind/nanobind.h>

/// The module `jitney._jitney`: one function a topic, each in the file of its name. What it defines is internal to the
/// package; the names that users see are those of python/jitney/__init__.py.
namespace jitney::python {

/// jitney::Error becomes one of three Python exceptions, which the module defines.
void bind_errors(nanobind::module_& module);
void bind_engine(nanobind::module_& module);
void bind_runtime_cache(nanobind::module_& module);
void bind_settings(nanobind::module_& module);
void bind_cudagraphs_mode(nanobind::module_& module);
void bind_observation(nanobind::module_& module);
void bind_session(nanobind::module_& module);

}  // namespace jitney::python
