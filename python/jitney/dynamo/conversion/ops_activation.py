# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Activations, kept whole where a decomposition would say less."""
from __future__ import annotations

import torch

from .registry import converter
from .values import FLOATS, INTEGERS, Value
from .writer import GraphWriter

aten = torch.ops.aten
NUMERIC = FLOATS | INTEGERS


@converter(aten.gelu.default, dtypes=FLOATS)
def gelu(b: GraphWriter, x: Value, approximate: str = "none") -> Value:
    return b.Gelu(b.wide(x), approximate=approximate)


@converter(aten.silu.default, dtypes=FLOATS)
def silu(b: GraphWriter, x: Value) -> Value:
    w = b.wide(x)
    return b.Mul(w, b.Sigmoid(w))


@converter(aten.mish.default, dtypes=FLOATS)
def mish(b: GraphWriter, x: Value) -> Value:
    return b.Mish(b.wide(x))


@converter(aten.hardswish.default, dtypes=FLOATS)
def hardswish(b: GraphWriter, x: Value) -> Value:
    w = b.wide(x)
    return b.Div(b.Mul(w, b.Clip(b.Add(w, 3.0), 0.0, 6.0)), 6.0)


@converter(aten.hardsigmoid.default, dtypes=FLOATS)
def hardsigmoid(b: GraphWriter, x: Value) -> Value:
    return b.Div(b.Clip(b.Add(b.wide(x), 3.0), 0.0, 6.0), 6.0)


@converter(aten.hardtanh.default, dtypes=NUMERIC)
def hardtanh(b: GraphWriter, x: Value, min_val: float = -1, max_val: float = 1) -> Value:
    return b.Min(b.Max(x, b.number(min_val, x.dtype)), b.number(max_val, x.dtype))


@converter(aten.relu6.default, dtypes=NUMERIC)
def relu6(b: GraphWriter, x: Value) -> Value:
    return hardtanh(b, x, 0, 6)


@converter(aten.elu.default, dtypes=FLOATS)
def elu(b: GraphWriter, x: Value, alpha: float = 1, scale: float = 1, input_scale: float = 1) -> Value:
    w = b.wide(x)
    low = b.Mul(b.Sub(b.Exp(b.Mul(b.Min(w, 0.0), float(input_scale))), 1.0), float(alpha * scale))
    return b.Where(b.Greater(w, 0.0), b.Mul(w, float(scale)), low)


@converter(aten.leaky_relu.default, dtypes=FLOATS)
def leaky_relu(b: GraphWriter, x: Value, negative_slope: float = 0.01) -> Value:
    w = b.wide(x)
    return b.Where(b.Greater(w, 0.0), w, b.Mul(w, float(negative_slope)))


@converter(aten.prelu.default, aten._prelu_kernel.default, dtypes=FLOATS)
def prelu(b: GraphWriter, x: Value, weight: Value) -> Value:
    if weight.rank == 1 and x.rank > 1 and weight.shape != (1,):
        weight = b.unsqueeze(weight, *range(1, x.rank - 1)) if x.rank > 2 else weight
    elif weight.rank == 1 and x.rank == 0:
        weight = b.squeeze(weight, 0)
    return b.Where(b.Greater(x, 0.0), x, b.Mul(x, weight))


@converter(aten.softplus.default, dtypes=FLOATS)
def softplus(b: GraphWriter, x: Value, beta: float = 1, threshold: float = 20) -> Value:
    w = b.wide(x)
    scaled = b.Mul(w, float(beta))
    return b.Where(b.Greater(scaled, float(threshold)), w, b.Div(b.Softplus(scaled), float(beta)))


@converter(aten.log_sigmoid.default, dtypes=FLOATS)
def log_sigmoid(b: GraphWriter, x: Value) -> Value:
    return b.Neg(b.Softplus(b.Neg(b.wide(x))))


@converter(aten.log_sigmoid_forward.default, dtypes=FLOATS)
def log_sigmoid_forward(b: GraphWriter, x: Value) -> tuple[Value, None]:
    return log_sigmoid(b, x), None


@converter(aten.threshold.default, dtypes=NUMERIC)
def threshold(b: GraphWriter, x: Value, threshold: float, value: float) -> Value:
    return b.Where(b.LessOrEqual(x, b.number(threshold, x.dtype)), b.number(value, x.dtype), x)


@converter(aten.glu.default, dtypes=FLOATS)
def glu(b: GraphWriter, x: Value, dim: int = -1) -> Value:
    assert x.shape is not None
    axis = dim % x.rank
    half = x.shape[axis] // 2
    return b.Mul(b.cut(x, axis, 0, half), b.Sigmoid(b.cut(x, axis, half, None)))


def _normalize(b: GraphWriter, x: Value, dim: int, op_type: str) -> Value:
    w = b.wide(b.Cast(x, b.dtype) if b.dtype == torch.float64 else x)
    if x.rank == 0:
        return b.squeeze(b.op(op_type, b.unsqueeze(w, 0), axis=0), 0)
    return b.op(op_type, w, axis=dim % x.rank)


@converter(aten._softmax.default, aten.softmax.int, dtypes=FLOATS)
def softmax(b: GraphWriter, x: Value, dim: int, half_to_float: object = None) -> Value:
    return _normalize(b, x, dim, "Softmax")


@converter(aten._log_softmax.default, aten.log_softmax.int, dtypes=FLOATS)
def log_softmax(b: GraphWriter, x: Value, dim: int, half_to_float: object = None) -> Value:
    return _normalize(b, x, dim, "LogSoftmax")
