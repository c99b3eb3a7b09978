# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""What all scopes over the engines of a target have in common."""
from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Generic, TypeVar

from .targets import engines_of

if TYPE_CHECKING:
    from ..engine import Engine

T = TypeVar("T")


class EngineScope(Generic[T]):
    """Begins something in every engine under the target and ends it with the block; gives the target. An engine keeps
    what holds without scopes, and the scopes that live in the order in which they were entered, so that they may
    overlap and end in any order, in any thread. One instance may be entered again. Entering that fails leaves nothing
    behind."""

    def __init__(self, target: T) -> None:
        self._target = target
        self._entered: list[list[tuple[Engine, int]]] = []

    def _begin(self, engine: Engine) -> int:
        raise NotImplementedError

    def _end(self, engine: Engine, scope: int) -> None:
        raise NotImplementedError

    def __enter__(self) -> T:
        begun: list[tuple[Engine, int]] = []
        try:
            for engine in engines_of(self._target):
                begun.append((engine, self._begin(engine)))
        except BaseException:
            self._end_all(begun)
            raise
        self._entered.append(begun)
        return self._target

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._end_all(self._entered.pop())

    def _end_all(self, begun: list[tuple[Engine, int]]) -> None:
        for engine, scope in reversed(begun):
            self._end(engine, scope)
