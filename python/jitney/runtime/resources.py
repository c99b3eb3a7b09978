# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Memory that runs use, for a while: intermediate values, and outputs."""
from __future__ import annotations

from typing import TYPE_CHECKING

from .engine_scope import EngineScope, T

if TYPE_CHECKING:
    from ..engine import Engine


class ResourceAllocationStrategy(EngineScope[T]):
    """`with ResourceAllocationStrategy(target):` each run takes the memory for its intermediate values, exactly what it
    needs, and gives it back, until the block ends; with dynamically_allocate_resources=False it is kept from run to
    run, which is what holds outside. Makes no context. Captured graphs keep their memory."""

    def __init__(self, target: T, dynamically_allocate_resources: bool = True) -> None:
        self._is_dynamic = bool(dynamically_allocate_resources)
        super().__init__(target)

    def _begin(self, engine: Engine) -> int:
        return engine._session.add_dynamic_allocation(self._is_dynamic)

    def _end(self, engine: Engine, scope: int) -> None:
        if not engine._is_closed:
            engine._session.remove_dynamic_allocation(scope)


class enable_pre_allocated_outputs(EngineScope[T]):
    """`with enable_pre_allocated_outputs(target):` a run writes into the arrays that the run before it in the same
    thread returned, until the block ends: they change under whoever still holds them. New ones are made where the
    shapes are others, where an input lies in them, where the run before was outside, and where shapes of outputs follow
    from data."""

    def _begin(self, engine: Engine) -> int:
        return engine._reused.begin()

    def _end(self, engine: Engine, scope: int) -> None:
        engine._reused.end(scope)
