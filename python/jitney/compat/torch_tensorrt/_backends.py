# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""torch.compile(model, backend="torch_tensorrt" or "tensorrt")."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...compiling import dynamo_backend
from ._options import translate

NAMES = ("torch_tensorrt", "tensorrt")


def _backend(module: Any, inputs: Sequence[Any], *, options: dict[str, Any] | None = None, **keywords: Any) \
        -> Callable[..., Any]:
    compiled: Callable[..., Any] = dynamo_backend(module, inputs, options=translate({**(options or {}), **keywords}))
    return compiled


def register() -> None:
    """Under the names that nobody has taken."""
    from torch._dynamo.backends import registry

    for name in NAMES:
        if name not in registry._COMPILER_FNS:
            registry.register_backend(_backend, name=name)
