# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""The doors to the PyTorch side. Nothing here imports torch before it is used."""
from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any


def compile(module: Any, ir: str = "default", inputs: Sequence[Any] | None = None, *,  # noqa: A001: as torch's
            arg_inputs: Sequence[Any] | None = None, kwarg_inputs: Mapping[str, Any] | None = None,
            **options: Any) -> Any:
    """A module of PyTorch with engines in it. Needs torch and onnx.

    module: an nn.Module, or a torch.export.ExportedProgram.
    ir: "dynamo" (the default) exports the module and gives an fx.GraphModule that is called in the same way; its
        `report` says what runs where. "torch_compile" is torch.compile(module, backend="jitney").
    inputs or arg_inputs, kwarg_inputs: what to trace it with: tensors, or jitney.Inputs. Ranges of these are the engines'
        optimization profiles: a shape outside is an error.
    dynamic_shapes: which extents may change, as torch.export takes it; by default those of Inputs with ranges.
    options: min_block_size, torch_executed_ops, require_full_compilation, enabled_precisions, runtime_settings, device,
        dryrun, progress: see jitney.dynamo.CompilationSettings. Runtime modes go into runtime_settings.
    """
    from .dynamo.frontend import compile_module

    return compile_module(module, ir, inputs, arg_inputs=arg_inputs, kwarg_inputs=kwarg_inputs, **options)


def dynamo_backend(module: Any, inputs: Sequence[Any], **keywords: Any) -> Any:
    """The backend "jitney" of torch.compile, which torch finds by the package's entry point."""
    from .dynamo.backend import jitney_backend

    return jitney_backend(module, inputs, **keywords)


def register_backend() -> None:
    """Where Dynamo has looked for backends already. Does nothing while it is not loaded: it will look."""
    registry = sys.modules.get("torch._dynamo.backends.registry")
    if registry is not None and "jitney" not in registry._COMPILER_FNS:
        registry.register_backend(dynamo_backend, name="jitney")
