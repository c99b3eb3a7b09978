// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <oneapi/dnnl/dnnl_types.h>

#include "backend/library_call.h"
#include "util/expected.h"

namespace jitney::backend::onednn {

/// How an operand of a post-operation lies over the output.
enum class Spread : std::uint8_t {
  full,         ///< one value an element
  per_channel,  ///< one along the last axis
  scalar,       ///< one
  partial       ///< anything else: no implementation is fast
};
/// Axes of extent 1 are spread by nothing.
Spread spread_of(const TensorDesc& operand, const TensorDesc& output);

/// Whether strides are row-major without holes. Axes of extent 1, and what is not known yet, may be anything.
bool is_contiguous(const TensorDesc& t);

/// Number of elements; -1 when an extent is not known.
std::int64_t element_count(const TensorDesc& t);

/// Whether the call is one that oneDNN does fast with these instructions. Extents of -1 are not known yet and taken to
/// fit. Error(environment) says what does not fit.
Status validate(const LibraryCall& call, dnnl_cpu_isa_t isa);

}  // namespace jitney::backend::onednn
