# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Engines inside PyTorch programs, in two runtimes: over libjitney_torch ("cpp"), and over the Python package alone."""
from . import operators, record
from .library import has_torch_library, runtime, use_runtime
from .module import JitneyModule
from .record import SERIALIZATION_LEN, SerializedInfoIndex

record.check_library()
operators.register()

__all__ = ["SERIALIZATION_LEN", "JitneyModule", "SerializedInfoIndex", "has_torch_library", "runtime", "use_runtime"]
