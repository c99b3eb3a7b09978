# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""How engines run: settings, caches of compiled kernels, and scopes that change both for a while.

    from jitney.runtime import RuntimeSettings, runtime_cache, runtime_config
    engine.runtime_settings = RuntimeSettings(dynamic_shapes_kernel_specialization_strategy="eager")
    with runtime_cache(engine, "kernels.jkp") as handle:
        engine(x)                              # what it compiles is in kernels.jkp afterwards
"""
from .cache_scope import runtime_cache
from .config_scope import (
    runtime_config,
    set_cuda_graph_strategy,
    set_dynamic_shapes_kernel_strategy,
)
from .cudagraphs import (
    CudaGraphsMode,
    enable_cudagraphs,
    get_cudagraphs_mode,
    get_whole_cudagraphs_mode,
    set_cudagraphs_mode,
)
from .caches import RuntimeCache
from .config import RuntimeConfig
from .profile_scope import optimization_profile
from .resources import ResourceAllocationStrategy, enable_pre_allocated_outputs
from .settings import (
    CUDA_GRAPH_STRATEGIES,
    DYNAMIC_SHAPES_KERNEL_SPECIALIZATION_STRATEGIES,
    RuntimeSettings,
    default_runtime_settings,
)
from .targets import engines_of

__all__ = ["CUDA_GRAPH_STRATEGIES", "DYNAMIC_SHAPES_KERNEL_SPECIALIZATION_STRATEGIES", "CudaGraphsMode", "RuntimeCache",
           "ResourceAllocationStrategy", "RuntimeConfig", "RuntimeSettings", "default_runtime_settings",
           "enable_cudagraphs", "enable_pre_allocated_outputs", "engines_of",
           "get_cudagraphs_mode", "get_whole_cudagraphs_mode", "optimization_profile", "runtime_cache", "runtime_config",
           "set_cuda_graph_strategy", "set_cudagraphs_mode", "set_dynamic_shapes_kernel_strategy"]
