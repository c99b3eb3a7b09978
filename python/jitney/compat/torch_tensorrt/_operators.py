# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""torch.ops.tensorrt and torch.classes.tensorrt, as Jitney's."""
from __future__ import annotations

import sys
from types import ModuleType

import torch

from ...dynamo.runtime import has_torch_library


class _Namespace(ModuleType):
    """Names of one namespace under another."""

    def __init__(self, name: str, of: object) -> None:
        super().__init__(name)
        self.__dict__["_of"] = of

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.__dict__["_of"], name)


def install() -> None:
    if not has_torch_library():
        return
    ops = _Namespace("torch.ops.tensorrt", torch.ops.jitney)
    classes = _Namespace("torch.classes.tensorrt", torch.classes.jitney)
    torch.ops.__dict__["tensorrt"] = sys.modules["torch.ops.tensorrt"] = ops
    torch.classes.__dict__["tensorrt"] = sys.modules["torch.classes.tensorrt"] = classes
