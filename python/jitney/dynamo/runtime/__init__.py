# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Engines inside PyTorch programs, in two runtimes: over libjitney_torch ("cpp"), and over the Python package alone."""
from ...runtime import ResourceAllocationStrategy
from . import caches, operators, record
from .compiled import compiled
from .files import load, save
from .library import has_torch_library, runtime, use_runtime
from .live import apply_runtime_settings, live_engines
from .module import JitneyModule
from .outputs import enable_output_allocator, enable_pre_allocated_outputs
from .record import SERIALIZATION_LEN, SerializedInfoIndex
from .weight_streaming import weight_streaming
from .whole_graph import CudaGraphsModule

record.check_library()
operators.register()
caches.register()

__all__ = ["SERIALIZATION_LEN", "CudaGraphsModule", "JitneyModule", "ResourceAllocationStrategy", "SerializedInfoIndex",
           "apply_runtime_settings", "compiled", "enable_output_allocator", "enable_pre_allocated_outputs",
           "has_torch_library", "live_engines", "load", "runtime", "save", "use_runtime", "weight_streaming"]
