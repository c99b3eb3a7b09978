# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""What a model to be exported is."""
import dataclasses
from collections.abc import Callable

import torch


@dataclasses.dataclass(frozen=True)
class Spec:
    name: str
    make: Callable  # () -> torch.nn.Module
    inputs: Callable  # (size) -> tuple of tensors; the sizes are what varies
    sizes: tuple  # the first is exported with, all are compared at
    dynamic: tuple  # torch.export's dynamic_shapes, one for each input


def batch(name="batch"):
    return torch.export.Dim(name, min=1, max=64)


def sequence(name="sequence", most=256):
    return torch.export.Dim(name, min=1, max=most)
