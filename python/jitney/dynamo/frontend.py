# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""jitney.compile(): a module in, a module out."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from .. import UserError
from . import api
from .evaluation import evaluating
from .settings import CompilationSettings

_WAYS = ("default", "dynamo", "torch_compile")


def compile_module(module: Any, ir: str = "default", inputs: Sequence[Any] | None = None, *,
                   arg_inputs: Sequence[Any] | None = None, kwarg_inputs: Mapping[str, Any] | None = None,
                   dynamic_shapes: Any = None, dynamic: bool | None = None, **options: Any) -> Any:
    """See jitney.compile."""
    if ir not in _WAYS:
        raise UserError(f"Invalid ir: {ir!r}. Expected one of {list(_WAYS)}")
    settings = CompilationSettings.of(options)
    if ir == "torch_compile":
        if not isinstance(module, torch.nn.Module) and not callable(module):
            raise TypeError(f"torch.compile takes a module or a function, found {type(module).__name__}")
        return torch.compile(module, backend="jitney", options=options, dynamic=dynamic)
    if isinstance(module, torch.export.ExportedProgram):
        return api.compile(module, inputs, arg_inputs=arg_inputs, kwarg_inputs=kwarg_inputs, settings=settings)
    if not isinstance(module, torch.nn.Module):
        raise TypeError(f"jitney.compile takes a module or an exported program, found {type(module).__name__}")
    if inputs is None and arg_inputs is None and not kwarg_inputs:
        raise UserError("jitney.compile needs inputs (or arg_inputs, kwarg_inputs): tensors or jitney.Inputs to trace "
                        "the module with")
    if inputs is not None and arg_inputs is not None:
        raise UserError("inputs and arg_inputs are the same thing: give one of them")
    with evaluating(module):
        program = api.trace(module, inputs, arg_inputs=arg_inputs, kwarg_inputs=kwarg_inputs,
                            dynamic_shapes=dynamic_shapes)
    return api.compile(program, inputs, arg_inputs=arg_inputs, kwarg_inputs=kwarg_inputs, settings=settings)
