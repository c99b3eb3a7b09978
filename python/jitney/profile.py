# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""What Engine.profile() gives."""
from __future__ import annotations

from typing import NamedTuple


class StepProfile(NamedTuple):
    """One step of a run: a kernel, a library call, or a piece that the reference interpreter runs."""

    name: str  # the model's, of the operator that says most about it
    done_by: str  # "kernel 3", "interpreter", or the library's implementation: "jit:avx512_core"
    seconds: float  # median
    operations: int  # multiplications and additions of a library call; -1 where they are not known


class Profile(NamedTuple):
    """Where the time of a run goes. Medians, in seconds."""

    steps: tuple[StepProfile, ...]
    seconds: float  # of the whole run
    outside: float  # of that, outside the steps
