# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""New tensors of numbers, and other dtypes for given ones."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from .registry import converter
from .values import Unsupported, Value
from .writer import GraphWriter

aten = torch.ops.aten


def filled(b: GraphWriter, number: Any, extents: Sequence[Any], dtype: torch.dtype) -> Value:
    return b.expand(b.number(number, dtype), extents)


@converter(aten.full.default, aten.full_like.default, aten.new_full.default)
def full(b: GraphWriter, *args: Any, **_: Any) -> Value:
    return filled(b, args[-1], b.result().shape, b.dtype)


@converter(aten.zeros.default, aten.zeros_like.default, aten.new_zeros.default, aten.empty.memory_format,
           aten.empty_like.default, aten.new_empty.default, aten.empty_permuted.default, aten.empty_strided.default,
           aten.new_empty_strided.default)
def zeros(b: GraphWriter, *args: Any, **_: Any) -> Value:
    return filled(b, 0, b.result().shape, b.dtype)


@converter(aten.ones.default, aten.ones_like.default, aten.new_ones.default)
def ones(b: GraphWriter, *args: Any, **_: Any) -> Value:
    return filled(b, 1, b.result().shape, b.dtype)


@converter(aten.scalar_tensor.default)
def scalar_tensor(b: GraphWriter, number: Any, **_: Any) -> Value:
    return b.number(number, b.dtype)


@converter(aten.arange.start_step, aten.arange.start, aten.arange.default)
def arange(b: GraphWriter, *args: Any, **_: Any) -> Value:
    start, end, step = (0, args[0], 1) if len(args) == 1 else (*args, 1)[:3]
    if all(isinstance(value, (int, float)) for value in (start, end, step)):
        # Computed as PyTorch does; the sum of start and a rounded step is another number.
        return b.constant(torch.arange(start, end, step, dtype=b.dtype))
    if any(isinstance(value, float) for value in (start, end, step)):
        raise Unsupported("it counts from, to or by a float that meets a symbol")
    numbers = b.Range(*(b.number(value, torch.int64) for value in (start, end, step)))
    return b.Cast(numbers, b.dtype)


@converter(aten.linspace.default, dynamic_shapes=False)
def linspace(b: GraphWriter, start: float, end: float, steps: int, **_: Any) -> Value:
    return b.constant(torch.linspace(start, end, steps, dtype=b.dtype))


@converter(aten.eye.default, aten.eye.m, dynamic_shapes=False)
def eye(b: GraphWriter, n: int, m: int | None = None, **_: Any) -> Value:
    return b.constant(torch.eye(n, n if m is None else m, dtype=b.dtype))


@converter(aten.fill.Scalar, aten.fill.Tensor)
def fill(b: GraphWriter, x: Value, value: Any) -> Value:
    return filled(b, value, b.result().shape, x.dtype)


@converter(aten.copy.default)
def copy(b: GraphWriter, x: Value, source: Value, non_blocking: bool = False) -> Value:
    return b.expand(b.Cast(source, x.dtype), b.result().shape)


@converter(aten._to_copy.default, aten.to.dtype, aten.to.dtype_layout, aten.type_as.default,
           torch.ops.prims.convert_element_type.default)
def to_copy(b: GraphWriter, x: Value, *_: Any, **__: Any) -> Value:
    dtype = b.dtype
    if x.dtype.is_floating_point and dtype in (torch.int8, torch.uint8, torch.int16):
        return b.Cast(b.Cast(x, torch.int32), dtype)  # wraps as PyTorch's does
    return b.Cast(x, dtype)


@converter(aten.native_dropout.default)
def native_dropout(b: GraphWriter, x: Value, p: float, train: bool | None) -> tuple[Value, Value]:
    if train is not False and p != 0:
        raise Unsupported("dropout in training")
    return x, filled(b, True, b.result(1).shape, torch.bool)


@converter(aten.dropout.default)
def dropout(b: GraphWriter, x: Value, p: float, train: bool) -> Value:
    if train and p != 0:
        raise Unsupported("dropout in training")
    return x
