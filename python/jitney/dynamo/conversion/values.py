# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Tensors of the model that is being written, and torch's dtypes by ONNX's numbers."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

ELEMENT_TYPES = {
    torch.float32: 1, torch.uint8: 2, torch.int8: 3, torch.uint16: 4, torch.int16: 5, torch.int32: 6, torch.int64: 7,
    torch.bool: 9, torch.float16: 10, torch.float64: 11, torch.uint32: 12, torch.uint64: 13, torch.bfloat16: 16,
}
FLOATS = frozenset({torch.float16, torch.bfloat16, torch.float32, torch.float64})
INTEGERS = frozenset({torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64})
WIDE_UNSIGNED = frozenset({torch.uint16, torch.uint32, torch.uint64})
NUMBERS = FLOATS | INTEGERS
ALL = NUMBERS | {torch.bool}


@dataclass(frozen=True)
class Value:
    """A tensor by its name in the model. `shape` holds ints and SymInts; None where only ONNX's rules know it."""

    name: str
    dtype: torch.dtype
    shape: tuple[Any, ...] | None = None

    @property
    def rank(self) -> int:
        assert self.shape is not None, f"the rank of {self.name} is not tracked"
        return len(self.shape)


class Unsupported(Exception):
    """A node that cannot be said in a model. Its text is the reason, a sentence without the operator's name."""


def wide(dtype: torch.dtype) -> torch.dtype:
    """What PyTorch computes with inside an operator: float32 for the halves."""
    return torch.float32 if dtype in (torch.float16, torch.bfloat16) else dtype
