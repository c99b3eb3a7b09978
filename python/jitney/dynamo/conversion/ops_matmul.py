# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Matrix products."""
from __future__ import annotations

from typing import Any

import torch

from .registry import converter
from .values import FLOATS, INTEGERS, Value
from .writer import GraphWriter

aten = torch.ops.aten
NUMERIC = FLOATS | INTEGERS


@converter(aten.mm.default, aten.bmm.default, aten.matmul.default, aten.mv.default, dtypes=NUMERIC)
def matmul(b: GraphWriter, x: Value, y: Value) -> Value:
    return b.MatMul(x, y)


@converter(aten.dot.default, aten.vdot.default, dtypes=NUMERIC)
def dot(b: GraphWriter, x: Value, y: Value) -> Value:
    return b.MatMul(x, y)


@converter(aten.linear.default, dtypes=NUMERIC)
def linear(b: GraphWriter, x: Value, weight: Value, bias: Value | None = None) -> Value:
    product = b.MatMul(x, b.swap(weight, 0, 1) if weight.rank == 2 else weight)
    return product if bias is None else b.Add(product, bias)


def _scaled(b: GraphWriter, x: Value, factor: Any) -> Value:
    return x if factor == 1 else b.Mul(x, b.number(factor, x.dtype))


@converter(aten.addmm.default, aten.baddbmm.default, aten.addmv.default, dtypes=NUMERIC)
def addmm(b: GraphWriter, bias: Value, x: Value, y: Value, *, beta: Any = 1, alpha: Any = 1) -> Value:
    product = _scaled(b, b.MatMul(x, y), alpha)
    if beta == 0:  # the bias is ignored, NaN and all
        return product
    return b.Add(product, _scaled(b, b.Cast(bias, product.dtype), beta))


@converter(aten.addbmm.default, dtypes=NUMERIC)
def addbmm(b: GraphWriter, bias: Value, x: Value, y: Value, *, beta: Any = 1, alpha: Any = 1) -> Value:
    product = _scaled(b, b.ReduceSum(b.MatMul(b.wide(x), b.wide(y)), b.ints([0]), keepdims=0), alpha)
    return product if beta == 0 else b.Add(product, _scaled(b, b.Cast(bias, product.dtype), beta))


@converter(aten.addr.default, dtypes=NUMERIC)
def addr(b: GraphWriter, bias: Value, x: Value, y: Value, *, beta: Any = 1, alpha: Any = 1) -> Value:
    product = _scaled(b, b.Mul(b.unsqueeze(x, 1), b.unsqueeze(y, 0)), alpha)
    return product if beta == 0 else b.Add(product, _scaled(b, b.Cast(bias, product.dtype), beta))
