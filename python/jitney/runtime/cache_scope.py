# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""One cache for some engines, for a while."""
from __future__ import annotations

import logging
import os
from types import TracebackType
from typing import Any

from .config_scope import runtime_config
from .caches import RuntimeCache
from .targets import Target, engines_of

_log = logging.getLogger(__name__)


class runtime_cache:
    """`with runtime_cache(target, path) as handle:` one RuntimeCache for all engines under the target until the block
    ends; then each has its previous cache again.

    path: "" is memory; a path is loaded at once and, with `autosave`, saved once at the end (a failure is logged as a
    warning); a binary file-like object is read once at the start and, with `autosave`, written once at the end where
    its position then is, and never closed. handle.save(p) may be called inside. RuntimeError where there is no engine
    under the target; what goes wrong with loading is raised.
    """

    def __init__(self, target: Target, path: Any = "", autosave: bool = True) -> None:
        is_path = isinstance(path, (str, os.PathLike))
        if not is_path and not (hasattr(path, "read") or hasattr(path, "write")):
            raise TypeError("runtime_cache() takes a path (str or os.PathLike), a binary stream, or '' for memory, "
                            f"found {type(path).__name__}")
        self._target = target
        self._path = os.fsdecode(path) if is_path else ""
        self._stream = None if is_path else path
        self._autosave = bool(autosave)
        self._entered: list[tuple[RuntimeCache, runtime_config[Target]]] = []

    def __enter__(self) -> RuntimeCache:
        engines = list(engines_of(self._target))
        if not engines:
            raise RuntimeError("runtime_cache() requires at least one engine under its target, found none")
        handle = RuntimeCache._scoped(self._path, self._autosave)
        if self._stream is not None and hasattr(self._stream, "read"):
            handle.load_from_stream(self._stream)
        scope: runtime_config[Target] = runtime_config(engines, runtime_cache=handle)
        scope.__enter__()
        self._entered.append((handle, scope))
        return handle

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        handle, scope = self._entered.pop()
        scope.__exit__(None, None, None)
        if not self._autosave:
            return
        try:
            if self._stream is None:
                handle.save()
            elif hasattr(self._stream, "write"):
                handle.save_to_stream(self._stream)
        except Exception as failure:
            _log.warning("runtime_cache() did not save its cache: %s", failure)
