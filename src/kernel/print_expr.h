// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "kernel/kernel.h"

namespace jitney::kernel {

/// The names of types in generated source, C and CUDA alike.
const char* storage_type(DType t);  ///< "f32", "bf16", "b8" for boolean
const char* compute_type(DType t);  ///< "f32" for f16 and bf16, "i32" for i8 and for masks, ...

/// One operator applied to arguments that are already written, e.g. "a + b" or "jt_exp(x)". All arguments have one
/// form (scalars, or vectors): whoever calls has seen to that. `types` are the arguments' dtypes.
std::string print_operation(const Expr& e, const std::vector<std::string>& args, const std::vector<DType>& types);

/// A literal of its compute type: "1.5f", "-0x1p-3", "INT64_C(3)".
std::string print_literal(const Expr& e);

}  // namespace jitney::kernel
