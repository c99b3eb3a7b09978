# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""The settings of a running engine."""
from __future__ import annotations

import dataclasses
import os
from typing import Any, Literal, Union

from .. import _jitney
from .caches import RuntimeCache, as_runtime_cache

SpecializationStrategy = Literal["lazy", "eager", "none"]
CudaGraphStrategy = Literal["disabled", "whole_graph_capture"]
CacheSetting = Union[None, str, "os.PathLike[str]", RuntimeCache]
# As C++ takes them: the two strategies' underlying integers, and the cache.
Fields = tuple[int, int, Union[None, str, RuntimeCache]]


def _choices(row: int) -> dict[str, int]:
    """The names of one row of the table of settings, with their underlying integers."""
    return {name: number for number, name in enumerate(_TABLE[row][3].split("|"))}


# Names, values, defaults and documentation come from the C++ side's table (include/jitney/runtime_settings.h).
_TABLE = _jitney.runtime_settings_table()
_DEFAULTS = _jitney.runtime_settings_defaults()
DYNAMIC_SHAPES_KERNEL_SPECIALIZATION_STRATEGIES = _choices(0)
CUDA_GRAPH_STRATEGIES = _choices(1)


def _name_of(number: int, choices: dict[str, int]) -> Any:
    return next(name for name, value in choices.items() if value == number)


def _checked_choice(setting: str, value: object, choices: dict[str, int]) -> None:
    if not isinstance(value, str) or value not in choices:
        raise _jitney.UserError(f"Invalid {setting}: {value!r}. Expected one of {list(choices)}")


def cache_setting(value: object) -> str | RuntimeCache | None:
    """What a runtime_cache is kept as: None, a path as str, or a handle. TypeError for anything else."""
    if value is None:
        return None
    if isinstance(value, (str, os.PathLike)):
        return os.fsdecode(value) or None
    handle = as_runtime_cache(value)
    if handle is None:
        raise TypeError(f"runtime_cache must be None, a path or a RuntimeCache, found {type(value).__name__}")
    return handle


@dataclasses.dataclass(frozen=True)
class RuntimeSettings:
    """How an engine runs, as far as that may change between two runs. A value: frozen, hashable, equal when all fields
    are (two caches are equal when they are one handle). Never part of an engine file.

    dynamic_shapes_kernel_specialization_strategy: "lazy" (generic kernels run at once, specialized ones are compiled in
        the background), "eager" (the call waits for them), "none" (generic kernels only).
    cuda_graph_strategy: "disabled", or "whole_graph_capture": each shape's launches become one CUDA graph.
    runtime_cache: None (kernels stay in the engine's memory), a path, or a RuntimeCache; by default the per-user store.
    """

    dynamic_shapes_kernel_specialization_strategy: SpecializationStrategy = _name_of(
        _DEFAULTS[0], DYNAMIC_SHAPES_KERNEL_SPECIALIZATION_STRATEGIES)
    cuda_graph_strategy: CudaGraphStrategy = _name_of(_DEFAULTS[1], CUDA_GRAPH_STRATEGIES)
    runtime_cache: CacheSetting = dataclasses.field(default_factory=lambda: _jitney.default_cache_path() or None)

    def __post_init__(self) -> None:
        _checked_choice(_TABLE[0][0], self.dynamic_shapes_kernel_specialization_strategy,
                        DYNAMIC_SHAPES_KERNEL_SPECIALIZATION_STRATEGIES)
        _checked_choice(_TABLE[1][0], self.cuda_graph_strategy, CUDA_GRAPH_STRATEGIES)
        object.__setattr__(self, "runtime_cache", cache_setting(self.runtime_cache))

    def merge(self, **overrides: Any) -> RuntimeSettings:
        """The same with other values for some fields."""
        check_names(overrides)
        return dataclasses.replace(self, **overrides)

    def to_str(self) -> str:
        """Three lines for people."""
        return _jitney.runtime_settings_text(self.fields())

    def fields(self) -> Fields:
        """(specialization, graphs, cache) with the strategies' underlying integers."""
        cache = self.runtime_cache
        assert cache is None or isinstance(cache, (str, RuntimeCache))  # __post_init__ saw to it
        return (DYNAMIC_SHAPES_KERNEL_SPECIALIZATION_STRATEGIES[self.dynamic_shapes_kernel_specialization_strategy],
                CUDA_GRAPH_STRATEGIES[self.cuda_graph_strategy], cache)

    @classmethod
    def from_fields(cls, specialization: int, graphs: int, cache: CacheSetting) -> RuntimeSettings:
        """The opposite of fields(). ValueError for numbers that no strategy has."""
        for setting, number, choices in ((_TABLE[0][0], specialization, DYNAMIC_SHAPES_KERNEL_SPECIALIZATION_STRATEGIES),
                                         (_TABLE[1][0], graphs, CUDA_GRAPH_STRATEGIES)):
            if number not in choices.values():
                raise _jitney.UserError(f"Invalid {setting}: {number!r}. Expected one of {list(choices)}")
        return cls(_name_of(specialization, DYNAMIC_SHAPES_KERNEL_SPECIALIZATION_STRATEGIES),
                   _name_of(graphs, CUDA_GRAPH_STRATEGIES), cache)


_NAMES = [field.name for field in dataclasses.fields(RuntimeSettings)]
assert _NAMES == [row[0] for row in _TABLE], "the table of settings has other fields than RuntimeSettings"


def check_names(overrides: dict[str, Any]) -> None:
    unknown = sorted(set(overrides) - set(_NAMES))
    if unknown:
        raise TypeError(f"Unknown RuntimeSettings field(s): {unknown}. Valid fields: {_NAMES}")


def default_runtime_settings() -> RuntimeSettings:
    """The defaults, with what the environment says in their place (JITNEY_RUNTIME_CACHE and the like): what engines
    start from. ValueError for a variable with a value that is not allowed."""
    return RuntimeSettings.from_fields(*_jitney.runtime_settings_of_environment())
