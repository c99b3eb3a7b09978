# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Which operators can be written as a model, for which dtypes and shapes.

    @converter(torch.ops.aten.addcmul.default, dtypes=FLOATS)
    def addcmul(b, x, t1, t2, *, value=1):
        return b.Add(x, b.Mul(b.Mul(t1, t2), value))
"""
from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch.fx import Node

from .values import ALL

Check = Callable[[Node], "str | None"]


@dataclass(frozen=True)
class Converter:
    """How one operator is written. `convert(b, *args, **kwargs)` gets a GraphWriter and the operator's arguments:
    tensors as Values, extents as ints or SymInts, and gives a Value, or a tuple of Values and Nones. `dtypes` are those
    that any of its tensors may have; `dynamic_shapes` says whether extents may be symbols; `check` names a reason
    against one node, or gives None."""

    target: Any
    convert: Callable[..., Any]
    dtypes: frozenset[torch.dtype]
    dynamic_shapes: bool
    check: Check | None


_CONVERTERS: dict[Any, Converter] = {}


def converter(*targets: Any, dtypes: Iterable[torch.dtype] = ALL, dynamic_shapes: bool = True,
              check: Check | None = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Registers how operators are written; the last registration of a target counts. `targets` are OpOverloads, such as
    torch.ops.aten.add.Tensor, or functions that appear in graphs as they are."""
    for target in targets:
        if not callable(target):
            raise TypeError(f"a target is an OpOverload such as torch.ops.aten.add.Tensor, found {target!r}")
        if isinstance(target, torch._ops.OpOverloadPacket):
            raise TypeError(f"{target} has the overloads {target.overloads()}: name them, as in {target}.default")

    def register(convert: Callable[..., Any]) -> Callable[..., Any]:
        inspect.signature(convert)
        for target in targets:
            _CONVERTERS[target] = Converter(target, convert, frozenset(dtypes), dynamic_shapes, check)
        return convert

    return register


def find_converter(target: Any) -> Converter | None:
    return _CONVERTERS.get(target)


def converters() -> dict[Any, Converter]:
    """All of them by target. A copy."""
    return dict(_CONVERTERS)


def remove_converter(target: Any) -> None:
    """For tests and for operators that shall stay in PyTorch."""
    _CONVERTERS.pop(target, None)
