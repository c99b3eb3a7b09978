// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nanobind/nanobind.h>

#include <string>

namespace jitney::python {

/// str, bytes or os.PathLike in the file system's encoding (os.fsencode), so that every name that a system has comes
/// through. Throws TypeError for anything else, ValueError for a NUL.
std::string file_path(nanobind::handle object);

/// The str of a path (os.fsdecode).
nanobind::object path_text(const std::string& path);

/// Text that may have bytes that are none: such bytes are replaced.
nanobind::object text(const std::string& bytes);

}  // namespace jitney::python
