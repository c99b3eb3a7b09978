# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Places in sorted sequences, and bags of embeddings."""
from __future__ import annotations

from typing import Any

import torch

from .registry import converter
from .values import NUMBERS, Unsupported, Value
from .writer import GraphWriter

aten = torch.ops.aten


def places(b: GraphWriter, sequence: Value, x: Value, right: bool) -> Value:
    """How many of each line are below x, or also not above it: NaN is above everything. `sequence` has rank 1, or the
    rank of x."""
    dtype = torch.promote_types(sequence.dtype, x.dtype)
    line, wanted = b.Cast(sequence, dtype), b.unsqueeze(b.Cast(x, dtype), x.rank)
    if sequence.rank > 1:
        line = b.unsqueeze(line, sequence.rank - 1)
    beyond = b.Greater(line, wanted) if right else b.GreaterOrEqual(line, wanted)
    return b.ReduceSum(b.Cast(b.Not(beyond), torch.int64), b.ints([-1]), keepdims=0, dtype=torch.int64)


def _as_value(b: GraphWriter, x: Any, dtype: torch.dtype) -> Value:
    return x if isinstance(x, Value) else b.number(x, dtype)


@converter(aten.bucketize.Tensor, aten.bucketize.Scalar, dtypes=NUMBERS)
def bucketize(b: GraphWriter, x: Any, boundaries: Value, *, out_int32: bool = False, right: bool = False) -> Value:
    return places(b, boundaries, _as_value(b, x, boundaries.dtype), right)


@converter(aten.searchsorted.Tensor, aten.searchsorted.Scalar, dtypes=NUMBERS)
def searchsorted(b: GraphWriter, sequence: Value, x: Any, *, out_int32: bool = False, right: bool = False,
                 side: str | None = None, sorter: Value | None = None) -> Value:
    if sorter is not None:
        sequence = Value(b.GatherElements(sequence, sorter, axis=sequence.rank - 1).name, sequence.dtype, sequence.shape)
    return places(b, sequence, _as_value(b, x, sequence.dtype), right or side == "right")


_SUM, _MEAN, _MAX = 0, 1, 2


@converter(aten._embedding_bag_forward_only.default, aten._embedding_bag.default, dtypes=NUMBERS)
def embedding_bag(b: GraphWriter, weight: Value, indices: Value, offsets: Value, scale_grad_by_freq: bool = False,
                  mode: int = _SUM, sparse: bool = False, per_sample_weights: Value | None = None,
                  include_last_offset: bool = False, padding_idx: int = -1) -> tuple[Value | None, ...]:
    """The bags alone: what else it gives is for gradients."""
    if mode not in (_SUM, _MEAN, _MAX):
        raise Unsupported(f"the mode {mode}")
    bags, width = b.result(0).shape
    rows = b.wide(b.Gather(weight, indices, axis=0))
    if include_last_offset:
        offsets = Value(b.cut(offsets, 0, 0, bags).name, offsets.dtype, (bags,))
    assert indices.shape is not None
    at = b.Range(b.scalar(0, torch.int64), b.dim(indices.shape[0]), b.scalar(1, torch.int64))
    bag = b.Sub(places(b, b.Cast(offsets, torch.int64), Value(at.name, torch.int64, tuple(indices.shape)), True), 1)
    if per_sample_weights is not None:
        rows = b.Mul(rows, b.unsqueeze(b.Cast(per_sample_weights, rows.dtype), 1))
    counts = b.Where(b.Equal(indices, padding_idx), b.scalar(0, rows.dtype), b.scalar(1, rows.dtype)) if padding_idx >= 0 \
        else b.expand(b.scalar(1, rows.dtype), indices.shape)
    zeros = b.expand(b.scalar(0, rows.dtype), [bags])
    counted = b.ScatterElements(zeros, bag, counts, axis=0, reduction="add")
    if mode == _MAX:
        nothing = b.scalar(float("-inf"), rows.dtype)
        if padding_idx >= 0:
            rows = b.Where(b.unsqueeze(b.Equal(indices, padding_idx), 1), nothing, rows)
        start, reduction = nothing, "max"
    else:
        if padding_idx >= 0:
            rows = b.Where(b.unsqueeze(b.Equal(indices, padding_idx), 1), b.scalar(0, rows.dtype), rows)
        start, reduction = b.scalar(0, rows.dtype), "add"
    where = b.expand(b.unsqueeze(Value(bag.name, torch.int64, tuple(indices.shape)), 1), [indices.shape[0], width])
    made = b.ScatterElements(b.expand(start, [bags, width]), where, rows, axis=0, reduction=reduction)
    if mode == _MAX:
        made = b.Where(b.unsqueeze(b.Equal(Value(counted.name, rows.dtype, (bags,)), 0.0), 1), b.scalar(0, rows.dtype), made)
    if mode == _MEAN:
        made = b.Div(made, b.unsqueeze(b.Max(Value(counted.name, rows.dtype, (bags,)), 1.0), 1))
    return b.Cast(Value(made.name, rows.dtype, (bags, width)), weight.dtype), None, None, None
