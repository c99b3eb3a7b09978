# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Warnings of what was asked for and changes nothing."""
from __future__ import annotations

import threading
import warnings

_lock = threading.Lock()
_told: set[str] = set()


def warn_once(what: str, why: str) -> None:
    """One UserWarning a process for each `what`."""
    with _lock:
        if what in _told:
            return
        _told.add(what)
    warnings.warn(f"jitney: {what} has no effect: {why}", UserWarning, stacklevel=3)
