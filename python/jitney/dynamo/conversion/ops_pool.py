# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Pooling over windows, and over equal parts (adaptive)."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from .registry import converter
from .values import FLOATS, Unsupported, Value
from .writer import GraphWriter

aten = torch.ops.aten


def _each(values: Sequence[int] | int | None, count: int, otherwise: Sequence[int]) -> list[int]:
    values = [values] if isinstance(values, int) else list(values or [])
    return list(otherwise) if not values else values * count if len(values) == 1 else values


def _with_batch(b: GraphWriter, x: Value, spatial: int) -> tuple[Value, bool]:
    missing = x.rank == spatial + 1
    return (b.unsqueeze(x, 0) if missing else x), missing


def _avg_pool(spatial: int) -> Any:
    def convert(b: GraphWriter, x: Value, kernel_size: Any, stride: Any = (), padding: Any = 0,
                ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: int | None = None) -> Value:
        w, lacks_batch = _with_batch(b, b.wide(x), spatial)
        kernel = _each(kernel_size, spatial, [])
        pads = _each(padding, spatial, [0] * spatial)
        include = count_include_pad
        if divisor_override is not None:
            # Sums of windows: the mean over whole windows, padding counted, times what it was divided by.
            if ceil_mode:
                raise Unsupported("divisor_override with ceil_mode")
            include = True
        result = b.AveragePool(w, kernel_shape=kernel, strides=_each(stride, spatial, kernel), pads=pads + pads,
                               ceil_mode=int(ceil_mode), count_include_pad=int(include))
        if divisor_override is not None:
            area = 1
            for extent in kernel:
                area *= extent
            result = b.Mul(result, area / divisor_override)
        return b.Squeeze(result, b.ints([0])) if lacks_batch else result

    return convert


for _packet, _spatial in ((aten.avg_pool1d, 1), (aten.avg_pool2d, 2), (aten.avg_pool3d, 3)):
    converter(_packet.default, dtypes=FLOATS)(_avg_pool(_spatial))


def _max_pool(spatial: int) -> Any:
    def convert(b: GraphWriter, x: Value, kernel_size: Any, stride: Any = (), padding: Any = 0, dilation: Any = 1,
                ceil_mode: bool = False) -> tuple[Value, Value | None]:
        w, lacks_batch = _with_batch(b, x, spatial)
        kernel = _each(kernel_size, spatial, [])
        pads = _each(padding, spatial, [0] * spatial)
        used = b.node is not None and any(user.args[1] == 1 for user in b.node.users if len(user.args) > 1)
        results = b.MaxPool(w, kernel_shape=kernel, strides=_each(stride, spatial, kernel), pads=pads + pads,
                            dilations=_each(dilation, spatial, [1] * spatial), ceil_mode=int(ceil_mode),
                            outputs=2 if used else 1)
        values, at = results if used else (results, None)
        if at is not None:
            at = _in_plane(b, Value(at.name, torch.int64), w, spatial)
        if lacks_batch:
            values = b.Squeeze(values, b.ints([0]))
            at = None if at is None else b.Squeeze(at, b.ints([0]))
        return values, at

    return convert


def _in_plane(b: GraphWriter, at: Value, x: Value, spatial: int) -> Value:
    """ONNX counts in the whole tensor, PyTorch in one channel."""
    assert x.shape is not None
    return b.Mod(at, b.count(x, range(x.rank - spatial, x.rank)))


for _packet, _spatial in ((aten.max_pool2d_with_indices, 2), (aten.max_pool3d_with_indices, 3)):
    converter(_packet.default, dtypes=FLOATS)(_max_pool(_spatial))


def _adaptive_average(spatial: int) -> Any:
    def convert(b: GraphWriter, x: Value, output_size: Sequence[int]) -> Value:
        sizes = [output_size] if isinstance(output_size, int) else list(output_size)
        w, lacks_batch = _with_batch(b, b.wide(x), spatial)
        assert w.shape is not None
        if all(size == 1 for size in sizes):
            result = b.GlobalAveragePool(w)
        else:
            result = w
            for axis, size in enumerate(sizes, start=w.rank - spatial):
                result = _average_axis(b, result, axis, w.shape[axis], size)
        return b.Squeeze(result, b.ints([0])) if lacks_batch else result

    return convert


def _average_axis(b: GraphWriter, x: Value, axis: int, extent: Any, size: Any) -> Value:
    """Means of `size` parts of one axis, which may overlap: a product with a matrix of weights."""
    if not isinstance(extent, int) or not isinstance(size, int):
        raise Unsupported("it pools a symbolic extent to more than one part")
    if extent == size:
        return x
    weights = torch.zeros(extent, size, dtype=torch.float64)
    for part in range(size):
        start, end = part * extent // size, -(-(part + 1) * extent // size)
        weights[start:end, part] = 1 / (end - start)
    matrix = b.constant(weights.to(x.dtype))
    if x.shape is not None and axis == len(x.shape) - 1:
        return b.MatMul(x, matrix)
    rank = len(b.result().shape) + (1 if x.shape is None else 0)
    rank = max(rank, axis + 1)
    return _times_axis(b, x, matrix, axis)


def _times_axis(b: GraphWriter, x: Value, matrix: Value, axis: int) -> Value:
    letters = "abcdefg"[: _rank_of(b, x)]
    inside = letters[axis]
    return b.Einsum(x, matrix, equation=f"{letters},{inside}z->{letters.replace(inside, 'z')}")


def _rank_of(b: GraphWriter, x: Value) -> int:
    assert b.node is not None
    spatial = len(b.node.args[1]) if isinstance(b.node.args[1], (list, tuple)) else 1
    return x.rank if x.shape is not None else spatial + 2


for _packet, _spatial in ((aten.adaptive_avg_pool1d, 1), (aten._adaptive_avg_pool2d, 2), (aten._adaptive_avg_pool3d, 3)):
    converter(_packet.default, dtypes=FLOATS)(_adaptive_average(_spatial))


def _adaptive_max(spatial: int) -> Any:
    def convert(b: GraphWriter, x: Value, output_size: Sequence[int]) -> tuple[Value, None]:
        sizes = list(output_size)
        w, lacks_batch = _with_batch(b, x, spatial)
        assert w.shape is not None and b.node is not None
        if any(user.args[1] == 1 for user in b.node.users if len(user.args) > 1):
            raise Unsupported("the indices of adaptive max pooling")
        result = w
        for axis, size in enumerate(sizes, start=w.rank - spatial):
            extent = w.shape[axis]
            if not isinstance(extent, int) or not isinstance(size, int):
                raise Unsupported("it pools a symbolic extent")
            parts = [b.ReduceMax(b.cut(result, axis, p * extent // size, -(-(p + 1) * extent // size)), b.ints([axis]),
                                 keepdims=1) for p in range(size)]
            result = b.Concat(*parts, axis=axis) if len(parts) > 1 else parts[0]
        return (b.Squeeze(result, b.ints([0])) if lacks_batch else result), None

    return convert


for _packet, _spatial in ((aten.adaptive_max_pool2d, 2), (aten.adaptive_max_pool3d, 3)):
    converter(_packet.default, dtypes=FLOATS)(_adaptive_max(_spatial))
