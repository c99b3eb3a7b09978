# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""The PyTorch front end by its old names."""
from __future__ import annotations

from typing import Any

from ....dynamo.runtime import library
from .._options import translate
from . import conversion, runtime, utils

__all__ = ["CompilationSettings", "MutableTorchTensorRTModule", "compile", "conversion",
           "convert_exported_program_to_serialized_trt_engine", "cross_compile_for_windows", "refit_module_weights",
           "runtime", "trace", "utils"]


def compile(exported_program: Any, inputs: Any = None, **options: Any) -> Any:  # noqa: A001
    """As jitney.dynamo.compile()."""
    return library.front_end().compile(exported_program, inputs, **translate(options))


def convert_exported_program_to_serialized_trt_engine(exported_program: Any, inputs: Any = None, **options: Any) -> bytes:
    """The bytes of one engine for the whole program."""
    made: bytes = library.front_end().convert_exported_program_to_serialized_engine(exported_program, inputs, **translate(options))
    return made


_ELSEWHERE = {"CompilationSettings": ("", "CompilationSettings"), "trace": ("", "trace"),
              "cross_compile_for_windows": ("", "cross_compile_for_windows"),
              "MutableTorchTensorRTModule": (".runtime.mutable", "MutableJitneyModule"),
              "refit_module_weights": (".runtime.refit", "refit_module_weights")}


def __getattr__(name: str) -> Any:
    if name not in _ELSEWHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    module, there = _ELSEWHERE[name]
    return getattr(import_module("jitney.dynamo" + module), there)
