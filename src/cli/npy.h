// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/tensor.h>

#include <optional>
#include <string>

#include "util/expected.h"

/// Tensors as numpy's .npy files, format versions 1 to 3. numpy has no bfloat16: such tensors are written as uint16,
/// their bit patterns, and read from uint16 or from the raw '<V2' that ml_dtypes writes.
namespace jitney::cli {

/// Reads a whole file into a row-major tensor; column-major ("Fortran order") data is rearranged. `wanted` decides
/// only whether 16-bit patterns are taken for bfloat16: the caller compares dtypes. Error(user) with one sentence
/// naming the file when it is missing, no .npy, truncated, or of a dtype that Jitney has not (big-endian, object,
/// complex, text); nothing is allocated before the file is known to hold as much. Error(environment) when memory or the
/// disk fails.
Expected<Tensor> read_npy(const std::string& path, std::optional<DType> wanted);

/// Writes `path` anew, whole or not at all. Error(environment) naming the file when the disk is full.
Status write_npy(const std::string& path, const Tensor& tensor);

}  // namespace jitney::cli
