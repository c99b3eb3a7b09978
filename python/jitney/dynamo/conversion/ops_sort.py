# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Order: topk, sort."""
from __future__ import annotations

from typing import Any

import torch

from .registry import converter
from .values import ALL, FLOATS, INTEGERS, Value
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
