# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""An engine by its record."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .....dynamo.runtime import bound_engine, library, record

__all__ = ["TRTEngine"]


class TRTEngine:
    """TRTEngine(slots): the engine of a record of 12 slots. Its names are those of jitney.Engine, and execute()."""

    def __init__(self, serialized_info: Sequence[str], *, runtime: str | None = None) -> None:
        self._bound = bound_engine.make(record.parse_slots(list(serialized_info)), runtime or library.runtime())

    def execute(self, inputs: Sequence[Any]) -> Any:
        return self._bound.execute(inputs)

    def close(self) -> None:
        """May be called again, and on an object whose making failed."""
        bound = self.__dict__.get("_bound")
        if bound is not None:
            bound.engine.close()

    @property
    def runtime_settings(self) -> Any:
        return self._bound.engine.runtime_settings

    @runtime_settings.setter
    def runtime_settings(self, settings: Any) -> None:
        self._bound.engine.update_runtime_settings(settings)

    def _jitney_engines_(self) -> tuple[Any, ...]:
        return (self._bound.engine,)

    def __getstate__(self) -> list[str]:
        return self._bound.full_record().slots()

    def __setstate__(self, slots: list[str]) -> None:
        self.__init__(slots)  # type: ignore[misc]

    def __getattr__(self, name: str) -> Any:
        if name == "_bound":
            raise AttributeError(name)
        return getattr(self._bound.engine, name)
