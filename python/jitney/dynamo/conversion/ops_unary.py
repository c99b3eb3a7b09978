# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Elementwise functions of one tensor."""
from __future__ import annotations

import math
from typing import Any

import torch

from .registry import converter
from .values import ALL, FLOATS, INTEGERS, Unsupported, Value
from .writer import GraphWriter

aten = torch.ops.aten

_FLOATING = {  # integers and booleans become float32 first
    aten.acos: "Acos", aten.acosh: "Acosh", aten.asin: "Asin", aten.asinh: "Asinh", aten.atan: "Atan",
    aten.atanh: "Atanh", aten.cos: "Cos", aten.cosh: "Cosh", aten.erf: "Erf", aten.exp: "Exp", aten.log: "Log",
    aten.reciprocal: "Reciprocal", aten.sigmoid: "Sigmoid", aten.sin: "Sin", aten.sinh: "Sinh", aten.sqrt: "Sqrt",
    aten.tan: "Tan", aten.tanh: "Tanh",
}
_ROUNDING = {aten.ceil: "Ceil", aten.floor: "Floor"}  # integers stay as they are


def _register_simple() -> None:
    def floating(op_type: str) -> Any:
        return lambda b, x: b.op(op_type, b.floating(x))

    def rounding(op_type: str) -> Any:
        return lambda b, x: b.op(op_type, x) if x.dtype.is_floating_point else x

    for packet, op_type in _FLOATING.items():
        converter(packet.default)(floating(op_type))
    for packet, op_type in _ROUNDING.items():
        converter(packet.default, dtypes=FLOATS | INTEGERS)(rounding(op_type))


_register_simple()


@converter(aten.abs.default)
def abs_(b: GraphWriter, x: Value) -> Value:
    return x if x.dtype in (torch.bool, torch.uint8) else b.Abs(x)


@converter(aten.neg.default, dtypes=FLOATS | INTEGERS)
def neg(b: GraphWriter, x: Value) -> Value:
    return b.Sub(b.scalar(0, x.dtype), x) if x.dtype == torch.uint8 else b.Neg(x)


@converter(aten.sign.default, aten.sgn.default)
def sign(b: GraphWriter, x: Value) -> Value:
    if x.dtype == torch.bool:
        return x
    if not x.dtype.is_floating_point:
        return b.Sign(x)
    # of NaN it is 0 here
    return b.Sub(b.Cast(b.Greater(x, 0), x.dtype), b.Cast(b.Less(x, 0), x.dtype))


@converter(aten.relu.default, dtypes=FLOATS | INTEGERS)
def relu(b: GraphWriter, x: Value) -> Value:
    return x if x.dtype == torch.uint8 else b.Max(x, 0) if not x.dtype.is_floating_point else b.Relu(x)


@converter(aten.trunc.default, dtypes=FLOATS | INTEGERS)
def trunc(b: GraphWriter, x: Value) -> Value:
    return b.Where(b.Less(x, 0), b.Ceil(x), b.Floor(x)) if x.dtype.is_floating_point else x


@converter(aten.frac.default, dtypes=FLOATS)
def frac(b: GraphWriter, x: Value) -> Value:
    return b.Sub(x, trunc(b, x))


@converter(aten.round.default, dtypes=FLOATS | INTEGERS)
def round_(b: GraphWriter, x: Value) -> Value:
    return b.Round(x) if x.dtype.is_floating_point else x


@converter(aten.round.decimals, dtypes=FLOATS | INTEGERS)
def round_decimals(b: GraphWriter, x: Value, *, decimals: int) -> Value:
    if not x.dtype.is_floating_point:
        if decimals < 0:
            raise Unsupported("integers are not rounded to tens")
        return x
    if decimals == 0:
        return b.Round(x)
    w = b.wide(x)
    scale = 10.0**abs(decimals)
    return b.Div(b.Round(b.Mul(w, scale)), scale) if decimals > 0 else b.Mul(b.Round(b.Div(w, scale)), scale)


@converter(aten.rsqrt.default)
def rsqrt(b: GraphWriter, x: Value) -> Value:
    return b.Reciprocal(b.Sqrt(b.wide(b.floating(x))))


@converter(aten.exp2.default)
def exp2(b: GraphWriter, x: Value) -> Value:
    w = b.wide(b.floating(x))
    return b.Pow(b.scalar(2.0, w.dtype), w)


@converter(aten.expm1.default)
def expm1(b: GraphWriter, x: Value) -> Value:
    # exp(x) - 1 loses all digits near 0; tanh does not.
    w = b.wide(b.floating(x))
    return b.Mul(b.Tanh(b.Mul(w, 0.5)), b.Add(b.Exp(w), 1.0))


@converter(aten.log1p.default)
def log1p(b: GraphWriter, x: Value) -> Value:
    # What rounding took from 1 + x is put back as a factor.
    w = b.wide(b.floating(x))
    u = b.Add(w, 1.0)
    d = b.Sub(u, 1.0)
    corrected = b.Mul(b.Log(u), b.Div(w, d))
    return b.Where(b.Equal(d, 0.0), w, b.Where(b.IsInf(u), u, b.Where(b.Equal(u, 0.0), b.Log(u), corrected)))


def _log_of_base(base: float) -> Any:
    return lambda b, x: b.Mul(b.Log(b.wide(b.floating(x))), 1 / math.log(base))


converter(aten.log2.default)(_log_of_base(2))
converter(aten.log10.default)(_log_of_base(10))


@converter(aten.erfc.default)
def erfc(b: GraphWriter, x: Value) -> Value:
    w = b.wide(b.floating(x))
    return b.Sub(b.scalar(1.0, w.dtype), b.Erf(w))


@converter(aten.logical_not.default)
def logical_not(b: GraphWriter, x: Value) -> Value:
    return b.Not(b.Cast(x, torch.bool))


@converter(aten.bitwise_not.default, dtypes=ALL - FLOATS)
def bitwise_not(b: GraphWriter, x: Value) -> Value:
    return b.Not(x) if x.dtype == torch.bool else b.BitwiseNot(x)


@converter(aten.isnan.default)
def isnan(b: GraphWriter, x: Value) -> Value:
    return b.IsNaN(x) if x.dtype.is_floating_point else never(b, x)


@converter(aten.isinf.default)
def isinf(b: GraphWriter, x: Value) -> Value:
    return b.IsInf(x) if x.dtype.is_floating_point else never(b, x)


@converter(aten.isposinf.default, aten.isneginf.default)
def is_one_infinity(b: GraphWriter, x: Value) -> Value:
    assert b.node is not None
    if not x.dtype.is_floating_point:
        return never(b, x)
    positive = b.node.target == aten.isposinf.default
    return b.IsInf(x, detect_positive=int(positive), detect_negative=int(not positive))


def never(b: GraphWriter, x: Value) -> Value:
    return b.expand(b.scalar(False, torch.bool), x.shape or ())


@converter(aten.signbit.default)
def signbit(b: GraphWriter, x: Value) -> Value:
    if x.dtype in (torch.bool, torch.uint8):
        return never(b, x)
    if not x.dtype.is_floating_point:
        return b.Less(x, 0)
    negative_zero = b.And(b.Equal(x, 0), b.Less(b.Reciprocal(x), 0))
    return b.Or(b.Less(x, 0), negative_zero)


@converter(aten.nan_to_num.default)
def nan_to_num(b: GraphWriter, x: Value, nan: float | None = None, posinf: float | None = None,
               neginf: float | None = None) -> Value:
    if not x.dtype.is_floating_point:
        return x
    limits = torch.finfo(x.dtype)
    most, least = (limits.max if posinf is None else posinf), (limits.min if neginf is None else neginf)
    result = b.Where(b.IsNaN(x), b.scalar(nan or 0.0, x.dtype), x)
    result = b.Where(b.IsInf(x, detect_negative=0), b.scalar(most, x.dtype), result)
    return b.Where(b.IsInf(x, detect_positive=0), b.scalar(least, x.dtype), result)
