# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""What an engine says of its inputs and outputs."""
from __future__ import annotations

from typing import Literal, NamedTuple


class TensorInfo(NamedTuple):
    """An input or output. An extent is a number, or an expression over symbols such as "batch" or "2*height": extents
    with the same text are equal in every run. `dtype` is numpy's name, and "bfloat16".

    A sequence is a list of arrays of that dtype and shape, where names stand for any extents, and ("...",) for any
    shape. What is optional may be None."""

    name: str
    dtype: str
    shape: tuple[int | str, ...]
    kind: Literal["tensor", "sequence"] = "tensor"
    optional: bool = False
