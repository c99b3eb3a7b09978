# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Reductions along axes, and running sums."""
from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from .registry import converter
from .values import ALL, FLOATS, INTEGERS, Unsupported, Value
from .writer import GraphWriter, normalized

aten = torch.ops.aten


def reduce(b: GraphWriter, op_type: str, x: Value, dim: Any, keepdim: bool = False) -> Value:
    """One of ONNX's reductions over torch's axes. A scalar is reduced to itself, once its elements are."""
    axes = normalized(dim, x.rank)
    if x.rank == 0:
        return b.op(op_type, b.unsqueeze(x, 0), b.ints([0]), keepdims=0, shape=())
    assert x.shape is not None
    shape = [1 if axis in axes else extent for axis, extent in enumerate(x.shape) if keepdim or axis not in axes]
    return b.op(op_type, x, b.ints(axes), keepdims=int(keepdim), shape=shape)


@converter(aten.sum.dim_IntList, aten.sum.default)
def sum_(b: GraphWriter, x: Value, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Value:
    return reduce(b, "ReduceSum", b.wide(b.Cast(x, b.dtype)), dim, keepdim)


@converter(aten.mean.dim, aten.mean.default, dtypes=ALL)
def mean(b: GraphWriter, x: Value, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Value:
    return reduce(b, "ReduceMean", b.wide(b.Cast(x, b.dtype)), dim, keepdim)


@converter(aten.prod.dim_int, aten.prod.default)
def prod(b: GraphWriter, x: Value, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Value:
    return reduce(b, "ReduceProd", b.wide(b.Cast(x, b.dtype)), dim, keepdim)


def _extreme(b: GraphWriter, op_type: str, x: Value, dim: Any, keepdim: bool = False) -> Value:
    if x.dtype == torch.bool:
        return b.Cast(reduce(b, op_type, b.Cast(x, torch.uint8), dim, keepdim), torch.bool)
    return reduce(b, op_type, x, dim, keepdim)


@converter(aten.amax.default, aten.max.default)
def amax(b: GraphWriter, x: Value, dim: Any = None, keepdim: bool = False) -> Value:
    return _extreme(b, "ReduceMax", x, dim, keepdim)


@converter(aten.amin.default, aten.min.default)
def amin(b: GraphWriter, x: Value, dim: Any = None, keepdim: bool = False) -> Value:
    return _extreme(b, "ReduceMin", x, dim, keepdim)


@converter(aten.aminmax.default)
def aminmax(b: GraphWriter, x: Value, *, dim: int | None = None, keepdim: bool = False) -> tuple[Value, Value]:
    return amin(b, x, dim, keepdim), amax(b, x, dim, keepdim)


@converter(aten.any.default, aten.any.dim, aten.any.dims)
def any_(b: GraphWriter, x: Value, dim: Any = None, keepdim: bool = False) -> Value:
    if dim == [] and x.rank > 0:
        return b.Cast(x, torch.bool)
    found = reduce(b, "ReduceMax", b.Cast(b.Cast(x, torch.bool), torch.int32), dim, keepdim)
    return b.Greater(found, 0)


@converter(aten.all.default, aten.all.dim, aten.all.dims)
def all_(b: GraphWriter, x: Value, dim: Any = None, keepdim: bool = False) -> Value:
    if dim == [] and x.rank > 0:
        return b.Cast(x, torch.bool)
    found = reduce(b, "ReduceMin", b.Cast(b.Cast(x, torch.bool), torch.int32), dim, keepdim)
    return b.Greater(found, 0)


def _arg(b: GraphWriter, op_type: str, x: Value, dim: int | None, keepdim: bool) -> Value:
    if x.dtype == torch.bool:
        x = b.Cast(x, torch.uint8)
    if dim is None or x.rank == 0:
        flat = b.op(op_type, b.reshape(x, [-1]), axis=0, keepdims=0)
        return b.reshape(flat, [1] * x.rank if keepdim else [])
    return b.op(op_type, x, axis=dim % x.rank, keepdims=int(keepdim))


@converter(aten.argmax.default)
def argmax(b: GraphWriter, x: Value, dim: int | None = None, keepdim: bool = False) -> Value:
    return _arg(b, "ArgMax", x, dim, keepdim)


@converter(aten.argmin.default)
def argmin(b: GraphWriter, x: Value, dim: int | None = None, keepdim: bool = False) -> Value:
    return _arg(b, "ArgMin", x, dim, keepdim)


@converter(aten.max.dim)
def max_dim(b: GraphWriter, x: Value, dim: int, keepdim: bool = False) -> tuple[Value, Value]:
    return amax(b, x, dim, keepdim), _arg(b, "ArgMax", x, dim, keepdim)


@converter(aten.min.dim)
def min_dim(b: GraphWriter, x: Value, dim: int, keepdim: bool = False) -> tuple[Value, Value]:
    return amin(b, x, dim, keepdim), _arg(b, "ArgMin", x, dim, keepdim)


def _moments(b: GraphWriter, x: Value, dim: Any, correction: float, keepdim: bool) -> tuple[Value, Value]:
    w = b.wide(x)
    center = reduce(b, "ReduceMean", w, dim, True)
    difference = replace(b.Sub(w, center), shape=x.shape)
    squares = reduce(b, "ReduceSum", b.Mul(difference, difference), dim, keepdim)
    count = b.Cast(b.count(x, normalized(dim, x.rank)), w.dtype)
    variance = b.Div(squares, b.Max(b.Sub(count, float(correction)), 0.0))
    return variance, center if keepdim else reduce(b, "ReduceMean", w, dim, False)


@converter(aten.var.correction, aten.var.dim, aten.std.correction, aten.std.dim, dtypes=FLOATS)
def var(b: GraphWriter, x: Value, dim: Any = None, unbiased: bool = True, keepdim: bool = False, *,
        correction: Any = None) -> Value:
    assert b.node is not None
    correction = (1 if unbiased else 0) if correction is None else correction
    variance = _moments(b, x, dim, correction, keepdim)[0]
    return b.Sqrt(variance) if b.node.target in (aten.std.correction, aten.std.dim) else variance


@converter(aten.var_mean.correction, dtypes=FLOATS)
def var_mean(b: GraphWriter, x: Value, dim: Any = None, *, correction: Any = None,
             keepdim: bool = False) -> tuple[Value, Value]:
    return _moments(b, x, dim, 1 if correction is None else correction, keepdim)


@converter(aten.logsumexp.default)
def logsumexp(b: GraphWriter, x: Value, dim: Any, keepdim: bool = False) -> Value:
    w = b.wide(b.floating(x))
    most = reduce(b, "ReduceMax", w, dim, True)
    finite = b.Where(b.IsInf(most), b.scalar(0.0, w.dtype), most)
    total = reduce(b, "ReduceSum", replace(b.Exp(b.Sub(w, finite)), shape=x.shape), dim, True)
    result = b.Add(b.Log(total), finite)
    return result if keepdim or x.rank == 0 else b.Squeeze(result, b.ints(normalized(dim, x.rank)))


@converter(aten.linalg_vector_norm.default, dtypes=FLOATS)
def vector_norm(b: GraphWriter, x: Value, ord: Any = 2, dim: Any = None, keepdim: bool = False, *,
                dtype: Any = None) -> Value:
    w = b.wide(b.Cast(x, dtype) if dtype is not None else x)
    size = b.Abs(w)
    if ord == float("inf"):
        return reduce(b, "ReduceMax", size, dim, keepdim)
    if ord == float("-inf"):
        return reduce(b, "ReduceMin", size, dim, keepdim)
    if ord == 0:
        return reduce(b, "ReduceSum", b.Cast(b.Not(b.Equal(size, 0.0)), w.dtype), dim, keepdim)
    if ord == 1:
        return reduce(b, "ReduceSum", size, dim, keepdim)
    if ord == 2:
        return b.Sqrt(reduce(b, "ReduceSum", b.Mul(w, w), dim, keepdim))
    return b.Pow(reduce(b, "ReduceSum", b.Pow(size, float(ord)), dim, keepdim), 1 / float(ord))


@converter(aten.cumsum.default)
def cumsum(b: GraphWriter, x: Value, dim: int, *, dtype: Any = None) -> Value:
    w = b.wide(b.Cast(x, b.dtype))
    return w if x.rank == 0 else b.CumSum(w, b.scalar(dim % x.rank, torch.int64))


@converter(aten._local_scalar_dense.default, dtypes=INTEGERS | {torch.bool})
def item(b: GraphWriter, x: Value) -> Value:
    if isinstance(b.result(), torch.SymFloat):
        raise Unsupported("a number that depends on data and is no integer")
    return b.reshape(b.Cast(x, torch.int64), [])
