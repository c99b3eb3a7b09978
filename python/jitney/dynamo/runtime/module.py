# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""An engine as a module of PyTorch."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ... import UserError, _jitney
from ...engine import Engine
from . import tensors


class JitneyModule(torch.nn.Module):
    """An engine that runs where a module of PyTorch is expected.

    Inputs are tensors in the order of `input_binding_names`, read where they are, whatever their strides; numbers are
    taken as tensors of rank 0. Gives the outputs in the order of `output_binding_names`: one itself, several as a
    tuple. Nothing flows back through it: outputs have no gradients. Safe to call from many threads.
    """

    def __init__(self, serialized_engine: bytes | None = None, input_binding_names: Sequence[str] | None = None,
                 output_binding_names: Sequence[str] | None = None, *, name: str = "", settings: Any = None,
                 requires_output_allocator: bool = False, device: torch.device | str | None = None,
                 **options: Any) -> None:
        """serialized_engine: bytes of a .jitney file, or of an ONNX model.
        input_binding_names, output_binding_names: the engine's inputs and outputs in the order in which forward() takes
            and gives them; by default its own order.
        name: of the engine, in messages.
        settings: what it was compiled with; only its `device` is looked at here.
        requires_output_allocator: shapes of outputs follow from data. Such engines are recognized without it.
        """
        super().__init__()
        self.name = name
        self.serialized_engine = serialized_engine
        self.input_binding_names = list(input_binding_names or [])
        self.output_binding_names = list(output_binding_names or [])
        self.settings = settings
        self.requires_output_allocator = requires_output_allocator
        self._device = torch.device(device or getattr(settings, "device", None) or "cpu")
        self.engine: Engine | None = None
        if serialized_engine is not None:
            self.setup_engine()

    def setup_engine(self) -> None:
        """Reads the engine. Done by the constructor, unless there were no bytes yet; does nothing the second time."""
        if self.engine is not None:
            return
        if self.serialized_engine is None:
            raise UserError(f"{self._where} has no engine: serialized_engine is missing")
        native = _jitney.Engine.load_bytes(bytes(self.serialized_engine))
        engine = Engine(native, _device_text(self._device))
        self.input_binding_names = self.input_binding_names or list(engine.input_names)
        self.output_binding_names = self.output_binding_names or list(engine.output_names)
        self._inputs = self._order("input", self.input_binding_names, engine.input_names)
        self._outputs = self._order("output", self.output_binding_names, engine.output_names)
        self._input_infos = [engine.inputs[i] for i in self._inputs]
        self._output_infos = [engine.outputs[i] for i in self._outputs]
        self.engine = engine

    def forward(self, *inputs: Any) -> torch.Tensor | tuple[torch.Tensor, ...]:
        if self.engine is None:
            self.setup_engine()
        assert self.engine is not None
        given = tensors.check(inputs, self._input_infos, self._where, self._device)
        arrays: list[Any] = [None] * len(given)
        for place, tensor in zip(self._inputs, given):
            arrays[place] = tensors.exchange(tensor)
        results = self.engine._run(arrays)
        outputs = tuple(tensors.from_array(results[i], info) for i, info in zip(self._outputs, self._output_infos))
        return outputs[0] if len(outputs) == 1 else outputs

    def extra_repr(self) -> str:
        return repr(self.engine) if self.engine is not None else f"name={self.name!r}, no engine yet"

    @property
    def _where(self) -> str:
        return f"engine '{self.name}'" if self.name else "the engine"

    def _order(self, role: str, names: list[str], known: Sequence[str]) -> list[int]:
        """Where each name is among the engine's own."""
        if sorted(names) != sorted(known):
            raise UserError(f"{role}_binding_names of {self._where} must be {list(known)} in some order, found {names}")
        return [list(known).index(name) for name in names]


def _device_text(device: torch.device) -> str:
    return f"{device.type}:{device.index or 0}" if device.type == "cuda" else device.type
