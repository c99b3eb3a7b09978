# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Caches of the two runtimes as one another."""
from __future__ import annotations

from typing import Any

import torch

from ... import _jitney
from ...runtime.caches import RuntimeCache, register_cache_adapter
from . import library


def from_torch(handle: object) -> RuntimeCache | None:
    """The cache that a torch.classes.jitney.RuntimeCacheHandle is; None for anything else."""
    if not isinstance(handle, torch.ScriptObject) or handle._type().name() != "RuntimeCacheHandle":
        return None
    return _jitney.find_runtime_cache(handle.id())


def to_torch(cache: RuntimeCache) -> Any:
    """The same cache as a torch.classes.jitney.RuntimeCacheHandle."""
    library.require_torch_library("a RuntimeCacheHandle")
    return torch.classes.jitney.RuntimeCacheHandle.find(cache._register())


def register() -> None:
    register_cache_adapter(from_torch)
