# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Distances between rows."""
from __future__ import annotations

import torch

from .registry import converter
from .values import FLOATS, Value
from .writer import GraphWriter

aten = torch.ops.aten


def _norm(b: GraphWriter, difference: Value, p: float) -> Value:
    size = b.Abs(difference)
    axes = b.ints([-1])
    if p == 0:
        return b.ReduceSum(b.Cast(b.Not(b.Equal(size, 0.0)), size.dtype), axes, keepdims=0)
    if p == 1:
        return b.ReduceSum(size, axes, keepdims=0)
    if p == 2:
        return b.Sqrt(b.ReduceSum(b.Mul(size, size), axes, keepdims=0))
    if p == float("inf"):
        return b.ReduceMax(size, axes, keepdims=0)
    return b.Pow(b.ReduceSum(b.Pow(size, float(p)), axes, keepdims=0), 1 / float(p))


@converter(aten._cdist_forward.default, dtypes=FLOATS)
def cdist(b: GraphWriter, x1: Value, x2: Value, p: float, compute_mode: int | None) -> Value:
    return _norm(b, b.Sub(b.unsqueeze(x1, x1.rank - 1), b.unsqueeze(x2, x2.rank - 2)), p)


@converter(aten._pdist_forward.default, dtypes=FLOATS, dynamic_shapes=False)
def pdist(b: GraphWriter, x: Value, p: float = 2) -> Value:
    assert x.shape is not None
    pairs = torch.triu_indices(x.shape[0], x.shape[0], offset=1)
    first, second = b.constant(pairs[0]), b.constant(pairs[1])
    return _norm(b, b.Sub(b.Gather(x, first, axis=0), b.Gather(x, second, axis=0)), p)
