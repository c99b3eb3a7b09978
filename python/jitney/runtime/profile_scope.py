# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Which optimization profile runs must fit, for a while."""
from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Generic, TypeVar

from .. import _jitney
from .targets import engines_of

if TYPE_CHECKING:
    from ..engine import Engine

T = TypeVar("T")
AUTO = -1


class optimization_profile(Generic[T]):
    """`with optimization_profile(target, 1) as target:` runs of all engines under the target must fit profile 1 until
    the block ends. None is profile 0; "auto", which is what holds outside, keeps the profile in use as long as a shape
    fits it, and else takes the first that does. Makes no context, and survives new ones. TypeError for a profile that
    is no index, ValueError for one that an engine has not. Scopes may end in any order; one instance may be entered
    again."""

    def __init__(self, target: T, profile: int | str | None = None) -> None:
        self._profile = profile_number(profile)
        self._target = target
        self._entered: list[list[tuple[Engine, int]]] = []

    def __enter__(self) -> T:
        added: list[tuple[Engine, int]] = []
        try:
            for engine in engines_of(self._target):
                added.append((engine, engine._add_optimization_profile(self._profile)))
        except BaseException:
            _remove(added)
            raise
        self._entered.append(added)
        return self._target

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        _remove(self._entered.pop())


def _remove(added: list[tuple[Engine, int]]) -> None:
    for engine, scope in reversed(added):
        engine._remove_optimization_profile(scope)


def profile_number(profile: int | str | None) -> int:
    if profile is None:
        return 0
    if isinstance(profile, str):
        if profile != "auto":
            raise _jitney.UserError(f"Invalid optimization profile: {profile!r}. Expected an index, 'auto' or None")
        return AUTO
    if not isinstance(profile, int) or isinstance(profile, bool):
        raise TypeError(f"an optimization profile is an index, 'auto' or None, found {type(profile).__name__}")
    if profile < 0:
        raise _jitney.UserError(f"Invalid optimization profile: {profile}. Indices count from 0")
    return profile
