# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""What an engine says of its inputs and outputs."""
from __future__ import annotations

from typing import NamedTuple


class TensorInfo(NamedTuple):
    """An input or output. An extent is a number, or an expression over symbols such as "batch" or "2*height": extents
    with the same text are equal in every run. `dtype` is numpy's name, and "bfloat16"."""

    name: str
    dtype: str
    shape: tuple[int | str, ...]
