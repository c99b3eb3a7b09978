# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Padding, and triangles."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from .registry import converter
from .shapes import is_symbolic
from .values import Value
from .writer import GraphWriter

aten = torch.ops.aten


def _pads(b: GraphWriter, rank: int, padding: Sequence[Any]) -> tuple[Value, Value, bool]:
    """PyTorch's pairs from the last axis on as ONNX's (pads, axes), and whether one is or may be negative."""
    count = len(padding) // 2
    axes = [rank - 1 - i for i in range(count)]
    pads = [padding[2 * i] for i in range(count)] + [padding[2 * i + 1] for i in range(count)]
    return b.shape_vector(pads), b.ints(axes), any(not is_symbolic(pad) and pad < 0 for pad in pads)


@converter(aten.constant_pad_nd.default)
def constant_pad(b: GraphWriter, x: Value, pad: Sequence[Any], value: Any = 0) -> Value:
    if not pad:
        return x
    pads, axes, _ = _pads(b, x.rank, pad)
    return b.Pad(x, pads, b.number(value, x.dtype), axes, mode="constant")


@converter(aten.reflection_pad1d.default, aten.reflection_pad2d.default, aten.reflection_pad3d.default)
def reflection_pad(b: GraphWriter, x: Value, padding: Sequence[Any]) -> Value:
    return _mirrored(b, x, padding, "reflect")


@converter(aten.replication_pad1d.default, aten.replication_pad2d.default, aten.replication_pad3d.default)
def replication_pad(b: GraphWriter, x: Value, padding: Sequence[Any]) -> Value:
    return _mirrored(b, x, padding, "edge")


def _mirrored(b: GraphWriter, x: Value, padding: Sequence[Any], mode: str) -> Value:
    assert x.shape is not None
    negative = [min(pad, 0) for pad in padding]
    positive = [max(pad, 0) for pad in padding]
    result = x
    if any(positive):
        pads, axes, _ = _pads(b, x.rank, positive)
        result = b.Pad(result, pads, None, axes, mode=mode)
    for i in range(len(padding) // 2):
        axis = x.rank - 1 - i
        if negative[2 * i] or negative[2 * i + 1]:
            result = b.cut(result, axis, -negative[2 * i], negative[2 * i + 1] or None)
    return result


@converter(aten.tril.default, aten.triu.default)
def triangle(b: GraphWriter, x: Value, diagonal: int = 0) -> Value:
    assert b.node is not None
    return b.Trilu(x, b.scalar(diagonal, torch.int64), upper=int(b.node.target == aten.triu.default))
