# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Where the memory of outputs comes from. For that of intermediate values see jitney.runtime.ResourceAllocationStrategy."""
from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Any, Generic, TypeVar

import torch

from ... import UserError
from .module import JitneyModule

T = TypeVar("T")


def modules_of(target: Any) -> list[JitneyModule]:
    """The JitneyModules under a module or a list of modules, each engine once."""
    found: dict[int, JitneyModule] = {}
    for module in _walk(target):
        found.setdefault(id(module.bound), module)
    return list(found.values())


def _walk(target: Any) -> Iterator[JitneyModule]:
    if isinstance(target, (list, tuple)):
        for each in target:
            yield from _walk(each)
    elif isinstance(target, torch.nn.Module):
        for module in target.modules():
            if isinstance(module, JitneyModule):
                yield module
    else:
        raise TypeError(f"a target is a torch.nn.Module or a list or tuple of these, found {type(target).__name__}")


class _Flag(Generic[T]):
    """A flag of every engine under a target until the block ends; then each has what it had before."""

    name = ""

    def __init__(self, target: T) -> None:
        self._target = target
        self._before: list[list[tuple[JitneyModule, bool]]] = []

    def _check(self, module: JitneyModule) -> None:
        """UserError where the engine cannot have it."""

    def __enter__(self) -> T:
        modules = modules_of(self._target)
        for module in modules:
            self._check(module)
        self._before.append([(module, getattr(module.bound, self.name)) for module in modules])
        for module in modules:
            setattr(module.bound, self.name, True)
        return self._target

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        for module, before in reversed(self._before.pop()):
            setattr(module.bound, self.name, before)


class enable_pre_allocated_outputs(_Flag[T]):
    """`with enable_pre_allocated_outputs(module):` each run allocates the outputs of the next, which uses them if its
    shapes are the same. Outputs are new tensors all the same: none is overwritten."""

    name = "use_pre_allocated_outputs"


class enable_output_allocator(_Flag[T]):
    """`with enable_output_allocator(module):` outputs are allocated when their shapes are known. Engines whose shapes
    follow from data do so anyway."""

    name = "use_output_allocator"

    def _check(self, module: JitneyModule) -> None:
        if module.bound.aliases:
            raise UserError(f"engine '{module.name}' writes outputs into its inputs: an output allocator cannot be used "
                            "with it")
