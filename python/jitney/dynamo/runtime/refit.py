# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""New weights for engines that are there."""
from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from ... import UserError
from . import library
from .module import JitneyModule


def engines_by_name(module: torch.nn.Module) -> dict[str, JitneyModule]:
    return {name: child for name, child in module.named_modules() if isinstance(child, JitneyModule)}


def refit_module_weights(compiled_module: torch.nn.Module, new_weight_module: Any, arg_inputs: Sequence[Any] | None = None,
                         kwarg_inputs: Mapping[str, Any] | None = None, *, verify_output: bool = False,
                         in_place: bool = False, **options: Any) -> torch.nn.Module:
    """The compiled module with the weights of another exported program of the same model: each engine is made again
    with them and takes the place of the old one. Its kernels are the old ones, out of the cache: weights are no part of
    them. Runtime settings stay.

    new_weight_module: a torch.export.ExportedProgram.
    verify_output: also compare results for arg_inputs, kwarg_inputs; RuntimeError where they differ.
    in_place: change compiled_module itself, rather than a copy.
    options: what compiled_module was compiled with, where that was not the default.
    """
    dynamo = library.front_end()
    if not isinstance(new_weight_module, torch.export.ExportedProgram):
        raise TypeError("new_weight_module must be a torch.export.ExportedProgram, found "
                        f"{type(new_weight_module).__name__}")
    old = engines_by_name(compiled_module)
    if not old:
        raise UserError("there is no engine in the compiled module, and so nothing to refit")
    settings = next(iter(old.values())).settings
    fresh = dynamo.compile(new_weight_module, settings=settings) if settings is not None and not options else \
        dynamo.compile(new_weight_module, **options)
    _check_structure(old, engines_by_name(fresh))
    result = compiled_module if in_place else copy.deepcopy(compiled_module)
    target = engines_by_name(result)
    for name, module in engines_by_name(fresh).items():
        kept = target[name].runtime_settings
        target[name]._take(module.bound)
        target[name].runtime_settings = kept
    result.load_state_dict({key: value for key, value in fresh.state_dict().items()
                            if not key.endswith("_extra_state")}, strict=False)
    if verify_output:
        _verify(result, new_weight_module, tuple(arg_inputs or ()), dict(kwarg_inputs or {}))
    return result


def _check_structure(old: dict[str, JitneyModule], fresh: dict[str, JitneyModule]) -> None:
    if list(old) != list(fresh):
        raise UserError(f"the new program has the engines {list(fresh)}, the compiled module {list(old)}: it is another "
                        "model, or was compiled with other settings, and must be compiled anew")
    for name, module in old.items():
        before, after = module.bound.signature, fresh[name].bound.signature
        if (before.inputs, before.outputs) != (after.inputs, after.outputs):
            raise UserError(f"engine '{name}' of the new program has other inputs or outputs than that of the compiled "
                            "module: it is another model, and must be compiled anew")


def _verify(module: torch.nn.Module, program: torch.export.ExportedProgram, args: tuple[Any, ...],
            kwargs: dict[str, Any]) -> None:
    from torch.utils._pytree import tree_leaves

    with torch.no_grad():
        found, wanted = tree_leaves(module(*args, **kwargs)), tree_leaves(program.module()(*args, **kwargs))
    for index, (a, b) in enumerate(zip(found, wanted)):
        if isinstance(b, torch.Tensor) and not torch.allclose(a, b, rtol=1e-2, atol=1e-2, equal_nan=True):
            raise RuntimeError(f"output {index} of the refitted module differs from the program's by "
                               f"{float((a - b).abs().max())}")
