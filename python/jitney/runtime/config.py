# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""How settings become an execution context."""
from __future__ import annotations

from typing import TYPE_CHECKING

from .settings import RuntimeSettings

if TYPE_CHECKING:
    from ..engine import Engine


class RuntimeConfig:
    """The settings with which an engine's contexts are made, and what follows from them. The C++ Session does the
    work; this is its view for code that asks such questions."""

    def __init__(self, settings: RuntimeSettings | None = None) -> None:
        self._settings = settings if settings is not None else RuntimeSettings()
        self._engine: Engine | None = None

    @property
    def settings(self) -> RuntimeSettings:
        return self._settings if self._engine is None else self._engine.runtime_settings

    def set_settings(self, settings: RuntimeSettings) -> bool:
        """Whether they changed; then the engine's next run makes a context for them."""
        changed = settings != self.settings
        self._settings = settings
        if self._engine is not None and changed:
            self._engine.update_runtime_settings(settings)
        return changed

    def ensure_initialized(self, engine: Engine) -> None:
        """From now on it is this engine's."""
        if self._engine is not engine:
            engine.update_runtime_settings(self._settings)
            self._engine = engine

    def reset(self) -> None:
        """Belongs to no engine any more, and keeps the settings."""
        self._settings = self.settings
        self._engine = None

    def create_execution_context(self, engine: Engine) -> object:
        """A new context of the engine for these settings."""
        self.ensure_initialized(engine)
        engine.invalidate_context()
        return engine.context

    def uses_internal_capture(self, cudagraphs_enabled: bool) -> bool:
        """Whether the engine captures CUDA graphs itself, given whether the process' mode asks for it."""
        return cudagraphs_enabled or self.settings.cuda_graph_strategy != "disabled"

    def is_monolithic_capturable(self, has_dynamic_input: bool, context: object = None, stream: int | None = None) -> bool:
        """Whether a graph of somebody else's may hold this engine, as far as settings and stream say it: the legacy
        default stream (0) cannot be captured, and under `lazy` a graph would freeze the generic kernels of a dynamic
        shape. Always on a CPU, where nothing is captured. `context`, of Engine.context, says which engine; without one
        it is the engine that this belongs to."""
        engine = getattr(context, "engine", self._engine)
        if engine is not None and engine.device == "cpu":
            return True
        is_lazy = self.settings.dynamic_shapes_kernel_specialization_strategy == "lazy"
        return stream != 0 and not (is_lazy and has_dynamic_input)
