# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Names that programs know from other libraries."""
from __future__ import annotations

import importlib
import pkgutil
import sys

__all__ = ["install"]


def install() -> None:
    """`import torch_tensorrt` gives jitney.compat.torch_tensorrt from now on, in all of this process; torch.ops.tensorrt
    and torch.classes.tensorrt give Jitney's. RuntimeError where torch_tensorrt itself has been imported already."""
    from . import torch_tensorrt

    there = sys.modules.get("torch_tensorrt")
    if there is torch_tensorrt:
        return
    if there is not None:
        raise RuntimeError("torch_tensorrt has been imported already: jitney.compat.install() must come first")
    prefix = torch_tensorrt.__name__
    for found in pkgutil.walk_packages(torch_tensorrt.__path__, prefix + "."):
        sys.modules["torch_tensorrt" + found.name.removeprefix(prefix)] = importlib.import_module(found.name)
    sys.modules["torch_tensorrt"] = torch_tensorrt
    from .torch_tensorrt import _operators

    _operators.install()
