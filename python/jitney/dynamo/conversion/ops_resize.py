# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Interpolation of images and signals."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from .registry import converter
from .values import FLOATS, Unsupported, Value
from .writer import GraphWriter

aten = torch.ops.aten
U8 = frozenset({torch.uint8})


def _resize(b: GraphWriter, x: Value, scales: Sequence[float | None], mode: str, coordinates: str,
            nearest: str = "floor", dtypes_wide: bool = True) -> Value:
    assert x.shape is not None
    out = b.result().shape
    spatial = len(out) - 2
    w = b.wide(x) if dtypes_wide else x
    options: dict[str, Any] = {"mode": mode, "coordinate_transformation_mode": coordinates}
    if mode == "nearest":
        options["nearest_mode"] = nearest
    if mode == "cubic":
        options["cubic_coeff_a"] = -0.75
    axes = list(range(2, 2 + spatial))
    given = [scale for scale in scales if scale is not None]
    if len(given) == spatial and coordinates != "align_corners":
        # PyTorch samples by the scale that it was given, not by the extents that came of it.
        exact = all(isinstance(o, int) and isinstance(i, int) and abs(o / max(i, 1) - s) < 1e-9 * s
                    for o, i, s in zip(out[2:], x.shape[2:], given))
        if not exact:
            if w.dtype == torch.float64:
                raise Unsupported("scale factors that its extents do not say exactly")
            return b.Resize(w, None, b.constant(torch.tensor(given, dtype=torch.float32)), axes=axes, **options)
    return b.Resize(w, None, None, b.shape_vector(out[2:]), axes=axes, **options)


def _register_nearest() -> None:
    for spatial, packet, exact in ((1, aten.upsample_nearest1d, aten._upsample_nearest_exact1d),
                                   (2, aten.upsample_nearest2d, aten._upsample_nearest_exact2d),
                                   (3, aten.upsample_nearest3d, aten._upsample_nearest_exact3d)):
        for target, coordinates, nearest in ((packet, "asymmetric", "floor"),
                                             (exact, "half_pixel", "round_prefer_ceil")):
            def default(b: GraphWriter, x: Value, output_size: Any, *scales: Any, coordinates: str = coordinates,
                        nearest: str = nearest, **named: Any) -> Value:
                return _resize(b, x, [*scales, *named.values()], "nearest", coordinates, nearest, False)

            def vec(b: GraphWriter, x: Value, output_size: Any, scale_factors: Any = None,
                    coordinates: str = coordinates, nearest: str = nearest) -> Value:
                return _resize(b, x, list(scale_factors or []), "nearest", coordinates, nearest, False)

            converter(target.default, dtypes=FLOATS | U8)(default)
            converter(target.vec, dtypes=FLOATS | U8)(vec)


_register_nearest()


def _register_linear() -> None:
    for packet, mode in ((aten.upsample_linear1d, "linear"), (aten.upsample_bilinear2d, "linear"),
                         (aten.upsample_trilinear3d, "linear"), (aten.upsample_bicubic2d, "cubic")):
        def default(b: GraphWriter, x: Value, output_size: Any, align_corners: bool, *scales: Any, mode: str = mode,
                    **named: Any) -> Value:
            return _resize(b, x, [*scales, *named.values()], mode, _coordinates(align_corners))

        def vec(b: GraphWriter, x: Value, output_size: Any, align_corners: bool, scale_factors: Any = None,
                mode: str = mode) -> Value:
            return _resize(b, x, list(scale_factors or []), mode, _coordinates(align_corners))

        converter(packet.default, dtypes=FLOATS)(default)
        converter(packet.vec, dtypes=FLOATS)(vec)


def _coordinates(align_corners: bool) -> str:
    return "align_corners" if align_corners else "half_pixel"


_register_linear()

_SAMPLES = ("linear", "nearest", "cubic")
_PADDING = ("zeros", "border", "reflection")


@converter(aten.grid_sampler_2d.default, aten.grid_sampler_3d.default, dtypes=FLOATS)
def grid_sampler(b: GraphWriter, x: Value, grid: Value, interpolation_mode: int, padding_mode: int,
                 align_corners: bool) -> Value:
    return b.GridSample(b.wide(x), b.wide(grid), mode=_SAMPLES[interpolation_mode], padding_mode=_PADDING[padding_mode],
                        align_corners=int(align_corners))


@converter(aten.pixel_shuffle.default, aten.pixel_unshuffle.default)
def pixel_shuffle(b: GraphWriter, x: Value, factor: int) -> Value:
    assert b.node is not None and x.shape is not None
    *batch, c, h, w = x.shape
    n = len(batch)
    if b.node.target == aten.pixel_shuffle.default:
        parts = b.reshape(x, [*batch, c // factor**2, factor, factor, h, w])
        order = [*range(n), n, n + 3, n + 1, n + 4, n + 2]
    else:
        parts = b.reshape(x, [*batch, c, h // factor, factor, w // factor, factor])
        order = [*range(n), n, n + 2, n + 4, n + 1, n + 3]
    return b.reshape(b.transpose(parts, order), b.result().shape)


@converter(aten.col2im.default, dtypes=FLOATS)
def col2im(b: GraphWriter, x: Value, output_size: Sequence[Any], kernel_size: Sequence[int], dilation: Sequence[int],
           padding: Sequence[int], stride: Sequence[int]) -> Value:
    w = b.wide(x)
    lacks_batch = x.rank == 2
    if lacks_batch:
        w = b.unsqueeze(w, 0)
    result = b.Col2Im(w, b.shape_vector(output_size), b.ints(kernel_size), dilations=list(dilation),
                      pads=[*padding, *padding], strides=list(stride))
    return b.Squeeze(result, b.ints([0])) if lacks_batch else result
