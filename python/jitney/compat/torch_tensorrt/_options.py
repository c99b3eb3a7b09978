# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Arguments of a compile by their old names."""
from __future__ import annotations

import logging
from typing import Any

from ...dynamo import no_effect
from ._device import Device
from ._enums import dtype

_log = logging.getLogger(__name__)

# What has no meaning here: it chose among closed kernels, or names parts that Jitney has not.
_WITHOUT_EFFECT = frozenset("""
assume_dynamic_shape_support attn_bias_is_causal autocast_calibration_dataloader autocast_excluded_nodes
autocast_excluded_ops autocast_low_precision_type autocast_max_depth_of_reduction autocast_max_output_threshold
cache_built_engines cpu_memory_budget custom_engine_cache debug decompose_attention disable_tf32
dla_global_dram_size dla_local_dram_size dla_sram_size enable_autocast
enable_cross_compile_for_windows enable_cuda_graph enable_experimental_decompositions enable_resource_partitioning
enable_weight_streaming engine_cache_dir engine_cache_size engine_capability hardware_compatible immutable_weights
l2_limit_for_tiling make_refittable max_aux_streams num_avg_timing_iters offload_module_to_cpu optimization_level
pass_through_build_failures refit refit_identical_engine_weights reuse_cached_engines sparse_weights
strip_engine_weights tiling_optimization_level timing_cache_path torch_executed_modules truncate_double
truncate_long_and_double use_distributed_mode_trace use_explicit_typing use_fast_partitioner use_fp32_acc
version_compatible workspace_size""".split())


def translate(options: dict[str, Any]) -> dict[str, Any]:
    """As jitney.compile() takes them. Runtime modes and unknown names stay, and are refused there."""
    kept: dict[str, Any] = {}
    for name, value in options.items():
        if name in _WITHOUT_EFFECT:
            _log.debug("%s has no effect on Jitney", name)
        elif name == "device":
            kept[name] = value.to_torch() if isinstance(value, Device) else value
        elif name == "enabled_precisions":
            wanted = {p.value if isinstance(p, dtype) else p for p in value}
            others = {p for p in wanted if str(p).startswith(("torch.float8", "torch.int", "torch.uint"))}
            for each in sorted(map(str, others)):
                no_effect.warn_once(f"enabled_precisions: {each}", "models of such types say so themselves")
            kept[name] = wanted - others
        else:
            kept[name] = value
    return kept
