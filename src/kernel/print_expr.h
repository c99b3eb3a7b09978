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

/// "sum", "product", "max" or "min": how accumulators are combined. True is -1 in a mask, so the maximum of masks is
/// the smaller integer.
const char* fold_name(const Reduction& r);
/// Accumulators a and b as one: "a + b", "jt_max(a, b)".
std::string print_combined(const Reduction& r, const std::string& a, const std::string& b);
/// What leaves everything as it is that it is combined with. lowest and highest: how a language writes the infinities.
std::string print_identity(const Reduction& r, const std::string& lowest, const std::string& highest);

}  // namespace jitney::kernel
