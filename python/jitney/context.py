# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""What Engine.context gives."""
from __future__ import annotations

from typing import TYPE_CHECKING

from .stats import Stats

if TYPE_CHECKING:
    from .engine import Engine


class ExecutionContext:
    """A look at an engine's execution context: which number it has, and what it did. The C++ side holds the context
    itself, which other settings replace at the next run."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.number = engine.num_execution_contexts_created()
        self.runtime_settings = engine.runtime_settings

    @property
    def is_current(self) -> bool:
        """Whether no other one has taken its place."""
        return self.engine.has_context() and self.engine.num_execution_contexts_created() == self.number

    def stats(self) -> Stats:
        return self.engine.stats()

    def __repr__(self) -> str:
        return f"<ExecutionContext {self.number} of {self.engine!r}>"
