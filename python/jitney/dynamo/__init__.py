# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Jitney for PyTorch. Needs torch, and onnx for what is compiled; `import jitney` alone does not."""
from ..input import Input
from .api import (compile, convert_exported_program_to_serialized_engine, cross_compile_for_windows, dry_run,  # noqa: A004
                  trace)
from .compiler import convert_module
from .conversion import ConversionError, converter
from .frontend import compile_module
from .partitioning import Report
from .runtime.mutable import MutableJitneyModule
from .runtime.refit import refit_module_weights
from .settings import CompilationSettings

__all__ = ["CompilationSettings", "ConversionError", "Input", "MutableJitneyModule", "Report", "compile",
           "compile_module", "convert_module", "convert_exported_program_to_serialized_engine", "converter",
           "cross_compile_for_windows", "dry_run", "refit_module_weights", "trace"]
