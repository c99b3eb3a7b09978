# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Settings, caches and scopes."""
from ....dynamo.runtime import (JitneyModule, ResourceAllocationStrategy, apply_runtime_settings, enable_output_allocator,
                                enable_pre_allocated_outputs)
from ....dynamo.runtime.weight_streaming import weight_streaming
from ....runtime import (CudaGraphsMode, RuntimeCache, RuntimeConfig, RuntimeSettings, enable_cudagraphs,
                         get_cudagraphs_mode, get_whole_cudagraphs_mode, optimization_profile, runtime_cache,
                         runtime_config, set_cuda_graph_strategy, set_cudagraphs_mode,
                         set_dynamic_shapes_kernel_strategy)
from . import _runtime_cache
from ._runtime_cache import RuntimeCacheHandle

TorchTensorRTModule = JitneyModule
PythonTorchTensorRTModule = JitneyModule
TRTRuntimeConfig = RuntimeConfig


def set_multi_device_safe_mode(mode: bool) -> bool:
    """Accepted: every engine runs on its own device anyway."""
    return bool(mode)


__all__ = ["CudaGraphsMode", "PythonTorchTensorRTModule", "ResourceAllocationStrategy", "RuntimeCache",
           "RuntimeCacheHandle", "RuntimeSettings", "TRTRuntimeConfig", "TorchTensorRTModule", "_runtime_cache",
           "apply_runtime_settings", "enable_cudagraphs", "enable_output_allocator", "enable_pre_allocated_outputs",
           "get_cudagraphs_mode", "get_whole_cudagraphs_mode", "optimization_profile", "runtime_cache", "runtime_config",
           "set_cuda_graph_strategy", "set_cudagraphs_mode", "set_dynamic_shapes_kernel_strategy",
           "set_multi_device_safe_mode", "weight_streaming"]
