# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Convolutions, plain and transposed, of one to three dimensions."""
from __future__ import annotations

from collections.abc import Sequence

import torch

from .registry import converter
from .values import FLOATS, Unsupported, Value
from .writer import GraphWriter

aten = torch.ops.aten


def _each(values: Sequence[int], count: int) -> list[int]:
    """One value stands for all dimensions."""
    return list(values) * count if len(values) == 1 else list(values)


@converter(aten.convolution.default, dtypes=FLOATS)
def convolution(b: GraphWriter, x: Value, weight: Value, bias: Value | None, stride: Sequence[int],
                padding: Sequence[int], dilation: Sequence[int], transposed: bool, output_padding: Sequence[int],
                groups: int) -> Value:
    assert weight.shape is not None
    spatial = weight.rank - 2
    if x.rank == weight.rank - 1:
        raise Unsupported("its input has no batch axis")
    kernel = list(weight.shape[2:])
    if any(not isinstance(extent, int) for extent in kernel):
        raise Unsupported("its kernel's extents are symbols")
    pads = _each(padding, spatial)
    options = {"kernel_shape": kernel, "strides": _each(stride, spatial), "pads": pads + pads,
               "dilations": _each(dilation, spatial), "group": groups}
    if transposed:
        # Windows overlap in sums, which halves are too coarse for.
        x, weight, bias = b.wide(x), b.wide(weight), None if bias is None else b.wide(bias)
        return b.ConvTranspose(x, weight, bias, output_padding=_each(output_padding, spatial), **options)
    return b.Conv(x, weight, bias, **options)
