# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""What settings are where nobody says otherwise."""
from ...runtime import RuntimeSettings

DYNAMIC_SHAPES_KERNEL_SPECIALIZATION_STRATEGY = "lazy"
CUDA_GRAPH_STRATEGY = "disabled"
RUNTIME_CACHE_PATH = str(RuntimeSettings().runtime_cache or "")
