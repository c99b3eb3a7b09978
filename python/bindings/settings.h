// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/runtime_settings.h>
#include <nanobind/nanobind.h>

namespace jitney::python {

/// None is memory, a RuntimeCache a handle, str, bytes and os.PathLike are paths. Throws TypeError for anything else.
RuntimeCacheSetting cache_setting_from(nanobind::handle object);
/// None, a RuntimeCache or a str.
nanobind::object cache_setting_to(const RuntimeCacheSetting& setting);

/// RuntimeSettings as (int, int, cache), which is the form in which they come to C++ and go back.
RuntimeSettings settings_from(const nanobind::tuple& fields);
nanobind::tuple settings_to(const RuntimeSettings& settings);

}  // namespace jitney::python
