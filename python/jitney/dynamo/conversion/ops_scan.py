# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Running maxima, minima and products, in as many steps as the extent has binary digits: after the step by k, each
element stands for itself and the 2 * k - 1 before it."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from .registry import converter
from .shapes import is_symbolic
from .values import ALL, Unsupported, Value
from .writer import GraphWriter

aten = torch.ops.aten
# Of the earlier and of the later window, each a tensor or several that go together.
Combine = Callable[[tuple[Value, ...], tuple[Value, ...]], tuple[Value, ...]]


def scan(b: GraphWriter, values: tuple[Value, ...], dim: int, extent: Any, combine: Combine) -> tuple[Value, ...]:
    """Along one axis, whose extent must be a number. `combine` must be associative."""
    if is_symbolic(extent):
        raise Unsupported("it runs along an extent that is a symbol")
    step = 1
    while step < extent:
        early = tuple(b.cut(value, dim, 0, extent - step) for value in values)
        late = tuple(b.cut(value, dim, step, None) for value in values)
        both = combine(early, late)
        values = tuple(b.Concat(b.cut(value, dim, 0, step), new, axis=dim) for value, new in zip(values, both))
        step *= 2
    return values


def _extreme(b: GraphWriter, x: Value, dim: int, wins: str) -> tuple[Value, Value]:
    """Values, and where they are: of equal ones the last. NaN is the most extreme of all."""
    if x.rank == 0:
        return x, b.scalar(0, torch.int64)
    assert x.shape is not None
    axis = dim % x.rank
    extent = x.shape[axis]
    plain = b.Cast(x, torch.uint8) if x.dtype == torch.bool else b.wide(x)
    steps = b.Range(b.scalar(0, torch.int64), b.dim(extent), b.scalar(1, torch.int64))
    line = b.reshape(steps, [extent if i == axis else 1 for i in range(x.rank)])
    at = b.expand(line, x.shape)

    def combine(early: tuple[Value, ...], late: tuple[Value, ...]) -> tuple[Value, ...]:
        later = b.op(wins, late[0], early[0])
        if plain.dtype.is_floating_point:
            later = b.Or(b.IsNaN(late[0]), b.And(later, b.Not(b.IsNaN(early[0]))))
        return tuple(b.Where(later, new, old) for new, old in zip(late, early))

    values, indices = scan(b, (plain, at), axis, extent, combine)
    return b.Cast(values, x.dtype), indices


@converter(aten.cummax.default, dtypes=ALL)
def cummax(b: GraphWriter, x: Value, dim: int) -> tuple[Value, Value]:
    return _extreme(b, x, dim, "GreaterOrEqual")


@converter(aten.cummin.default, dtypes=ALL)
def cummin(b: GraphWriter, x: Value, dim: int) -> tuple[Value, Value]:
    return _extreme(b, x, dim, "LessOrEqual")


@converter(aten.cumprod.default)
def cumprod(b: GraphWriter, x: Value, dim: int, *, dtype: Any = None) -> Value:
    w = b.wide(b.Cast(x, b.dtype))
    if x.rank == 0:
        return w
    assert x.shape is not None
    axis = dim % x.rank
    return scan(b, (w,), axis, x.shape[axis], lambda early, late: (b.Mul(early[0], late[0]),))[0]
