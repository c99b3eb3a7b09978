# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Settings by name, with the numbers that they have in C++."""
from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence

from ._jitney import UserError

PRECISIONS = {"fp32": 0, "bf16": 1}
DENORMALS = {"flush": 0, "keep": 1}
TACTICS = {"heuristic": 0, "timed": 1}


def choose(setting: str, value: str, choices: dict[str, int]) -> int:
    if not isinstance(value, str):
        raise TypeError(f"{setting} must be a str, found {type(value).__name__}")
    if value not in choices:
        raise UserError(f"Invalid {setting}: {value!r}. Expected one of {list(choices)}")
    return choices[value]


def count(setting: str, value: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{setting} must be an int, found {type(value).__name__}")
    if not 0 <= value <= 65536:
        raise UserError(f"{setting} must be from 0 to 65536, found {value}")
    return value


def extents(what: str, shape: Sequence[int]) -> list[int]:
    """A shape's extents as ints, NumPy's among them. TypeError and UserError say of `what` what is wrong."""
    if isinstance(shape, (str, bytes)) or not isinstance(shape, Iterable):
        raise TypeError(f"{what} must be a sequence of ints, found {type(shape).__name__}")
    found = []
    for extent in shape:
        try:
            number = operator.index(extent)
        except TypeError:
            raise TypeError(f"{what} must be a sequence of ints, found {type(extent).__name__} in it") from None
        if not -2**63 <= number < 2**63:
            raise UserError(f"{what} has an extent of {number}, which is no size")
        found.append(number)
    return found
