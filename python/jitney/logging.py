# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""What Jitney says while it works: a line each on stderr.

    with jitney.logging.debug():
        engine(x)                     # each compile, each pass that changed something
"""
from __future__ import annotations

from types import TracebackType

from . import _jitney

# From few to many: each level includes those before it. The same names as in C++ and in JITNEY_LOG.
LEVELS = ("errors", "warnings", "info", "debug", "graphs")


def level() -> str:
    """The level in force."""
    return LEVELS[_jitney.log_level()]


def set_level(name: str) -> None:
    """The level outside of every scope; wins over JITNEY_LOG."""
    _jitney.set_log_level(_number(name))


def _number(name: str) -> int:
    if name not in LEVELS:
        raise _jitney.UserError(f"Invalid log level: {name!r}. Expected one of {list(LEVELS)}")
    return LEVELS.index(name)


class scope:
    """Another level until the block ends, in all threads, since compiles run in others. The scope entered last counts,
    in whatever order they end."""

    def __init__(self, name: str) -> None:
        self._level = _number(name)
        self._entered: list[_jitney.LogScope] = []

    def __enter__(self) -> None:
        self._entered.append(_jitney.LogScope(self._level))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._entered.pop().end()


def errors() -> scope:
    return scope("errors")


def warnings() -> scope:
    """The default: something is slower than it could be, and why."""
    return scope("warnings")


def info() -> scope:
    """Decisions: what a kernel falls back to, which cache entry is not used."""
    return scope("info")


def debug() -> scope:
    """Each compile, each pass that changed something."""
    return scope("debug")


def graphs() -> scope:
    """The graphs themselves, after each such pass."""
    return scope("graphs")
