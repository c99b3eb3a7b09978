# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Order: topk, sort, medians."""
from __future__ import annotations

from typing import Any

import torch

from .registry import converter
from .values import ALL, FLOATS, INTEGERS, Unsupported, Value
from .writer import GraphWriter

aten = torch.ops.aten


def _top(b: GraphWriter, x: Value, k: Any, dim: int, largest: bool) -> tuple[Value, Value]:
    if x.rank == 0:
        return x, b.scalar(0, torch.int64)
    plain = b.Cast(x, torch.uint8) if x.dtype == torch.bool else x
    values, indices = b.TopK(plain, b.shape_vector([k]), axis=dim % x.rank, largest=int(largest), sorted=1, outputs=2)
    return b.Cast(values, x.dtype), Value(indices.name, torch.int64)


@converter(aten.topk.default, dtypes=FLOATS | INTEGERS)
def topk(b: GraphWriter, x: Value, k: Any, dim: int = -1, largest: bool = True,
         sorted: bool = True) -> tuple[Value, Value]:
    return _top(b, x, k, dim, largest)


@converter(aten.sort.default, dtypes=ALL)
def sort(b: GraphWriter, x: Value, dim: int = -1, descending: bool = False) -> tuple[Value, Value]:
    assert x.shape is not None
    return _top(b, x, x.shape[dim] if x.rank else 1, dim, descending)


@converter(aten.sort.stable, dtypes=ALL)
def sort_stable(b: GraphWriter, x: Value, *, stable: bool | None = None, dim: int = -1,
                descending: bool = False) -> tuple[Value, Value]:
    return sort(b, x, dim, descending)


@converter(aten.argsort.default, aten.argsort.stable, dtypes=ALL)
def argsort(b: GraphWriter, x: Value, dim: int = -1, descending: bool = False, *, stable: bool = False) -> Value:
    return sort(b, x, dim, descending)[1]


def _median(b: GraphWriter, x: Value, axis: int, extent: Any) -> Value:
    """The lower one of two; NaN where there is one."""
    if not isinstance(extent, int):
        raise Unsupported("the median over an extent that is a symbol")
    if extent == 0:
        raise Unsupported("the median of nothing")
    smallest, _ = _top(b, x, (extent - 1) // 2 + 1, axis, False)
    middle = b.select(smallest, axis, (extent - 1) // 2)
    if not x.dtype.is_floating_point:
        return middle
    is_nan = b.Greater(b.ReduceMax(b.Cast(b.IsNaN(x), torch.int32), b.ints([axis]), keepdims=0), 0)
    return b.Where(is_nan, b.scalar(float("nan"), x.dtype), middle)


def _line(b: GraphWriter, x: Value) -> tuple[Value, Any]:
    """All elements along one axis, and how many there are."""
    assert x.shape is not None
    extent: Any = 1
    for each in x.shape:
        extent = extent * each
    return b.reshape(x, [extent]), extent


@converter(aten.median.default, dtypes=FLOATS | INTEGERS)
def median(b: GraphWriter, x: Value) -> Value:
    line, extent = _line(b, x)
    return _median(b, line, 0, extent)


@converter(aten.median.dim, dtypes=FLOATS | INTEGERS)
def median_dim(b: GraphWriter, x: Value, dim: int, keepdim: bool = False) -> tuple[Value, None]:
    """The values alone: of equal ones PyTorch says any index."""
    if x.rank == 0:
        return x, None
    assert x.shape is not None
    axis = dim % x.rank
    found = _median(b, x, axis, x.shape[axis])
    return (b.op("Unsqueeze", found, b.ints([axis])) if keepdim else found), None
