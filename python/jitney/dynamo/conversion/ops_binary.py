# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Elementwise functions of two tensors, with PyTorch's promotion of dtypes."""
from __future__ import annotations

from typing import Any

import torch
from torch._prims_common import ELEMENTWISE_TYPE_PROMOTION_KIND as Promotion

from .registry import converter
from .values import ALL, FLOATS, INTEGERS, Unsupported, Value
from .writer import GraphWriter

aten = torch.ops.aten
NUMERIC = FLOATS | INTEGERS
BITS = ALL - FLOATS


@converter(aten.add.Tensor, aten.add.Scalar)
def add(b: GraphWriter, x: Any, y: Any, alpha: Any = 1) -> Value:
    x, y = b.operands(x, y)
    if x.dtype == torch.bool:
        return b.Or(x, y) if alpha else x
    return b.Add(x, y if alpha == 1 else b.Mul(y, b.number(alpha, y.dtype)))


@converter(aten.sub.Tensor, aten.sub.Scalar, dtypes=ALL)
def sub(b: GraphWriter, x: Any, y: Any, alpha: Any = 1) -> Value:
    x, y = b.operands(x, y)
    return b.Sub(x, y if alpha == 1 else b.Mul(y, b.number(alpha, y.dtype)))


@converter(aten.rsub.Tensor, aten.rsub.Scalar)
def rsub(b: GraphWriter, x: Any, y: Any, alpha: Any = 1) -> Value:
    return sub(b, y, x, alpha) if isinstance(y, Value) else _rsub_scalar(b, x, y, alpha)


def _rsub_scalar(b: GraphWriter, x: Value, y: Any, alpha: Any) -> Value:
    x, number = b.operands(x, y)
    return b.Sub(number, x if alpha == 1 else b.Mul(x, b.number(alpha, x.dtype)))


@converter(aten.mul.Tensor, aten.mul.Scalar)
def mul(b: GraphWriter, x: Any, y: Any) -> Value:
    x, y = b.operands(x, y)
    return b.And(x, y) if x.dtype == torch.bool else b.Mul(x, y)


@converter(aten.div.Tensor, aten.div.Scalar, aten.true_divide.Tensor)
def div(b: GraphWriter, x: Any, y: Any) -> Value:
    return b.Div(*b.operands(x, y, kind=Promotion.INT_TO_FLOAT))


@converter(aten.div.Tensor_mode, aten.div.Scalar_mode, aten.floor_divide.default)
def div_mode(b: GraphWriter, x: Any, y: Any, *, rounding_mode: str | None = "floor") -> Value:
    if rounding_mode is None:
        return div(b, x, y)
    x, y = b.operands(x, y)
    if not x.dtype.is_floating_point:
        return b.Div(x, y) if rounding_mode == "trunc" or x.dtype == torch.uint8 else _floor_divide(b, x, y)
    x, y = b.wide(x), b.wide(y)
    if rounding_mode == "trunc":
        quotient = b.Div(x, y)
        return b.Where(b.Less(quotient, 0), b.Ceil(quotient), b.Floor(quotient))
    # The exact quotient of what is left without the remainder; floor(x / y) may be one too many.
    rest = b.Mod(x, y, fmod=1)
    exact = b.Div(b.Sub(x, rest), y)
    exact = b.Where(b.And(b.Not(b.Equal(rest, 0)), b.Xor(b.Less(rest, 0), b.Less(y, 0))), b.Sub(exact, 1), exact)
    rounded = b.Floor(b.Add(exact, 0.5))
    return b.Where(b.Equal(y, 0), b.Div(x, y), rounded)


def _floor_divide(b: GraphWriter, x: Value, y: Value) -> Value:
    quotient = b.Div(x, y)
    rest = b.Sub(x, b.Mul(quotient, y))
    below = b.And(b.Not(b.Equal(rest, 0)), b.Xor(b.Less(rest, 0), b.Less(y, 0)))
    return b.Sub(quotient, b.Cast(below, x.dtype))


@converter(aten.fmod.Tensor, aten.fmod.Scalar, dtypes=NUMERIC)
def fmod(b: GraphWriter, x: Any, y: Any) -> Value:
    return b.Mod(*b.operands(x, y), fmod=1)


@converter(aten.remainder.Tensor, aten.remainder.Scalar, aten.remainder.Scalar_Tensor, dtypes=ALL)
def remainder(b: GraphWriter, x: Any, y: Any) -> Value:
    x, y = b.operands(x, y)
    if not x.dtype.is_floating_point:
        return b.Mod(x, y)  # the sign of the divisor
    rest = b.Mod(x, y, fmod=1)
    return b.Where(b.And(b.Not(b.Equal(rest, 0)), b.Xor(b.Less(rest, 0), b.Less(y, 0))), b.Add(rest, y), rest)


@converter(aten.pow.Tensor_Tensor, aten.pow.Tensor_Scalar, aten.pow.Scalar, dtypes=ALL)
def pow_(b: GraphWriter, x: Any, y: Any) -> Value:
    if isinstance(y, (int, float)) and isinstance(x, Value) and x.dtype.is_floating_point:
        known = {0.5: b.Sqrt, 1: lambda v: v, -1: b.Reciprocal}.get(y)
        if known is not None:
            return known(x)
        if y in (2, 3, -2):
            w = b.wide(x)
            square = b.Mul(w, w)
            return {2: lambda: square, 3: lambda: b.Mul(square, w), -2: lambda: b.Reciprocal(square)}[int(y)]()
    return b.Pow(*b.operands(x, y))


def _register_min_max() -> None:
    for packet, op_type, logic in ((aten.maximum, "Max", "Or"), (aten.minimum, "Min", "And")):
        def extreme(b: GraphWriter, x: Any, y: Any, op_type: str = op_type, logic: str = logic) -> Value:
            x, y = b.operands(x, y)
            return b.op(logic if x.dtype == torch.bool else op_type, x, y)

        converter(packet.default)(extreme)

    for packet, op_type, logic in ((aten.fmax, "Max", "Or"), (aten.fmin, "Min", "And")):
        def extreme_number(b: GraphWriter, x: Any, y: Any, op_type: str = op_type, logic: str = logic) -> Value:
            x, y = b.operands(x, y)
            if not x.dtype.is_floating_point:
                return b.op(logic if x.dtype == torch.bool else op_type, x, y)
            return b.Where(b.IsNaN(x), y, b.Where(b.IsNaN(y), x, b.op(op_type, x, y)))

        converter(packet.default)(extreme_number)


_register_min_max()


def _register_comparisons() -> None:
    for packet, op_type in ((aten.eq, "Equal"), (aten.ge, "GreaterOrEqual"), (aten.gt, "Greater"),
                            (aten.le, "LessOrEqual"), (aten.lt, "Less")):
        def compare(b: GraphWriter, x: Any, y: Any, op_type: str = op_type) -> Value:
            x, y = b.operands(x, y)
            if x.dtype == torch.bool and op_type != "Equal":
                x, y = b.Cast(x, torch.uint8), b.Cast(y, torch.uint8)
            return b.op(op_type, x, y)

        converter(packet.Tensor, packet.Scalar)(compare)

    @converter(aten.ne.Tensor, aten.ne.Scalar)
    def unequal(b: GraphWriter, x: Any, y: Any) -> Value:
        return b.Not(b.Equal(*b.operands(x, y)))


_register_comparisons()


def _register_logic() -> None:
    for name in ("and", "or", "xor"):
        logic, bits = name.capitalize(), "Bitwise" + name.capitalize()

        def logical(b: GraphWriter, x: Value, y: Value, logic: str = logic) -> Value:
            return b.op(logic, b.Cast(x, torch.bool), b.Cast(y, torch.bool))

        def bitwise(b: GraphWriter, x: Any, y: Any, logic: str = logic, bits: str = bits) -> Value:
            x, y = b.operands(x, y)
            return b.op(logic if x.dtype == torch.bool else bits, x, y)

        converter(getattr(aten, f"logical_{name}").default)(logical)
        packet = getattr(aten, f"bitwise_{name}")
        converter(packet.Tensor, packet.Scalar, packet.Scalar_Tensor, dtypes=BITS)(bitwise)


_register_logic()


@converter(aten.bitwise_left_shift.Tensor, aten.bitwise_left_shift.Tensor_Scalar, aten.__lshift__.Scalar,
           aten.__lshift__.Tensor, dtypes=INTEGERS)
def left_shift(b: GraphWriter, x: Any, y: Any) -> Value:
    x, y = b.operands(x, y)
    power = b.Cast(b.Pow(b.scalar(2, torch.int64), b.Cast(y, torch.int64)), x.dtype)
    return b.Mul(x, power)


@converter(aten.bitwise_right_shift.Tensor, aten.bitwise_right_shift.Tensor_Scalar, aten.__rshift__.Scalar,
           aten.__rshift__.Tensor, dtypes=INTEGERS)
def right_shift(b: GraphWriter, x: Any, y: Any) -> Value:
    x, y = b.operands(x, y)
    if x.dtype == torch.int64:
        raise Unsupported("int64 is not shifted right")
    power = b.Pow(b.scalar(2, torch.int64), b.Cast(y, torch.int64))
    return b.Cast(_floor_divide(b, b.Cast(x, torch.int64), power), x.dtype)


@converter(aten.atan2.default)
def atan2(b: GraphWriter, y: Any, x: Any) -> Value:
    y, x = map(b.wide, b.operands(y, x, kind=Promotion.INT_TO_FLOAT))
    pi = torch.pi
    y_below = b.Or(b.Less(y, 0), b.Less(b.Reciprocal(y), 0))  # -0 too
    x_below = b.Or(b.Less(x, 0), b.And(b.Equal(x, 0), b.Less(b.Reciprocal(x), 0)))
    across = b.Where(y_below, b.scalar(-pi, x.dtype), b.scalar(pi, x.dtype))
    angle = b.Atan(b.Div(y, x))
    result = b.Where(x_below, b.Add(angle, across), angle)
    result = b.Where(b.And(b.Equal(y, 0), b.Equal(x, 0)), b.Where(x_below, across, y), result)
    both = b.And(b.IsInf(x), b.IsInf(y))
    quarter = b.Where(x_below, b.Mul(across, 0.75), b.Mul(across, 0.25))
    return b.Where(both, quarter, result)


@converter(aten.copysign.Tensor, aten.copysign.Scalar)
def copysign(b: GraphWriter, x: Any, y: Any) -> Value:
    x, y = b.operands(x, y, kind=Promotion.INT_TO_FLOAT)
    negative = b.Or(b.Less(y, 0), b.And(b.Equal(y, 0), b.Less(b.Reciprocal(y), 0)))
    size = b.Abs(x)
    return b.Where(negative, b.Neg(size), size)


@converter(aten.where.self)
def where(b: GraphWriter, condition: Value, x: Any, y: Any) -> Value:
    x, y = b.operands(x, y)
    return b.Where(b.Cast(condition, torch.bool), x, y)


@converter(aten.masked_fill.Scalar, aten.masked_fill.Tensor)
def masked_fill(b: GraphWriter, x: Value, mask: Value, value: Any) -> Value:
    return b.Where(mask, b.number(value, x.dtype), x)


@converter(aten.clamp.default, aten.clamp.Tensor, aten.clamp_min.default, aten.clamp_min.Tensor)
def clamp(b: GraphWriter, x: Value, min: Any = None, max: Any = None) -> Value:
    limits = [limit for limit in (min, max) if limit is not None]
    dtype = b.promote(x, *limits)
    result = b.Cast(x, dtype)
    if min is not None:
        result = b.Max(result, b.number(min, dtype))
    return result if max is None else b.Min(result, b.number(max, dtype))


@converter(aten.clamp_max.default, aten.clamp_max.Tensor)
def clamp_max(b: GraphWriter, x: Value, max: Any) -> Value:
    return clamp(b, x, None, max)


@converter(aten.addcmul.default, dtypes=NUMERIC)
def addcmul(b: GraphWriter, x: Value, first: Value, second: Value, *, value: Any = 1) -> Value:
    dtype = b.promote(x, first, second)
    wide = torch.float32 if dtype in (torch.float16, torch.bfloat16) else dtype
    x, first, second = (b.Cast(v, wide) for v in (x, first, second))
    product = b.Mul(first, second)
    return b.Add(x, product if value == 1 else b.Mul(product, b.number(value, wide)))


@converter(aten.addcdiv.default, dtypes=FLOATS)
def addcdiv(b: GraphWriter, x: Value, first: Value, second: Value, *, value: Any = 1) -> Value:
    wide = [b.wide(v) for v in b.operands(x, first, second)]
    quotient = b.Div(wide[1], wide[2])
    return b.Add(wide[0], quotient if value == 1 else b.Mul(quotient, b.number(value, quotient.dtype)))
