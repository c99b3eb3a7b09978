# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Elements at indices that are data."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from .registry import converter
from .values import Unsupported, Value
from .writer import GraphWriter

aten = torch.ops.aten
_REDUCTIONS = {"sum": "add", "prod": "mul", "amax": "max", "amin": "min"}


def _plain(b: GraphWriter, x: Value) -> tuple[Value, torch.dtype]:
    """Booleans as bytes, for operators that move numbers."""
    return (b.Cast(x, torch.uint8) if x.dtype == torch.bool else x), x.dtype


@converter(aten.embedding.default)
def embedding(b: GraphWriter, weight: Value, indices: Value, padding_idx: int = -1, scale_grad_by_freq: bool = False,
              sparse: bool = False) -> Value:
    return b.Gather(weight, indices, axis=0)


@converter(aten.index_select.default)
def index_select(b: GraphWriter, x: Value, dim: int, index: Value) -> Value:
    if x.rank == 0:
        return b.reshape(b.expand(b.unsqueeze(x, 0), b.result().shape or [1]), b.result().shape)
    if index.rank == 0:
        index = b.unsqueeze(index, 0)
    return b.Gather(x, index, axis=dim % x.rank)


@converter(aten.gather.default)
def gather(b: GraphWriter, x: Value, dim: int, index: Value, *, sparse_grad: bool = False) -> Value:
    index = b.Cast(index, torch.int64)
    if x.rank == 0 or index.rank == 0:
        line = b.GatherElements(b.reshape(x, [-1]), b.reshape(index, [-1]), axis=0)
        return b.reshape(line, b.result().shape)
    return b.GatherElements(_corner(b, x, index, dim % x.rank), index, axis=dim % x.rank)


def _corner(b: GraphWriter, x: Value, index: Value, axis: int) -> Value:
    """What indices smaller than the tensor can reach: off the axis they count from 0."""
    assert x.shape is not None and index.shape is not None
    for other, (whole, part) in enumerate(zip(x.shape, index.shape)):
        if other != axis and not _same(whole, part):
            x = Value(b.cut(x, other, 0, part).name, x.dtype, (*x.shape[:other], part, *x.shape[other + 1:]))
    return x


def _same(first: Any, second: Any) -> bool:
    from .shapes import expression

    return bool(expression(first) == expression(second))


def _scatter(b: GraphWriter, x: Value, dim: int, index: Value, source: Value, reduction: str = "none") -> Value:
    assert x.shape is not None and index.shape is not None
    whole_shape, places = x.shape, index.shape
    x, dtype = _plain(b, x)
    source = b.Cast(source, x.dtype)
    index = b.Cast(index, torch.int64)
    if x.rank == 0 or index.rank == 0:
        line = b.ScatterElements(b.reshape(x, [-1]), b.reshape(index, [-1]), b.reshape(source, [-1]), axis=0,
                                 reduction=reduction)
        return b.Cast(b.reshape(line, whole_shape), dtype)
    # A source may be larger than the indices.
    if source.shape is not None:
        for axis, (whole, part) in enumerate(zip(source.shape, places)):
            if not _same(whole, part):
                shape = (*source.shape[:axis], part, *source.shape[axis + 1:])
                source = Value(b.cut(source, axis, 0, part).name, source.dtype, shape)
    return b.Cast(b.ScatterElements(x, index, source, axis=dim % x.rank, reduction=reduction, shape=whole_shape), dtype)


@converter(aten.scatter.src)
def scatter(b: GraphWriter, x: Value, dim: int, index: Value, src: Value) -> Value:
    return _scatter(b, x, dim, index, src)


@converter(aten.scatter.value)
def scatter_value(b: GraphWriter, x: Value, dim: int, index: Value, value: Any) -> Value:
    return _scatter(b, x, dim, index, b.expand(b.number(value, x.dtype), index.shape or []))


@converter(aten.scatter.reduce, aten.scatter.value_reduce)
def scatter_with(b: GraphWriter, x: Value, dim: int, index: Value, src: Any, *, reduce: str) -> Value:
    if not isinstance(src, Value):
        src = b.expand(b.number(src, x.dtype), index.shape or [])
    return _scatter(b, x, dim, index, src, {"add": "add", "multiply": "mul"}[reduce])


@converter(aten.scatter_add.default)
def scatter_add(b: GraphWriter, x: Value, dim: int, index: Value, src: Value) -> Value:
    if x.dtype == torch.bool:
        return _scatter(b, x, dim, index, src, "max")
    return _scatter(b, b.wide(x), dim, index, src, "add")


@converter(aten.scatter_reduce.two)
def scatter_reduce(b: GraphWriter, x: Value, dim: int, index: Value, src: Value, reduce: str, *,
                   include_self: bool = True) -> Value:
    if reduce not in _REDUCTIONS:
        raise Unsupported(f"the reduction '{reduce}'")
    if x.dtype == torch.bool:
        reduction = {"sum": "max", "prod": "min", "amax": "max", "amin": "min"}[reduce]
    else:
        reduction, x = _REDUCTIONS[reduce], b.wide(x)
    if not include_self:
        x = _scatter(b, x, dim, index, b.expand(_neutral(b, reduction, x.dtype), index.shape or []))
    return _scatter(b, x, dim, index, src, reduction)


def _neutral(b: GraphWriter, reduction: str, dtype: torch.dtype) -> Value:
    if reduction in ("add", "mul"):
        return b.scalar(int(reduction == "mul"), dtype)
    if dtype == torch.bool:
        return b.scalar(reduction == "min", dtype)
    if dtype.is_floating_point:
        return b.scalar(float("-inf") if reduction == "max" else float("inf"), dtype)
    limits = torch.iinfo(dtype)
    return b.scalar(limits.min if reduction == "max" else limits.max, dtype)


# Indexing by tensors: x[:, i, j]

def _masks_refused(indices: Sequence[Value | None]) -> None:
    if any(index is not None and index.dtype in (torch.bool, torch.uint8) for index in indices):
        raise Unsupported("a mask as an index")


def _coordinates(b: GraphWriter, indices: Sequence[Value], extents: Sequence[Any]) -> tuple[Value, list[Any]]:
    """[..., count] of indices broadcast together, and the shape without the last axis."""
    shape = list(torch.broadcast_shapes(*[tuple(index.shape or ()) for index in indices]))
    parts = [b.unsqueeze(b.expand(b.Cast(index, torch.int64), shape), len(shape)) for index in indices]
    return (parts[0] if len(parts) == 1 else b.Concat(*parts, axis=len(shape))), shape


@converter(aten.index.Tensor, aten._unsafe_index.Tensor)
def index(b: GraphWriter, x: Value, indices: Sequence[Value | None]) -> Value:
    if len(indices) == 1 and indices[0] is not None and indices[0].dtype == torch.bool:
        return _masked(b, x, indices[0])
    _masks_refused(indices)
    axes = [axis for axis, given in enumerate(indices) if given is not None]
    given = [index for index in indices if index is not None]
    if len(given) == 1:
        return b.Gather(x, given[0], axis=axes[0])
    assert x.shape is not None
    others = [axis for axis in range(x.rank) if axis not in axes]
    front = b.transpose(x, [*axes, *others])
    at, shape = _coordinates(b, given, x.shape)
    picked = b.GatherND(front, at)  # shape + others
    adjacent = axes == list(range(axes[0], axes[-1] + 1))
    if not adjacent or axes[0] == 0:
        return picked
    count, before = len(shape), axes[0]
    order = [*range(count, count + before), *range(count), *range(count + before, count + len(others))]
    return b.Transpose(picked, perm=order)


def _masked(b: GraphWriter, x: Value, mask: Value) -> Value:
    found = b.Transpose(b.NonZero(mask), perm=[1, 0])
    return b.GatherND(x, found)


@converter(aten.index_put.default, aten._unsafe_index_put.default)
def index_put(b: GraphWriter, x: Value, indices: Sequence[Value | None], values: Value,
              accumulate: bool = False) -> Value:
    given = [index for index in indices if index is not None]
    if len(given) == 1 and indices[0] is not None and given[0].dtype == torch.bool:
        if not accumulate and values.rank <= max(x.rank - given[0].rank, 0) + 1 and _is_one(values, x, given[0]):
            mask = b.unsqueeze(given[0], *range(given[0].rank, x.rank)) if x.rank > given[0].rank else given[0]
            return b.Where(mask, b.Cast(values, x.dtype), x)
        raise Unsupported("values that go one by one to where a mask is true")
    _masks_refused(indices)
    assert x.shape is not None and values.shape is not None
    extents = x.shape
    x, dtype = _plain(b, x)
    axes = [axis for axis, index in enumerate(indices) if index is not None]
    others = [axis for axis in range(x.rank) if axis not in axes]
    order = [*axes, *others]
    at, shape = _coordinates(b, given, extents)
    # Values have the shape of the result of indexing: its axes go where those of `order` are.
    adjacent = axes == list(range(axes[0], axes[-1] + 1))
    before = axes[0] if adjacent else 0
    rest = [extents[axis] for axis in others]
    wanted = [*rest[:before], *shape, *rest[before:]]
    values = b.expand(b.Cast(values, x.dtype), wanted)
    if before:
        count = len(shape)
        values = b.transpose(values, [*range(before, before + count), *range(before),
                                      *range(before + count, len(wanted))])
    reduction = "none" if not accumulate else "max" if dtype == torch.bool else "add"
    put = b.ScatterND(b.transpose(x, order), at, values, reduction=reduction, shape=[extents[axis] for axis in order])
    back = [order.index(axis) for axis in range(x.rank)]
    return b.Cast(b.transpose(put, back) if back != list(range(x.rank)) else put, dtype)


def _is_one(values: Value, x: Value, mask: Value) -> bool:
    """Whether all places get the same values: there is no axis of them for the places."""
    rest = x.rank - mask.rank
    return values.rank <= rest or (values.rank == rest + 1 and (values.shape or (0,))[0] == 1 and rest == 0)


@converter(aten.masked_scatter.default)
def masked_scatter(b: GraphWriter, x: Value, mask: Value, source: Value) -> Value:
    shape = b.result().shape
    mask = b.expand(mask, shape)
    # The n-th true place gets the n-th element; other places read some element that is not used.
    place = b.Sub(b.CumSum(b.Cast(b.reshape(mask, [-1]), torch.int64), b.scalar(0, torch.int64)), 1)
    line = b.reshape(source, [-1])
    picked = b.Gather(b.Concat(line, b.scalar_line(0, source.dtype), axis=0), b.Max(place, 0), axis=0)
    return b.Where(mask, b.reshape(picked, shape), b.expand(x, shape))


@converter(aten.index_add.default)
def index_add(b: GraphWriter, x: Value, dim: int, index: Value, source: Value, *, alpha: Any = 1) -> Value:
    if x.rank == 0 or source.rank != x.rank:
        raise Unsupported("it adds to a scalar")
    source = b.Cast(source, x.dtype) if alpha == 1 else b.Mul(source, b.number(alpha, source.dtype))
    axis = dim % x.rank
    shape = source.shape if source.shape is not None else b.result().shape
    line = index if index.rank == 1 else b.unsqueeze(index, 0)
    lined = b.unsqueeze(line, *[a for a in range(x.rank) if a != axis]) if x.rank > 1 else line
    given = b.node.args[3].meta["val"].shape if b.node is not None else shape  # type: ignore[union-attr]
    spread = b.expand(b.Cast(lined, torch.int64), given)
    if x.dtype == torch.bool:
        return _scatter(b, x, axis, spread, source, "max")
    return _scatter(b, b.wide(x), axis, spread, Value(source.name, source.dtype, tuple(given)), "add")


@converter(aten.index_copy.default)
def index_copy(b: GraphWriter, x: Value, dim: int, index: Value, source: Value) -> Value:
    if x.rank == 0 or source.rank != x.rank:
        raise Unsupported("it writes to a scalar")
    axis = dim % x.rank
    line = index if index.rank == 1 else b.unsqueeze(index, 0)
    lined = b.unsqueeze(line, *[a for a in range(x.rank) if a != axis]) if x.rank > 1 else line
    return _scatter(b, x, axis, b.expand(b.Cast(lined, torch.int64), source.shape or []), source)


@converter(aten.index_fill.int_Scalar, aten.index_fill.int_Tensor)
def index_fill(b: GraphWriter, x: Value, dim: int, index: Value, value: Any) -> Value:
    assert x.shape is not None
    if x.rank == 0:
        return b.number(value, x.dtype)
    axis = dim % x.rank
    line = index if index.rank == 1 else b.unsqueeze(index, 0)
    lined = b.unsqueeze(line, *[a for a in range(x.rank) if a != axis]) if x.rank > 1 else line
    shape = [*x.shape]
    shape[axis] = (line.shape or (1,))[0]
    return _scatter(b, x, axis, b.expand(b.Cast(lined, torch.int64), shape), b.expand(b.number(value, x.dtype), shape))


@converter(aten.nonzero.default)
def nonzero(b: GraphWriter, x: Value) -> Value:
    return b.Transpose(b.NonZero(x), perm=[1, 0])


def _part(b: GraphWriter, x: Value, source: Value, axis: int, start: Any, end: Any, step: Any) -> Value:
    """`x` with elements start, start + step, ... of an axis from `source`."""
    assert x.shape is not None
    at = b.Range(b.dim(start), b.dim(end), b.dim(step))
    order = [axis, *[a for a in range(x.rank) if a != axis]]
    moved = b.transpose(x, order) if axis else x
    source = b.transpose(source, order) if axis else source
    put = b.ScatterND(moved, b.Unsqueeze(at, b.ints([1])), source, shape=moved.shape)
    return b.transpose(put, [order.index(a) for a in range(x.rank)]) if axis else put


@converter(aten.slice_scatter.default)
def slice_scatter(b: GraphWriter, x: Value, src: Value, dim: int = 0, start: Any = None, end: Any = None,
                  step: Any = 1) -> Value:
    assert x.shape is not None and src.shape is not None
    axis = dim % x.rank
    extent, count = x.shape[axis], src.shape[axis]
    x, dtype = _plain(b, x)
    src = b.Cast(src, x.dtype)
    first: Any = 0 if start is None else start
    if isinstance(first, int) and first < 0:
        first = extent + first
        if isinstance(first, int):
            first = max(first, 0)
    if _same(count, extent):
        return b.Cast(src, dtype)
    if isinstance(first, int) and isinstance(extent, int):
        first = min(first, extent)
    if step == 1:
        # Between what is before and what is behind: a copy instead of a scatter.
        parts = []
        if not (isinstance(first, int) and first == 0):
            parts.append(b.cut(x, axis, 0, first))
        parts.append(src)
        if not _same(first + count, extent):
            parts.append(b.cut(x, axis, first + count, None))
        return b.Cast(b.Concat(*parts, axis=axis) if len(parts) > 1 else src, dtype)
    return b.Cast(_part(b, x, src, axis, first, first + count * step, step), dtype)


@converter(aten.select_scatter.default)
def select_scatter(b: GraphWriter, x: Value, src: Value, dim: int, index: Any) -> Value:
    assert x.shape is not None
    axis = dim % x.rank
    at = b.dim(index + x.shape[axis] if isinstance(index, int) and index < 0 else index)
    steps = b.Range(b.scalar(0, torch.int64), b.dim(x.shape[axis]), b.scalar(1, torch.int64))
    here = b.Equal(steps, at)
    if axis < x.rank - 1:
        here = b.Unsqueeze(here, b.ints(range(1, x.rank - axis)))
    return b.Where(here, b.unsqueeze(b.Cast(src, x.dtype), axis), x)


@converter(aten.diagonal_scatter.default, dynamic_shapes=False)
def diagonal_scatter(b: GraphWriter, x: Value, src: Value, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Value:
    assert x.shape is not None
    x, dtype = _plain(b, x)
    first, second = dim1 % x.rank, dim2 % x.rank
    order = [first, second, *[axis for axis in range(x.rank) if axis not in (first, second)]]
    moved = b.transpose(x, order)
    rows = torch.arange((src.shape or (1,))[-1])
    at = b.constant(torch.stack([rows + max(-offset, 0), rows + max(offset, 0)], dim=1))
    values = b.Cast(src, x.dtype)
    if x.rank > 2:
        values = b.transpose(values, [x.rank - 2, *range(x.rank - 2)])
    put = b.ScatterND(moved, at, values, shape=moved.shape)
    return b.Cast(b.transpose(put, [order.index(axis) for axis in range(x.rank)]), dtype)
