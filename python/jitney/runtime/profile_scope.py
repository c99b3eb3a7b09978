# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Which optimization profile runs must fit, for a while."""
from __future__ import annotations

from typing import TYPE_CHECKING

from .. import _jitney
from .engine_scope import EngineScope, T

if TYPE_CHECKING:
    from ..engine import Engine

AUTO = -1


class optimization_profile(EngineScope[T]):
    """`with optimization_profile(target, 1) as target:` runs of all engines under the target must fit profile 1 until
    the block ends. None is profile 0; "auto", which is what holds outside, keeps the profile in use as long as a shape
    fits it, and else takes the first that does. Makes no context, and survives new ones. TypeError for a profile that
    is no index, ValueError for one that an engine has not. Scopes may end in any order; one instance may be entered
    again."""

    def __init__(self, target: T, profile: int | str | None = None) -> None:
        self._profile = profile_number(profile)
        super().__init__(target)

    def _begin(self, engine: Engine) -> int:
        return engine._add_optimization_profile(self._profile)

    def _end(self, engine: Engine, scope: int) -> None:
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
