# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""The cache and its inner handle."""
from __future__ import annotations

from typing import Any

from ...._jitney import autosave_runtime_caches
from ....dynamo.runtime import has_torch_library
from ....runtime import RuntimeCache

__all__ = ["RuntimeCache", "RuntimeCacheHandle", "_RuntimeCacheHandle", "_autosave_at_exit"]


def RuntimeCacheHandle(path: str = "") -> Any:  # noqa: N802: a class elsewhere
    """A torch.classes.jitney.RuntimeCacheHandle where there is libjitney_torch, else a RuntimeCache."""
    if has_torch_library():
        import torch

        return torch.classes.jitney.RuntimeCacheHandle(path)
    return RuntimeCache(path)


_RuntimeCacheHandle = RuntimeCacheHandle


def _autosave_at_exit() -> None:
    """What happens at the interpreter's end."""
    autosave_runtime_caches()
