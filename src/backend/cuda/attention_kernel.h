// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "backend/cuda/own_kernels.h"

/// Attention by the backend's own kernels: for f16 and bf16 with few keys (kernels/attention.inc), where it needs no
/// workspace and no second launch, which cuDNN's takes longer for than for the attention; and for f32, which cuDNN does
/// not do (kernels/attention_f32.inc).
namespace jitney::backend::cuda {

/// Whether attention is in f32 and the kernel for that takes it, whatever the extents that are not known (-1), and
/// whatever the strides.
bool is_attention_in_f32(const AttentionCall& call);

/// Whether a kernel takes such a call, all of whose extents and strides are known, and is the faster one.
bool is_for_attention_kernel(const AttentionCall& call, int compute_capability);

/// How many of a block's warps divide the keys between them, 1, 2 or 4: the more, the fewer rows a block has, until
/// there are blocks for all multiprocessors.
int attention_split(const AttentionCall& call, int multiprocessors);
/// What the kernel is compiled from, behind the prelude.
std::string attention_source(const AttentionCall& call, int split);

/// At once it is one that is loaded, if there is any, for another division of the keys; and in f32 one for another
/// division where the right one cannot be had. `options` has services.
Expected<std::shared_ptr<const KernelPrimitive>> plan_attention_kernel(OwnKernels& kernels, int device,
                                                                       int multiprocessors, const AttentionCall& call,
                                                                       const PlanOptions& options);

}  // namespace jitney::backend::cuda
