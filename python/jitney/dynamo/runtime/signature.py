# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""What an engine takes and gives, as one text."""
from __future__ import annotations

import dataclasses
import functools
import json
from typing import Any

import torch

from ...tensor_info import TensorInfo


@dataclasses.dataclass(frozen=True)
class Signature:
    """Inputs and outputs in the order of the binding names."""

    name: str
    device: torch.device
    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    aliases: dict[str, str]  # outputs that are written into inputs, and not given
    is_data_dependent: bool

    @property
    def where(self) -> str:
        return f"engine '{self.name}'" if self.name else "the engine"

    def to_text(self) -> str:
        def describe(infos: tuple[TensorInfo, ...]) -> list[Any]:
            return [[info.name, info.dtype, list(info.shape)] for info in infos]

        return json.dumps([self.name, str(self.device), describe(self.inputs), describe(self.outputs), self.aliases,
                           self.is_data_dependent])

    @staticmethod
    @functools.lru_cache(maxsize=256)
    def parse(text: str) -> Signature:
        """The opposite of to_text()."""
        def infos(described: list[Any]) -> tuple[TensorInfo, ...]:
            return tuple(TensorInfo(name, dtype, tuple(shape)) for name, dtype, shape in described)

        name, device, inputs, outputs, aliases, is_data_dependent = json.loads(text)
        return Signature(name, torch.device(device), infos(inputs), infos(outputs), aliases, is_data_dependent)
