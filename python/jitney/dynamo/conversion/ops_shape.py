# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Other shapes for the same elements, and parts of tensors."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy
import torch

from .registry import converter
from .shapes import expression, is_symbolic
from .values import Unsupported, Value
from .writer import GraphWriter

aten = torch.ops.aten


@converter(aten.view.default, aten.reshape.default, aten._unsafe_view.default, aten._reshape_copy.default)
def view(b: GraphWriter, x: Value, size: Sequence[Any]) -> Value:
    # What PyTorch found, rather than -1: extents of 0 leave that open.
    return b.reshape(x, b.result().shape)


@converter(aten.alias.default, aten.detach.default, aten.clone.default, aten.contiguous.default,
           aten.lift_fresh_copy.default, aten.lift_fresh.default, aten.alias_copy.default)
def same(b: GraphWriter, x: Value, **_: Any) -> Value:
    return x


@converter(aten.permute.default)
def permute(b: GraphWriter, x: Value, dims: Sequence[int]) -> Value:
    return b.transpose(x, [axis % x.rank for axis in dims]) if x.rank else x


@converter(aten.transpose.int)
def transpose(b: GraphWriter, x: Value, dim0: int, dim1: int) -> Value:
    return b.swap(x, dim0 % x.rank, dim1 % x.rank) if x.rank else x


@converter(aten.t.default)
def t(b: GraphWriter, x: Value) -> Value:
    return b.swap(x, 0, 1) if x.rank == 2 else x


@converter(aten.expand.default)
def expand(b: GraphWriter, x: Value, size: Sequence[Any], *, implicit: bool = False) -> Value:
    return b.expand(x, b.result().shape)


@converter(aten.squeeze.dim, aten.squeeze.dims, aten.squeeze.default)
def squeeze(b: GraphWriter, x: Value, dim: Any = None) -> Value:
    assert x.shape is not None
    if x.rank == 0:
        return x
    axes = range(x.rank) if dim is None else {d % x.rank for d in ([dim] if isinstance(dim, int) else dim)}
    ones = [axis for axis in sorted(axes) if not is_symbolic(x.shape[axis]) and x.shape[axis] == 1]
    return b.squeeze(x, *ones) if ones else x


@converter(aten.unsqueeze.default)
def unsqueeze(b: GraphWriter, x: Value, dim: int) -> Value:
    return b.unsqueeze(x, dim % (x.rank + 1))


@converter(aten.cat.default)
def cat(b: GraphWriter, tensors: Sequence[Value], dim: int = 0) -> Value:
    dtype = b.dtype
    # By an old courtesy an empty tensor of rank 1 goes with any shape.
    rank = len(b.result().shape)
    parts = [b.Cast(part, dtype) for part in tensors if not (part.shape == (0,) and rank != 1)]
    if not parts:
        return b.Cast(tensors[0], dtype)
    return parts[0] if len(parts) == 1 else b.Concat(*parts, axis=dim % rank)


@converter(aten.stack.default)
def stack(b: GraphWriter, tensors: Sequence[Value], dim: int = 0) -> Value:
    axis = dim % len(b.result().shape)
    return b.Concat(*[b.unsqueeze(b.Cast(part, b.dtype), axis) for part in tensors], axis=axis)


@converter(aten.split_with_sizes.default, aten.split.Tensor)
def split(b: GraphWriter, x: Value, split_size: Any, dim: int = 0) -> tuple[Value, ...]:
    axis = dim % x.rank
    parts, start = [], 0
    for part in b.result():
        end = start + part.shape[axis]
        parts.append(b.cut(x, axis, start, end))
        start = end
    return tuple(parts)


@converter(aten.unbind.int)
def unbind(b: GraphWriter, x: Value, dim: int = 0) -> tuple[Value, ...]:
    axis = dim % x.rank
    return tuple(b.select(x, axis, index) for index in range(len(b.result())))


@converter(aten.slice.Tensor)
def slice_(b: GraphWriter, x: Value, dim: int = 0, start: Any = None, end: Any = None, step: Any = 1) -> Value:
    # 2**63 - 1 says "to the end".
    last = None if end is None or (isinstance(end, int) and end >= 2**62) else end
    return b.cut(x, dim % x.rank, 0 if start is None else start, last, step)


@converter(aten.select.int)
def select(b: GraphWriter, x: Value, dim: int, index: Any) -> Value:
    return b.select(x, dim % x.rank, index)


@converter(aten.repeat.default, aten.tile.default)
def repeat(b: GraphWriter, x: Value, repeats: Sequence[Any]) -> Value:
    missing = len(repeats) - x.rank
    if missing > 0:
        x = b.unsqueeze(x, *range(missing))
    return b.Tile(x, b.shape_vector([1] * -missing + list(repeats))) if repeats else x


@converter(aten.flip.default)
def flip(b: GraphWriter, x: Value, dims: Sequence[int]) -> Value:
    if x.rank == 0 or not dims:
        return x
    axes = [axis % x.rank for axis in dims]
    count = len(axes)
    return b.Slice(x, b.ints([-1] * count), b.ints([-(2**63) + 1] * count), b.ints(axes), b.ints([-1] * count))


@converter(aten.roll.default)
def roll(b: GraphWriter, x: Value, shifts: Sequence[Any], dims: Sequence[int] = ()) -> Value:
    assert x.shape is not None
    if any(is_symbolic(shift) for shift in shifts):
        raise Unsupported("it shifts by a symbol")
    if 0 in x.shape or x.rank == 0:
        return x
    result = x if dims else b.reshape(x, [-1])
    shape = list(x.shape) if dims else [b.result().numel()]
    for shift, dim in zip(shifts, dims or [0]):
        axis, extent = dim % len(shape), shape[dim % len(shape)]
        if is_symbolic(extent):
            cut = (-shift) % extent
        else:
            cut = -shift % extent
            if cut == 0:
                continue
        result = b.Concat(b.cut(result, axis, cut, None), b.cut(result, axis, 0, cut), axis=axis)
    return result if dims else b.reshape(result, x.shape)


@converter(aten.diagonal.default)
def diagonal(b: GraphWriter, x: Value, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Value:
    first, second = dim1 % x.rank, dim2 % x.rank
    others = [axis for axis in range(x.rank) if axis not in (first, second)]
    x = b.transpose(x, [first, second, *others])
    assert x.shape is not None
    extent = b.result().shape[-1]
    steps = b.Range(b.scalar(0, torch.int64), b.dim(extent), b.scalar(1, torch.int64))
    rows, columns = b.Add(steps, max(-offset, 0)), b.Add(steps, max(offset, 0))
    at = b.Concat(b.Unsqueeze(rows, b.ints([1])), b.Unsqueeze(columns, b.ints([1])), axis=1)
    picked = b.GatherND(x, at)
    count = x.rank - 1
    return b.Transpose(picked, perm=[*range(1, count), 0]) if count > 1 else picked


@converter(aten.unfold.default)
def unfold(b: GraphWriter, x: Value, dimension: int, size: int, step: int) -> Value:
    if x.rank == 0:
        return b.reshape(x, [size])
    axis = dimension % x.rank
    count = b.result().shape[axis]
    starts = b.Mul(b.Range(b.scalar(0, torch.int64), b.dim(count), b.scalar(1, torch.int64)), step)
    at = b.Add(b.Unsqueeze(starts, b.ints([1])), b.ints(range(size)))
    windows = b.Gather(x, at, axis=axis)
    rank = x.rank + 1
    order = [i for i in range(rank) if i != axis + 1] + [axis + 1]
    return b.Transpose(windows, perm=order)


@converter(aten.as_strided.default)
def as_strided(b: GraphWriter, x: Value, size: Sequence[int], stride: Sequence[int], storage_offset: Any = None) -> Value:
    assert x.shape is not None and b.node is not None
    given = b.node.args[0].meta["val"]  # type: ignore[union-attr]
    if not given.is_contiguous():
        raise Unsupported("its input is not contiguous")
    if _is_reshape(x, size, stride) and (storage_offset is None or storage_offset is given.storage_offset()
                                         or (isinstance(storage_offset, int) and storage_offset == 0)):
        return b.reshape(x, size)
    if any(is_symbolic(extent) for extent in (*x.shape, *size, *stride)):
        raise Unsupported("it takes a view of symbolic extents that is no reshape")
    at = torch.zeros(tuple(size), dtype=torch.int64) + int(storage_offset or 0) - int(given.storage_offset())
    for axis, (extent, step) in enumerate(zip(size, stride)):
        shape = [1] * len(size)
        shape[axis] = extent
        at = at + (torch.arange(extent) * step).reshape(shape)
    if at.numel() and (int(at.max()) >= given.numel() or int(at.min()) < 0):
        raise Unsupported("it reads outside its input")
    return b.Gather(b.reshape(x, [-1]), b.constant(at), axis=0)


def _is_reshape(x: Value, size: Sequence[Any], stride: Sequence[Any]) -> bool:
    """Whether a view of a contiguous tensor has all its elements in their order."""
    elements: Any = sympy.Integer(1)
    for extent, step in zip(reversed(size), reversed(stride)):
        if expression(extent) != 1 and expression(step) != elements:
            return False
        elements = elements * expression(extent)
    total: Any = sympy.Integer(1)
    for extent in x.shape or ():
        total = total * expression(extent)
    return bool(sympy.expand(total - elements) == 0)
