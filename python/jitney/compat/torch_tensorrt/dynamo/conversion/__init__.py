# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""From a graph module to a module with one engine."""
from __future__ import annotations

from typing import Any

from .....dynamo.runtime import library


def convert_module(module: Any, inputs: Any, *args: Any, **options: Any) -> Any:
    """As jitney.dynamo.convert_module()."""
    return library.front_end().convert_module(module, inputs, *args, **options)
