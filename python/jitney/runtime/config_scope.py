# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Other settings for a while."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .engine_scope import EngineScope, T
from .settings import RuntimeSettings, check_names

if TYPE_CHECKING:
    from ..engine import Engine


class runtime_config(EngineScope[T]):
    """`with runtime_config(target, cuda_graph_strategy=..., ...) as target:` other settings for all engines under the
    target until the block ends. A target is an Engine, a module that contains engines, or a list or tuple of these.

    Settings belong to the engine, not to the thread. Scopes may overlap and end in any order: what holds is the
    engine's own settings under those of the scopes that live, in the order in which they were entered. One instance may
    be entered again, also while it is entered. TypeError at once for a setting that does not exist, ValueError for a
    value that is not allowed.
    """

    def __init__(self, target: T, **overrides: Any) -> None:
        check_names(overrides)
        checked = RuntimeSettings(**overrides).fields()  # checks values, and gives them the form that C++ takes
        self._specialization = checked[0] if "dynamic_shapes_kernel_specialization_strategy" in overrides else None
        self._graphs = checked[1] if "cuda_graph_strategy" in overrides else None
        self._cache = (checked[2],) if "runtime_cache" in overrides else None
        super().__init__(target)

    def _begin(self, engine: Engine) -> int:
        return engine._add_overrides(self._specialization, self._graphs, self._cache)

    def _end(self, engine: Engine, scope: int) -> None:
        engine._remove_overrides(scope)


class set_dynamic_shapes_kernel_strategy(runtime_config[T]):
    """runtime_config() with dynamic_shapes_kernel_specialization_strategy alone."""

    def __init__(self, target: T, strategy: str) -> None:
        super().__init__(target, dynamic_shapes_kernel_specialization_strategy=strategy)


class set_cuda_graph_strategy(runtime_config[T]):
    """runtime_config() with cuda_graph_strategy alone."""

    def __init__(self, target: T, strategy: str) -> None:
        super().__init__(target, cuda_graph_strategy=strategy)
