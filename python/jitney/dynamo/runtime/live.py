# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Engines that live in this process, whoever has loaded them."""
from __future__ import annotations

from typing import Any

from ... import _jitney
from ...engine import Engine
from ...runtime.settings import RuntimeSettings
from ...runtime.targets import engines_of
from .module_engine import ModuleEngine


def live_engines(name: str = "", *, without: set[int] | None = None) -> list[Engine]:
    """Of that name, or all where it is empty, the oldest first; of `without` those with these numbers are left out."""
    found: list[Engine] = []
    for number, known_as in _jitney.registered_sessions(name):
        session = None if without and number in without else _jitney.find_session(number)
        if session is not None:
            engine = ModuleEngine._of_session(session, session.device())
            engine.given_name = known_as
            found.append(engine)
    return found


def apply_runtime_settings(target: Any, settings: RuntimeSettings) -> int:
    """Sets the runtime settings of every engine under `target` for its next run; how many there are.

    target: the name of engines that live in this process, inside packages too (the same package loaded twice has two
        of a name), or what jitney.runtime's scopes take: an engine, a module, a loaded program, a list of these.
    """
    if not isinstance(settings, RuntimeSettings):
        raise TypeError(f"settings must be a RuntimeSettings, found {type(settings).__name__}")
    engines = live_engines(target) if isinstance(target, str) else engines_of(target)
    for engine in engines:
        engine.update_runtime_settings(settings)
    return len(engines)
