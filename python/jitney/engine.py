# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""An engine made ready on one device."""
from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from . import _jitney
from .arrays import needs_extension_type, with_extension_type
from .choices import CUDA_GRAPH_STRATEGIES, DENORMALS, PRECISIONS, choose, count
from .profile import Profile, StepProfile
from .stats import Stats
from .tensor_info import TensorInfo


class Engine:
    """A model, optimized, on one device: jitney.load() and jitney.build() make it. Safe to use from many threads.

    Inputs are arrays of numpy or anything with __dlpack__, read where they are; strides are free on the CPU. Outputs
    are new numpy arrays over the engine's memory. On a GPU, inputs in host memory are copied there and outputs come
    back to numpy; as soon as one input lies on the GPU, outputs stay there, as objects with __dlpack__.
    """

    def __init__(self, native: _jitney.Engine, device: str = "cpu", *, threads: int = 0,
                 runtime_cache: str | os.PathLike[str] = "", precision: str = "fp32", denormals: str = "flush",
                 cuda_graph_strategy: str = "disabled") -> None:
        if not isinstance(device, str):
            raise TypeError(f"device must be a str such as 'cpu' or 'cuda:0', found {type(device).__name__}")
        self._native = native
        self.device: str = _jitney.check_device(device)
        self._options = (self.device, count("threads", threads), os.fspath(runtime_cache),
                         choose("precision", precision, PRECISIONS), choose("denormals", denormals, DENORMALS),
                         choose("cuda_graph_strategy", cuda_graph_strategy, CUDA_GRAPH_STRATEGIES))
        self.inputs = tuple(TensorInfo(*fields) for fields in native.inputs)
        self.outputs = tuple(TensorInfo(*fields) for fields in native.outputs)
        self.input_names = tuple(info.name for info in self.inputs)
        self.output_names = tuple(info.name for info in self.outputs)
        self._context_lock = threading.Lock()
        self._made_context: _jitney.Context | None = None

    @property
    def name(self) -> str:
        return self._native.name

    @property
    def metadata(self) -> dict[str, str]:
        """Where the model came from: producer, opset, source file."""
        return self._native.metadata

    def run(self, inputs: Mapping[str, Any], outputs: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """{name: array} of all outputs. `outputs` gives memory to write into: contiguous, writable arrays of the right
        dtype and shape, one for each output; then they are what is returned."""
        arrays = self._ordered("input", inputs, self.input_names)
        if outputs is None:
            return dict(zip(self.output_names, self._run(arrays)))
        given = self._ordered("output", outputs, self.output_names)
        self._context.run(arrays, given)
        return dict(zip(self.output_names, given))

    def __call__(self, *arrays: Any) -> Any:
        """Inputs by position. One output is returned itself, several as a tuple."""
        results = self._run(list(arrays))
        return results[0] if len(results) == 1 else tuple(results)

    def prepare(self) -> None:
        """Compiles what is missing now, instead of at the first run."""
        self._context.prepare()

    def stats(self) -> Stats:
        return self._context.stats()

    def profile(self, inputs: Mapping[str, Any], iterations: int = 20) -> Profile:
        """Runs so many times, waiting for every step, and says where the time goes."""
        arrays = self._ordered("input", inputs, self.input_names)
        steps, seconds, outside = self._context.profile(arrays, count("iterations", iterations))
        return Profile(tuple(StepProfile(*step) for step in steps), seconds, outside)

    def inspect(self, source: bool = False) -> str:
        """Graph, kernels and memory plan as text; with `source` the generated code too."""
        return self._context.inspect(bool(source))

    def serialize(self) -> bytes:
        """The bytes of a .jitney file, which jitney.load() takes."""
        return self._native.serialize()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a .jitney file: portable, whole or not at all."""
        self._native.save(os.fspath(path))

    def __repr__(self) -> str:
        def describe(infos: Sequence[TensorInfo]) -> str:
            return ", ".join(f"{i.name}: {i.dtype}[{', '.join(map(str, i.shape))}]" for i in infos)

        return f"<jitney.Engine '{self.name}' on {self.device}: ({describe(self.inputs)}) -> ({describe(self.outputs)})>"

    @property
    def _context(self) -> _jitney.Context:
        if self._made_context is None:
            with self._context_lock:
                if self._made_context is None:
                    self._made_context = _jitney.Context(self._native, *self._options)
        return self._made_context

    def _run(self, arrays: list[Any]) -> list[Any]:
        results = self._context.run(arrays, None)
        for index, info in enumerate(self.outputs):
            if needs_extension_type(info.dtype) and hasattr(results[index], "view"):
                results[index] = with_extension_type(results[index], info.dtype)
        return results

    @staticmethod
    def _ordered(role: str, given: Mapping[str, Any], names: Sequence[str]) -> list[Any]:
        if not isinstance(given, Mapping):
            raise TypeError(f"{role}s must be a mapping of names to arrays, found {type(given).__name__}")
        if len(given) != len(names) or any(name not in given for name in names):
            missing = [name for name in names if name not in given]
            unknown = [name for name in given if name not in names]
            raise _jitney.UserError(f"the {role}s are {list(names)}; " + "; ".join(
                f"{what}: {found}" for what, found in (("missing", missing), ("unknown", unknown)) if found))
        return [given[name] for name in names]
