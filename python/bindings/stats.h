// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/compile_status.h>
#include <jitney/execution_context.h>
#include <nanobind/nanobind.h>

namespace jitney::python {

/// Python's jitney.Stats and jitney.CompileStatus, field by field.
nanobind::dict to_dict(const ContextStats& stats);
nanobind::dict to_dict(const CompileStatus& status);

}  // namespace jitney::python
