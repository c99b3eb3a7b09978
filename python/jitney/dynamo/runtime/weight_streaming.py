# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Weights that are on the device only while they are used."""
from __future__ import annotations

from types import TracebackType
from typing import Any, Generic, TypeVar

from .outputs import modules_of

T = TypeVar("T")


class weight_streaming(Generic[T]):
    """`with weight_streaming(module) as context:` how many bytes of weights may stay on the device. No engine of this
    version can stream its weights, which entering says: RuntimeError."""

    def __init__(self, target: T) -> None:
        self._target: Any = target

    def __enter__(self) -> weight_streaming[T]:
        names = [module.name for module in modules_of(self._target)]
        raise RuntimeError(f"weight_streaming() needs engines with streamable weights, and those of this module have 0 "
                           f"streamable bytes: {names}")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        """Never entered."""
