// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/error.h>
#include <nanobind/nanobind.h>

namespace jitney::python {

/// Runs `work` without the GIL.
template <class Work>
void without_gil(const Work& work) {
  nanobind::gil_scoped_release released;
  work();
}

}  // namespace jitney::python
