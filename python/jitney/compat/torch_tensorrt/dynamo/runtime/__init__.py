# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Engines as modules."""
from .....dynamo.runtime import CudaGraphsModule, JitneyModule
from ._TRTEngine import TRTEngine

TorchTensorRTModule = JitneyModule
PythonTorchTensorRTModule = JitneyModule
CudaGraphsTorchTensorRTModule = CudaGraphsModule

__all__ = ["CudaGraphsTorchTensorRTModule", "PythonTorchTensorRTModule", "TRTEngine", "TorchTensorRTModule"]
