# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""The cache of compiled kernels. It is a class of the C++ side; this is the module in which users look for it."""
from __future__ import annotations

import atexit
from collections.abc import Callable
from multiprocessing import util as multiprocessing_util

from .._jitney import RuntimeCache, autosave_runtime_caches

__all__ = ["RuntimeCache", "as_runtime_cache", "register_cache_adapter"]

_adapters: list[Callable[[object], RuntimeCache | None]] = []


def register_cache_adapter(adapter: Callable[[object], RuntimeCache | None]) -> None:
    """For layers that have a cache type of their own: `adapter` gives the RuntimeCache of such an object, else None."""
    _adapters.append(adapter)


def as_runtime_cache(value: object) -> RuntimeCache | None:
    """The RuntimeCache that `value` is or stands for; None where it is none."""
    if isinstance(value, RuntimeCache):
        return value
    for adapter in _adapters:
        found = adapter(value)
        if found is not None:
            return found
    return None


def rebuild(path: str, autosave_on_del: bool, data: bytes) -> RuntimeCache:
    """What pickle, copy and deepcopy build anew: another cache with the same path and bytes, which wait for first use."""
    cache = RuntimeCache(path, autosave_on_del)
    cache.deserialize(data)
    return cache


class _EndsOfProcesses:
    """Saves what saves by itself before the interpreter ends, and at the end of multiprocessing's children, which run no
    hooks of the C library. Handles are known to the C++ side only, and weakly."""

    def __init__(self) -> None:
        atexit.register(autosave_runtime_caches)
        multiprocessing_util.register_after_fork(self, _EndsOfProcesses._in_child)

    def _in_child(self) -> None:
        multiprocessing_util.Finalize(None, autosave_runtime_caches, exitpriority=10)


_ends_of_processes = _EndsOfProcesses()
