# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""An engine of a PyTorch program in one of the two runtimes, behind one interface."""
from __future__ import annotations

import json
import weakref
from collections.abc import Sequence
from typing import Any, cast

import torch

from ... import UserError, _jitney
from ...engine import Engine
from .module_engine import ModuleEngine
from ...runtime.settings import RuntimeSettings
from ...tensor_info import TensorInfo
from . import library, tensors
from .signature import Signature
from .record import Record, bytes_to_tensor


class BoundEngine:
    """What a record becomes. `engine` has settings, contexts and statistics; both runtimes run through its session, so
    that scopes and settings mean the same in them. Thread-safe."""

    runtime = ""

    def __init__(self, record: Record, engine: ModuleEngine, handle: Any) -> None:
        self.record = record  # its bytes are let go: the engine has them
        self.engine = engine
        self.handle = handle  # of torch.classes.jitney.Engine, or None
        self.input_infos = tuple(TensorInfo(*_info(i)) for i in self._described["inputs"])
        self.output_infos = tuple(TensorInfo(*_info(i)) for i in self._described["outputs"])
        self.aliases: dict[str, str] = self._described["aliases"]
        self.shown_outputs = [i for i, info in enumerate(self.output_infos) if info.name not in self.aliases]
        self.device = torch.device(record.device)
        self.signature = Signature(record.name, self.device, self.input_infos, self.output_infos, self.aliases,
                                   bool(engine._native.has_data_dependent_outputs))
        self.signature_text = self.signature.to_text()
        self.use_pre_allocated_outputs = False
        self.use_output_allocator = record.requires_output_allocator or self.signature.is_data_dependent
        self.record_tensor: torch.Tensor | None = None  # of operators.record_of()
        if record.allocates_dynamically:
            engine.dynamically_allocate_resources = True

    _described: dict[str, Any]

    @property
    def where(self) -> str:
        return f"engine '{self.record.name}'" if self.record.name else "the engine"

    def execute(self, inputs: Sequence[Any]) -> list[torch.Tensor]:
        """Outputs that are not written into inputs."""
        raise NotImplementedError

    def call(self, inputs: tuple[Any, ...]) -> list[torch.Tensor] | None:
        """The same by the shortest way; None where there is none for these inputs, here and now."""
        return None

    def full_record(self) -> Record:
        """With the engine's bytes, and what holds for its memory now."""
        record = Record(**{**self.record.__dict__})
        record.allocates_dynamically = self.engine.dynamically_allocate_resources
        record.engine = bytes_to_tensor(self.engine._native.serialize())
        return record


def _info(described: dict[str, Any]) -> tuple[str, str, tuple[int | str, ...]]:
    shape = tuple(int(extent) if extent.isdigit() else extent for extent in described["shape"])
    return described["name"], described["dtype"], shape


class CppEngine(BoundEngine):
    """Runs through torch.ops.jitney.execute_engine."""

    runtime = "cpp"

    def __init__(self, record: Record, settings: RuntimeSettings | None = None, handle: Any = None) -> None:
        if handle is None:
            slots, built = record.slots(with_engine=False), record.built_engine
            handle = (torch.classes.jitney.Engine(slots, record.engine) if built is None
                      else torch.classes.jitney.Engine.of_built(slots, built.register()))
        self._described = json.loads(handle.describe())
        session = _jitney.find_session(handle.id())
        assert session is not None
        engine = ModuleEngine._of_session(session, record.device)
        engine.handle, engine.given_name = handle, handle.name
        if settings is not None:
            engine.update_runtime_settings(settings)
        record = Record(**{**record.__dict__})
        record.input_binding_names, record.output_binding_names = handle.input_binding_names, handle.output_binding_names
        record.name, record.engine, record.built_engine = handle.name, bytes_to_tensor(b""), None
        super().__init__(record, engine, handle)
        calls = library.calls()
        self._call = None if calls is None else calls.EngineCall(handle.hand_over())

    @property
    def use_pre_allocated_outputs(self) -> bool:
        return bool(self.handle.use_pre_allocated_outputs)

    @use_pre_allocated_outputs.setter
    def use_pre_allocated_outputs(self, on: bool) -> None:
        self.handle.use_pre_allocated_outputs = on

    def call(self, inputs: tuple[Any, ...]) -> list[torch.Tensor] | None:
        try:
            return None if self._call is None else cast("list[torch.Tensor] | None", self._call(inputs))
        except ValueError as error:
            raise UserError(str(error)) from None

    def execute(self, inputs: Sequence[Any]) -> list[torch.Tensor]:
        given = tensors.as_tensors(inputs, self.input_infos, self.where, self.device)
        try:
            # Without the packet's look at each argument for what only tracing gives: forward() has looked.
            return cast("list[torch.Tensor]", torch.ops.jitney.execute_engine._op(given, self.handle))
        except ValueError as error:
            raise UserError(str(error)) from None


class PythonEngine(BoundEngine):
    """Runs through the Python package: jitney.Engine."""

    runtime = "python"

    def __init__(self, record: Record, settings: RuntimeSettings | None = None) -> None:
        native = record.built_engine or _jitney.Engine.load_bytes(record.engine.numpy().tobytes())
        engine = ModuleEngine(native, record.device, precision=record.metadata.get("precision", "fp32"), runtime_settings=settings)
        record = Record(**{**record.__dict__})
        record.engine, record.built_engine = bytes_to_tensor(b""), None
        record.name = engine.given_name = record.name or engine.name
        self._inputs = _order("input", record.input_binding_names, engine.input_names, record.name)
        self._outputs = _order("output", record.output_binding_names, engine.output_names, record.name)
        record.input_binding_names = [engine.input_names[i] for i in self._inputs]
        record.output_binding_names = [engine.output_names[i] for i in self._outputs]
        self._described = {
            role: [{"name": info.name, "dtype": info.dtype, "shape": [str(extent) for extent in info.shape]}
                   for info in (infos[i] for i in order)]
            for role, infos, order in (("inputs", engine.inputs, self._inputs), ("outputs", engine.outputs, self._outputs))}
        self._described["aliases"] = _aliases(record, self._described, engine)
        super().__init__(record, engine, None)
        self._waiting: list[torch.Tensor] = []
        self._is_registered = False

    def execute(self, inputs: Sequence[Any]) -> list[torch.Tensor]:
        if not self._is_registered:
            self._is_registered = True
            self.engine._session.register(self.record.name)
        given = tensors.check(inputs, self.input_infos, self.where, self.device)
        arrays: list[Any] = [None] * len(given)
        for place, tensor in zip(self._inputs, given):
            arrays[place] = tensors.exchange(tensor)
        outputs = self._run_into_own(arrays) if self._may_give_outputs() else self._run(arrays)
        for index, info in enumerate(self.output_infos):
            if info.name in self.aliases:
                inputs[self.record.input_binding_names.index(self.aliases[info.name])].copy_(outputs[index])
        return [outputs[i] for i in self.shown_outputs]

    def _may_give_outputs(self) -> bool:
        return ((self.device.type == "cuda" or self.use_pre_allocated_outputs)
                and not self.signature.is_data_dependent)

    def _run(self, arrays: list[Any]) -> list[torch.Tensor]:
        results = self.engine._run(arrays)
        return [tensors.from_array(results[i], info) for i, info in zip(self._outputs, self.output_infos)]

    def _run_into_own(self, arrays: list[Any]) -> list[torch.Tensor]:
        """Into tensors of torch's own, on its current stream."""
        session = self.engine._session
        shapes = session.output_shapes(arrays)
        waiting, self._waiting = self._waiting, []
        made: list[torch.Tensor] = []
        for place, info in zip(self._outputs, self.output_infos):
            ready = waiting[len(made)] if self.use_pre_allocated_outputs and waiting else None
            if ready is None or list(ready.shape) != list(shapes[place]):
                ready = torch.empty(shapes[place], dtype=tensors.DTYPES[info.dtype], device=self.device)
            made.append(ready)
        into: list[Any] = [None] * len(made)
        for place, tensor in zip(self._outputs, made):
            into[place] = tensors.exchange(tensor)
        stream = torch.cuda.current_stream(self.device).cuda_stream if self.device.type == "cuda" else None
        session.run(arrays, into, stream)
        if self.use_pre_allocated_outputs:
            self._waiting = [torch.empty_like(tensor) for tensor in made]
        return made


def _order(role: str, names: list[str], known: Sequence[str], where: str) -> list[int]:
    """Where each name is among the engine's own; all in its own order where there are none."""
    if not names:
        return list(range(len(known)))
    if sorted(names) != sorted(known):
        raise UserError(f"{role}_binding_names of engine '{where}' must name each of its {role}s {list(known)} once, "
                        f"found {names}")
    return [list(known).index(name) for name in names]


def _aliases(record: Record, described: dict[str, Any], engine: Engine) -> dict[str, str]:
    aliases: dict[str, str] = record.metadata.get("aliased_io", {})
    by_name = {role: {info["name"]: info for info in described[role]} for role in ("inputs", "outputs")}
    for output, name in aliases.items():
        to, source = by_name["outputs"].get(output), by_name["inputs"].get(name)
        if to is None or source is None or to["dtype"] != source["dtype"] or len(to["shape"]) != len(source["shape"]):
            raise UserError(f"aliased_io of engine '{record.name}' must map outputs to inputs of the same dtype and rank; "
                            f"'{output}' is not so")
    if aliases and (record.requires_output_allocator or engine._native.has_data_dependent_outputs):
        raise UserError(f"engine '{record.name}' has outputs that are written into inputs, and outputs whose shapes follow "
                        "from data: only one of the two is possible")
    return aliases


# By the number of a session: fake kernels get the torchbind object only.
_by_id: weakref.WeakValueDictionary[int, BoundEngine] = weakref.WeakValueDictionary()


def make(record: Record, runtime: str, settings: RuntimeSettings | None = None) -> BoundEngine:
    if runtime == "python":
        return PythonEngine(record, settings)
    try:
        made = CppEngine(record, settings)
    except ValueError as error:
        raise UserError(str(error)) from None
    _by_id[made.handle.id()] = made
    return made


def of_handle(handle: Any) -> BoundEngine:
    """Of a torchbind object, whoever made it."""
    found = _by_id.get(handle.id())
    if found is None:
        record = Record(handle.name, bytes_to_tensor(b""), handle.device, metadata=json.loads(handle.get_serialized_metadata()))
        found = CppEngine(record, handle=handle)
        _by_id[handle.id()] = found
    return found
