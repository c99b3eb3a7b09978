# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""An engine as a module of PyTorch."""
from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch

from ... import UserError, _jitney
from ...choices import PRECISIONS, choose
from ...engine import Engine
from ...runtime.caches import RuntimeCache
from ...runtime.settings import RuntimeSettings, default_runtime_settings
from . import bound_engine, library, operators, record, tensors
from .bound_engine import BoundEngine
from .record import Record


class JitneyModule(torch.nn.Module):
    """An engine that runs where a module of PyTorch is expected.

    Inputs are tensors in the order of `input_binding_names`, read where they are, whatever their strides; numbers are
    taken as tensors of rank 0. Gives the outputs in the order of `output_binding_names`: one itself, several as a
    tuple. Nothing flows back through it: outputs have no gradients. Safe to call from many threads.

    It can be pickled, saved and loaded with torch.save() and by state_dict(); runtime settings and caches stay behind.
    A copy shares the engine.
    """

    def __init__(self, serialized_engine: bytes | _jitney.Engine | None = None, input_binding_names: Sequence[str] | None = None,
                 output_binding_names: Sequence[str] | None = None, *, name: str = "", settings: Any = None,
                 runtime_settings: RuntimeSettings | None = None, requires_output_allocator: bool = False,
                 device: torch.device | str | None = None, metadata: Mapping[str, Any] | None = None,
                 aliased_io: Mapping[str, str] | None = None, dynamically_allocate_resources: bool = False,
                 precision: str = "fp32", requires_native_multidevice: bool = False, target_platform: str | None = None,
                 runtime: str | None = None, lazy_engine_init: bool = False) -> None:
        """serialized_engine: bytes of a .jitney file, or of an ONNX model; an engine that was built in this process.
            None: set_extra_state() brings it.
        input_binding_names, output_binding_names: the engine's inputs and outputs in the order in which forward() takes
            and gives them; by default its own order.
        name: of the engine, in messages and for jitney.apply_runtime_settings().
        settings: what it was compiled with; `device`, `use_python_runtime` and `lazy_engine_init` are looked at.
        runtime_settings: how it runs; by default what the environment says.
        requires_output_allocator: shapes of outputs follow from data. Such engines are recognized without it.
        device: "cpu" or "cuda:INDEX".
        metadata: for whoever made it; saved with it, as JSON.
        dynamically_allocate_resources: each run takes the memory for intermediate values and gives it back, rather than
            keeping it for the next (engine.dynamically_allocate_resources; a scope is jitney.runtime's
            ResourceAllocationStrategy). Saved with it.
        aliased_io: {output: input} of outputs that are written into an input's memory and not given.
        precision: "fp32" as the model says; "bf16" keeps float32 values in bfloat16 between inputs and outputs.
        target_platform: that alone may load it, such as "windows_x86_64"; by default this one.
        runtime: "cpp" or "python"; by default jitney.dynamo.runtime.runtime().
        lazy_engine_init: setup_engine() or the first call reads the engine.
        """
        super().__init__()
        self.settings = settings
        self._wanted_settings = _checked(runtime_settings)
        if runtime is None and getattr(settings, "use_python_runtime", None):
            runtime = "python"
        self._runtime = runtime
        self._record: Record | None = None
        self._bound: BoundEngine | None = None
        self.engine_handle: Any = None  # of torch.classes.jitney.Engine; None in the Python runtime
        self._is_exported_as_record = False
        self.name = name
        if serialized_engine is None:
            return
        everything = dict(metadata or {})
        if aliased_io:
            everything["aliased_io"] = dict(aliased_io)
        choose("precision", precision, PRECISIONS)  # says what is allowed
        if precision != "fp32":
            everything["precision"] = precision
        built, data = (serialized_engine, b"") if isinstance(serialized_engine, _jitney.Engine) else (None, serialized_engine)
        where = torch.device(device or getattr(settings, "device", None) or "cpu")
        self._record = Record(
            name, record.bytes_to_tensor(data), _device_text(where), list(input_binding_names or []),
            list(output_binding_names or []), metadata=everything,
            requires_output_allocator=requires_output_allocator, allocates_dynamically=dynamically_allocate_resources,
            requires_native_multidevice=requires_native_multidevice,
            target_platform=target_platform or record.current_platform(), built_engine=built)
        if not (lazy_engine_init or getattr(settings, "lazy_engine_init", False)
                or self._record.target_platform != record.current_platform()):
            self.setup_engine()

    # The engine

    def setup_engine(self) -> None:
        """Reads the engine; does nothing the second time. UserError where there is none, it is damaged, or is for another
        platform."""
        if self._bound is not None:
            return
        if self._record is None:
            raise UserError(f"{self._where} has no engine: serialized_engine is missing")
        if self._record.target_platform != record.current_platform():
            raise UserError(f"{self._where} is for the platform '{self._record.target_platform}'; this is "
                            f"'{record.current_platform()}'")
        self._take(bound_engine.make(self._record, self._runtime or library.runtime(), self._wanted_settings))

    def _take(self, bound: BoundEngine) -> None:
        self._bound, self._record = bound, None
        self.engine_handle = bound.handle
        self.name = bound.record.name

    @property
    def bound(self) -> BoundEngine:
        """The engine in its runtime; read now if need be."""
        if self._bound is None:
            self.setup_engine()
        assert self._bound is not None
        return self._bound

    @property
    def engine(self) -> Engine:
        """With its settings, contexts and statistics."""
        return self.bound.engine

    @property
    def runtime(self) -> str:
        return self.bound.runtime

    @property
    def input_binding_names(self) -> list[str]:
        return self._present_record.input_binding_names

    @property
    def output_binding_names(self) -> list[str]:
        return self._present_record.output_binding_names

    @property
    def metadata(self) -> dict[str, Any]:
        return self._present_record.metadata

    @property
    def target_platform(self) -> str:
        return self._present_record.target_platform

    @property
    def serialized_engine(self) -> bytes | None:
        """The bytes of a .jitney file."""
        return None if self._bound is None and self._record is None else self.record().engine_bytes.numpy().tobytes()

    def record(self) -> Record:
        """What it is saved as, with the engine's bytes."""
        return self._record if self._record is not None else self.bound.full_record()

    # Settings

    @property
    def runtime_settings(self) -> RuntimeSettings:
        """How it runs. Kept and applied later where there is no engine yet."""
        if self._bound is not None:
            return self._bound.engine.runtime_settings
        return self._wanted_settings if self._wanted_settings is not None else default_runtime_settings()

    @runtime_settings.setter
    def runtime_settings(self, settings: RuntimeSettings) -> None:
        self._wanted_settings = _checked(settings)
        if self._bound is not None:
            self._bound.engine.update_runtime_settings(settings)

    @property
    def _implicit_cache_handle(self) -> RuntimeCache | None:
        """The cache that a path in the settings made; None where they name a handle or memory."""
        return self.engine.runtime_cache if isinstance(self.runtime_settings.runtime_cache, str) else None

    def _jitney_engines_(self) -> tuple[Engine, ...]:
        return (self.engine,)

    # Running

    def forward(self, *inputs: Any) -> torch.Tensor | tuple[torch.Tensor, ...]:
        bound = self.bound
        outputs = None if torch.compiler.is_compiling() else bound.call(inputs)
        if outputs is None:
            outputs = self._traced(inputs) if _is_traced(inputs) else bound.execute(inputs)
        return outputs[0] if len(outputs) == 1 else tuple(outputs)

    def _traced(self, inputs: Sequence[Any]) -> list[torch.Tensor]:
        """As an operator, which torch.compile, torch.export and torch.jit.trace write into their programs."""
        bound = self.bound
        given = tensors.as_tensors(inputs, bound.input_infos, bound.where, bound.device)
        if bound.handle is not None and not self._is_exported_as_record:
            outputs = torch.ops.jitney.execute_engine(given, self.engine_handle)
        else:
            self._prepare_record()
            outputs = torch.ops.jitney.execute_record(given, self.record_tensor(), bound.signature_text)
        return cast("list[torch.Tensor]", outputs)

    def record_tensor(self) -> torch.Tensor:
        """Its record as one uint8 tensor, which execute_record runs with this very engine while it lives."""
        return operators.record_of(self.bound)

    def _prepare_record(self) -> bool:
        operators.record_of(self.bound)
        return True

    # torch.compile calls it while it traces, and looks into none of its locks. As
    # torch.compiler.assume_constant_result() does, which would import all of Dynamo now.
    _prepare_record._dynamo_marked_constant = True  # type: ignore[attr-defined]

    # Copies and files

    def get_extra_state(self) -> dict[str, Any]:
        """For state_dict(): what torch.load(weights_only=True) reads. Settings are not in it."""
        if self._record is None and self._bound is None:
            return {"slots": [], "engine": torch.empty(0, dtype=torch.uint8)}
        whole = self.record()
        return {"slots": whole.slots(with_engine=False), "engine": whole.engine_bytes}

    def set_extra_state(self, state: Mapping[str, Any]) -> None:
        """Another engine, under the settings that the module has."""
        settings = self.runtime_settings if self._bound is not None else self._wanted_settings
        self._bound = self.engine_handle = None
        if not state["slots"]:
            return
        self._record = record.parse_slots(list(state["slots"]), state["engine"])
        self._wanted_settings = settings
        self.setup_engine()

    def __getstate__(self) -> dict[str, Any]:
        state = {key: value for key, value in self.__dict__.items()
                 if key not in ("_bound", "_record", "engine_handle", "_wanted_settings")}
        if dataclasses.is_dataclass(self.settings) and not isinstance(self.settings, type):
            gone = {"runtime_settings", "progress"} & {field.name for field in dataclasses.fields(self.settings)}
            state["settings"] = dataclasses.replace(self.settings, **dict.fromkeys(gone))
        saved = self.get_extra_state()  # as bytes, which need no memory that processes share
        state["_saved"] = (saved["slots"], saved["engine"].numpy().tobytes())
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        slots, engine = state.pop("_saved")
        super().__setstate__(state)
        self._wanted_settings = None
        self._record = self._bound = self.engine_handle = None
        if slots:
            self._record = record.parse_slots(slots, record.bytes_to_tensor(engine))
            self.setup_engine()

    def __copy__(self) -> JitneyModule:
        return self.__deepcopy__({})

    def __deepcopy__(self, memo: dict[int, Any]) -> JitneyModule:
        """Shares the engine, and with it settings and kernels."""
        made = type(self).__new__(type(self))
        memo[id(self)] = made
        shared = ("_bound", "_record", "engine_handle", "_wanted_settings")
        made.__dict__.update({key: value if key in shared else copy.deepcopy(value, memo)
                              for key, value in self.__dict__.items()})
        return made

    def extra_repr(self) -> str:
        return repr(self._bound.engine) if self._bound is not None else f"name={self.name!r}, no engine yet"

    @property
    def _where(self) -> str:
        return f"engine '{self.name}'" if self.name else "the engine"

    @property
    def _present_record(self) -> Record:
        return self._record if self._record is not None else self.bound.record


def _checked(settings: RuntimeSettings | None) -> RuntimeSettings | None:
    if settings is not None and not isinstance(settings, RuntimeSettings):
        raise TypeError(f"runtime_settings must be a RuntimeSettings, found {type(settings).__name__}")
    return settings


def _is_traced(inputs: Sequence[Any]) -> bool:
    """Whether a program is being written down, rather than run."""
    if torch.compiler.is_compiling() or torch.jit.is_tracing():
        return True
    return any(type(value) not in (torch.Tensor, torch.nn.Parameter) and isinstance(value, torch.Tensor)
               for value in inputs)


def _device_text(device: torch.device) -> str:
    return f"{device.type}:{device.index or 0}" if device.type == "cuda" else device.type
