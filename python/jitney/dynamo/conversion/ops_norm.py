# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Normalizations for inference."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from .registry import converter
from .values import FLOATS, Unsupported, Value
from .writer import GraphWriter

aten = torch.ops.aten


@converter(aten.native_layer_norm.default, dtypes=FLOATS)
def layer_norm(b: GraphWriter, x: Value, normalized_shape: Sequence[Any], weight: Value | None, bias: Value | None,
               eps: float) -> tuple[Value, ...]:
    axis = x.rank - len(normalized_shape)
    w = b.wide(x)
    if weight is None:
        weight = b.expand(b.scalar(1.0, w.dtype), normalized_shape)
    weight, bias = b.Cast(weight, w.dtype), None if bias is None else b.Cast(bias, w.dtype)
    return b.LayerNormalization(w, weight, bias, axis=axis, epsilon=float(eps), outputs=3)


@converter(aten._fused_rms_norm.default, dtypes=FLOATS)
def rms_norm(b: GraphWriter, x: Value, normalized_shape: Sequence[Any], weight: Value | None,
             eps: float | None) -> tuple[Value, Value]:
    w = b.wide(x)
    axes = list(range(x.rank - len(normalized_shape), x.rank))
    eps = torch.finfo(x.dtype).eps if eps is None else eps
    scale = b.Reciprocal(b.Sqrt(b.Add(b.ReduceMean(b.Mul(w, w), b.ints(axes), keepdims=1), float(eps))))
    result = b.Mul(w, scale)
    return result if weight is None else b.Mul(result, b.Cast(weight, w.dtype)), scale


def _along_channels(b: GraphWriter, value: Value, rank: int, dtype: torch.dtype) -> Value:
    """[C] as [C, 1, ...] against [N, C, ...]."""
    value = b.Cast(value, dtype)
    return b.unsqueeze(value, *range(1, rank - 1)) if rank > 2 else value


def _affine(b: GraphWriter, x: Value, mean: Value, scale: Value, weight: Value | None, bias: Value | None) -> Value:
    if weight is not None:
        scale = b.Mul(scale, weight)
    result = b.Mul(b.Sub(x, mean), scale)
    return result if bias is None else b.Add(result, bias)


@converter(aten._native_batch_norm_legit_no_training.default, dtypes=FLOATS)
def batch_norm(b: GraphWriter, x: Value, weight: Value | None, bias: Value | None, mean: Value, var: Value,
               momentum: float, eps: float) -> tuple[Value, None, None]:
    w = b.wide(x)
    if x.rank >= 2:
        ones = [mean.shape[0]] if mean.shape else [1]
        scale = b.expand(b.scalar(1.0, w.dtype), ones) if weight is None else b.Cast(weight, w.dtype)
        shift = b.expand(b.scalar(0.0, w.dtype), ones) if bias is None else b.Cast(bias, w.dtype)
        return b.BatchNormalization(w, scale, shift, b.Cast(mean, w.dtype), b.Cast(var, w.dtype),
                                    epsilon=float(eps)), None, None
    scale = b.Reciprocal(b.Sqrt(b.Add(b.Cast(var, w.dtype), float(eps))))
    parts = [None if v is None else b.Cast(v, w.dtype) for v in (weight, bias)]
    return _affine(b, w, b.Cast(mean, w.dtype), scale, *parts), None, None


@converter(aten.native_batch_norm.default, dtypes=FLOATS)
def batch_norm_by_stats(b: GraphWriter, x: Value, weight: Value | None, bias: Value | None, mean: Value | None,
                        var: Value | None, training: bool, momentum: float,
                        eps: float) -> tuple[Value | None, ...]:
    if training or mean is None or var is None:
        raise Unsupported("batch normalization in training")
    return batch_norm(b, x, weight, bias, mean, var, momentum, eps)


@converter(aten._native_batch_norm_legit.no_stats, dtypes=FLOATS)
def batch_norm_of_batch(b: GraphWriter, x: Value, weight: Value | None, bias: Value | None, training: bool,
                        momentum: float, eps: float) -> tuple[Value, Value, Value]:
    w = b.wide(x)
    axes = [axis for axis in range(x.rank) if axis != 1]
    mean = b.ReduceMean(w, b.ints(axes), keepdims=1)
    difference = b.Sub(w, mean)
    var = b.ReduceMean(b.Mul(difference, difference), b.ints(axes), keepdims=1)
    scale = b.Reciprocal(b.Sqrt(b.Add(var, float(eps))))
    parts = [None if v is None else _along_channels(b, v, x.rank, w.dtype) for v in (weight, bias)]
    result = _affine(b, w, mean, scale, *parts)
    flat = [-1]
    return result, b.reshape(mean, flat), b.reshape(scale, flat)


@converter(aten.native_group_norm.default, dtypes=FLOATS)
def group_norm(b: GraphWriter, x: Value, weight: Value | None, bias: Value | None, n: Any, c: Any, hw: Any,
               group: int, eps: float) -> tuple[Value, Value, Value]:
    assert x.shape is not None
    w = b.wide(x)
    grouped = b.reshape(w, [n, group, (c // group) * hw])
    mean = b.ReduceMean(grouped, b.ints([2]), keepdims=1)
    difference = b.Sub(grouped, mean)
    var = b.ReduceMean(b.Mul(difference, difference), b.ints([2]), keepdims=1)
    scale = b.Reciprocal(b.Sqrt(b.Add(var, float(eps))))
    result = b.reshape(b.Mul(difference, scale), x.shape)
    if weight is not None:
        result = b.Mul(result, _along_channels(b, weight, x.rank, w.dtype))
    if bias is not None:
        result = b.Add(result, _along_channels(b, bias, x.rank, w.dtype))
    return result, b.Squeeze(mean, b.ints([2])), b.Squeeze(scale, b.ints([2]))
