# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Compiling, saving and loading by their old names."""
from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import torch

from ...dynamo.runtime import files, library
from ._options import translate


def _of_front_end(name: str) -> Any:
    return getattr(library.front_end(), name)


def compile(module: Any, ir: str = "default", inputs: Sequence[Any] | None = None,  # noqa: A001
            arg_inputs: Sequence[Any] | None = None, kwarg_inputs: dict[Any, Any] | None = None,
            enabled_precisions: Any = None, **options: Any) -> Any:
    """As jitney.compile()."""
    if enabled_precisions is not None:
        options["enabled_precisions"] = enabled_precisions
    return _of_front_end("compile_module")(module, ir, inputs, arg_inputs=arg_inputs, kwarg_inputs=kwarg_inputs,
                                           **translate(options))


def cross_compile_for_windows(module: Any, file_path: str | os.PathLike[str] = "", inputs: Sequence[Any] | None = None,
                              arg_inputs: Sequence[Any] | None = None, kwarg_inputs: dict[Any, Any] | None = None,
                              **options: Any) -> Any:
    """Compiles for Windows; with `file_path` the program is saved there."""
    given = arg_inputs if arg_inputs is not None else inputs
    if isinstance(module, torch.nn.Module):
        module = _of_front_end("trace")(module, given, kwarg_inputs=kwarg_inputs)
    made = _of_front_end("cross_compile_for_windows")(module, given, kwarg_inputs=kwarg_inputs, **translate(options))
    if file_path:
        files.save(made, file_path, arg_inputs=given, kwarg_inputs=kwarg_inputs)
    return made


def convert_method_to_trt_engine(module: torch.nn.Module, method_name: str = "forward",
                                 inputs: Sequence[Any] | None = None, ir: str = "default",
                                 arg_inputs: Sequence[Any] | None = None, kwarg_inputs: dict[Any, Any] | None = None,
                                 **options: Any) -> bytes:
    """The bytes of one engine for the whole of a module's forward()."""
    if method_name != "forward":
        raise ValueError(f"only the method 'forward' can be converted, found {method_name!r}")
    given = arg_inputs if arg_inputs is not None else inputs
    program = _of_front_end("trace")(module, given, kwarg_inputs=kwarg_inputs)
    made: bytes = _of_front_end("convert_exported_program_to_serialized_engine")(program, given, kwarg_inputs=kwarg_inputs,
                                                                                 **translate(options))
    return made


def save(module: Any, file_path: str | os.PathLike[str] = "", *, output_format: str = "exported_program",
         inputs: Sequence[Any] | None = None, arg_inputs: Sequence[Any] | None = None,
         kwarg_inputs: dict[str, Any] | None = None, retrace: bool = True, **options: Any) -> None:
    """As jitney.save()."""
    for name in ("pickle_protocol", "extra_files", "use_legacy_exporter"):
        options.pop(name, None)
    files.save(module, file_path, output_format=output_format, inputs=inputs, arg_inputs=arg_inputs,
               kwarg_inputs=kwarg_inputs, **options)


def load(file_path: str | os.PathLike[str] = "", **options: Any) -> Any:
    """As jitney.load(), of programs."""
    return files.load(file_path, **options)
