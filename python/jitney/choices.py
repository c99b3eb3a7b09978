# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Settings by name, with the numbers that they have in C++."""
from __future__ import annotations

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
