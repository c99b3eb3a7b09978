// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "backend/cpu/native/native_primitive.h"

namespace jitney::backend::native {

/// Whether attention/ could do this call for registers of so many bytes; extents and strides of -1 do not speak against
/// it.
bool offers(const AttentionCall& call, int vector_bytes);
/// Null where it cannot, and for empty calls. Its run() allocates nothing.
std::shared_ptr<const NativePrimitive> make_attention(const AttentionCall& call, int vector_bytes, int threads);

}  // namespace jitney::backend::native
