# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""An engine made ready on one device."""
from __future__ import annotations

import atexit
import os
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from . import _jitney
from .arrays import needs_extension_type, with_extension_type
from .choices import DENORMALS, PRECISIONS, TACTICS, choose, count, extents
from .context import ExecutionContext
from .input import Profile as ShapeProfile
from .input import ShapeRange
from .profile import Profile, StepProfile
from .reused_outputs import ReusedOutputs
from .runtime.caches import RuntimeCache
from .runtime.config import RuntimeConfig
from .runtime.profile_scope import optimization_profile, profile_number
from .runtime.settings import Fields, RuntimeSettings, default_runtime_settings
from .sequences import OutputStructure
from .stats import CompileStatus, Stats
from .tensor_info import TensorInfo

if TYPE_CHECKING:
    from typing import Self

Shapes = Mapping[str, Sequence[int]] | Sequence[Sequence[int]]


class Engine:
    """A model, optimized, on one device: jitney.load() and jitney.build() make it. Safe to use from many threads.

    Inputs are arrays of numpy or anything with __dlpack__, read where they are; strides are free on the CPU. Outputs
    are new numpy arrays over the engine's memory. On a GPU, inputs in host memory are copied there and outputs come
    back to numpy; as soon as one input lies on the GPU, outputs stay there, as objects with __dlpack__.

    Kernels are compiled and memory is taken at the first run: until then there is no execution context. Settings may
    change at any time; each run uses those that hold when it begins.
    """

    def __init__(self, native: _jitney.Engine, device: str = "cpu", *, threads: int = 0, precision: str = "fp32",
                 denormals: str = "flush", tactics: str | None = None, runtime_settings: RuntimeSettings | None = None) -> None:
        if not isinstance(device, str):
            raise TypeError(f"device must be a str such as 'cpu' or 'cuda:0', found {type(device).__name__}")
        self._native = native
        self.device: str = _jitney.check_device(device)
        self._options = (self.device, count("threads", threads), choose("precision", precision, PRECISIONS),
                         choose("denormals", denormals, DENORMALS),
                         None if tactics is None else choose("tactics", tactics, TACTICS))
        self._settings = default_runtime_settings() if runtime_settings is None else _checked(runtime_settings)
        self.profiles: tuple[ShapeProfile, ...] = tuple(
            {name: ShapeRange(*ranges) for name, ranges in zip((i[0] for i in native.inputs), profile) if ranges[0]}
            for profile in native.profiles)
        self.inputs = tuple(TensorInfo(*fields) for fields in native.inputs)
        self.outputs = tuple(TensorInfo(*fields) for fields in native.outputs)
        self.input_names = tuple(info.name for info in self.inputs)
        self.output_names = tuple(info.name for info in self.outputs)
        self._structure = OutputStructure(native.metadata, self.output_names)
        self._lock = threading.Lock()  # guards _settings until there is a session, and its making
        self._made_session: _jitney.Session | None = None
        self._is_closed = False
        self._reused = ReusedOutputs()
        self._callback: Callable[[CompileStatus], object] | None = None
        self._config: RuntimeConfig | None = None

    @classmethod
    def _of_session(cls, session: _jitney.Session, device: str) -> Self:
        """One whose session another part of the process has made: both see the same settings, contexts and caches."""
        engine = cls(session.engine(), device)
        engine._made_session = session
        return engine

    @property
    def name(self) -> str:
        return self._native.name

    @property
    def metadata(self) -> dict[str, str]:
        """Where the model came from: producer, opset, source file."""
        return self._native.metadata

    def run(self, inputs: Mapping[str, Any], outputs: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """{name: array} of all outputs; of one that is a sequence in the model, which self.outputs has as 'name.0',
        'name.1' and so on, {name: list of arrays}. `outputs` gives memory to write into: contiguous, writable arrays of the right
        dtype and shape, one for each output; then they are what is returned.

        Where self.inputs has sequences or optionals: a list of arrays for a sequence, an array or a list for an optional,
        None (or nothing at all) for one that is absent; outputs likewise, always in new memory of the host. Each other
        structure (how many arrays, their ranks, what is absent) is imported at its first run, as a model of its own."""
        if self._native.is_structured:
            if outputs is not None:
                raise _jitney.UserError(f"engine '{self.name}' is of sequences or optionals, which get new memory: outputs "
                                        "cannot be given")
            if isinstance(inputs, Mapping):
                inputs = {info.name: None for info in self.inputs if info.optional} | dict(inputs)
        arrays = self._ordered("input", inputs, self.input_names)
        if outputs is None:
            return self._structure.restore(self._run(arrays))
        given = self._ordered("output", outputs, self.output_names)
        self._session.run(arrays, given)
        return self._structure.restore(given)

    def __call__(self, *arrays: Any) -> Any:
        """Inputs by position. One output is returned itself, several as a tuple; a sequence is a list."""
        results = self._run(list(arrays))
        if self._structure.has_sequences:
            results = list(self._structure.restore(results).values())
        return results[0] if len(results) == 1 else tuple(results)

    def prepare(self) -> None:
        """Compiles what is missing now, instead of at the first run."""
        self._session.prepare()

    # Settings

    @property
    def runtime_settings(self) -> RuntimeSettings:
        """How it runs, with what scopes say. Assigning sets what holds outside of scopes, as update_runtime_settings."""
        session = self._made_session
        return self._settings if session is None else RuntimeSettings.from_fields(*session.runtime_settings())

    @runtime_settings.setter
    def runtime_settings(self, settings: RuntimeSettings) -> None:
        self.update_runtime_settings(settings)

    def update_runtime_settings(self, settings: RuntimeSettings) -> bool:
        """Sets all of them at once; whether anything changed. Makes no context and compiles nothing: the next run does.
        A cache that a path named and the new settings do not is saved before this returns."""
        fields = _checked(settings).fields()
        with self._lock:
            if self._made_session is None and not self._needs_session_for(fields):
                changed = settings != self._settings
                self._settings = settings
                return changed
        return self._session.update_runtime_settings(fields)

    @property
    def runtime_cache(self) -> RuntimeCache | None:
        """The cache in force: the settings' handle, or the one that the engine owns for their path; None is memory."""
        return self._session.runtime_cache()

    @property
    def runtime_config(self) -> RuntimeConfig | None:
        """None until the first run."""
        if not self.has_context():
            return None
        if self._config is None:
            config = RuntimeConfig(self.runtime_settings)
            config.ensure_initialized(self)
            self._config = config
        return self._config

    # Optimization profiles: the ranges of shapes that the engine was built for, by name of the input (self.profiles)

    def optimization_profile(self, profile: int | str | None = None) -> optimization_profile[Engine]:
        """A scope in which runs must fit this profile: an index, None for 0, or "auto"."""
        return optimization_profile(self, profile)

    def set_optimization_profile(self, profile: int | str | None) -> None:
        """The same outside of scopes."""
        self._session.set_optimization_profile(profile_number(profile))

    @property
    def active_profile(self) -> int:
        """That the last run fitted; 0 before."""
        return 0 if self._made_session is None else self._session.optimization_profile()

    @property
    def dynamically_allocate_resources(self) -> bool:
        """Whether each run takes memory for its intermediate values and gives it back, or keeps it for the next one."""
        return False if self._made_session is None else self._session.is_dynamic_allocation()

    @dynamically_allocate_resources.setter
    def dynamically_allocate_resources(self, is_dynamic: bool) -> None:
        self._session.set_dynamic_allocation(bool(is_dynamic))

    @property
    def streamable_weight_bytes(self) -> int:
        """Of weights that need not be in memory between the calls that read them: on a CPU, those that a library reads in
        a layout of its own. 0 where there are none."""
        return self._session.streamable_weight_bytes()

    @property
    def weight_budget(self) -> int:
        """How many of these bytes stay; all of them at first. Each other weight is packed anew for each call that reads
        it, and goes after it; results are the same. More than all is all; ValueError for a negative number."""
        return self._session.weight_budget()

    @weight_budget.setter
    def weight_budget(self, budget: int) -> None:
        if not isinstance(budget, int):
            raise TypeError(f"weight_budget must be an int, found {type(budget).__name__}")
        self._session.set_weight_budget(min(budget, self.streamable_weight_bytes))

    @property
    def automatic_weight_budget(self) -> int:
        """What this machine has room for: all of them, or half of the memory that this process may use."""
        return self._session.automatic_weight_budget()

    # The execution context

    @property
    def context(self) -> ExecutionContext:
        """The one that the next run uses; made now if need be."""
        self._session.make_context()
        return ExecutionContext(self)

    def has_context(self) -> bool:
        return self._made_session is not None and self._session.has_context()

    def invalidate_context(self) -> None:
        """The next run makes a new one. What was compiled is kept."""
        if self._made_session is not None:
            self._session.invalidate_context()

    def num_execution_contexts_created(self) -> int:
        """How many were made so far: none by loading or by a setting alone, one by the first run, one by each run that
        finds other settings than the run before."""
        return 0 if self._made_session is None else self._session.num_execution_contexts_created()

    @property
    def input_shapes(self) -> list[tuple[int, ...]]:
        """Of the last run, in the order of the inputs; empty before the first."""
        return [] if self._made_session is None else self._session.input_shapes()

    # Specialized kernels

    def warm(self, shapes: Iterable[Shapes]) -> None:
        """Makes specialized kernels for these shapes ahead of traffic, and waits for them. Each element: {name: shape}
        or the shapes of all inputs in order."""
        if isinstance(shapes, (Mapping, str, bytes)) or not isinstance(shapes, Iterable):
            raise TypeError("shapes must be a list with a set of shapes in each element, as [{'x': (1, 8)}], found "
                            f"{type(shapes).__name__}")
        self._session.warm([self._shapes(each) for each in shapes])

    def wait_until_specialized(self, timeout: float = 600.0) -> bool:
        """Waits until every shape seen so far has specialized kernels, at most so many seconds; whether nothing is left
        to do. At once before the first run and where the strategy is "none"."""
        return self._session.wait_until_specialized(float(timeout))

    def compile_status(self) -> CompileStatus:
        """How far the specialization of shapes has come."""
        return self._session.compile_status()

    def cancel_specialization(self) -> None:
        """Forgets the shapes that wait and stops the compiler; shapes that are used again are asked for again."""
        self._session.cancel_specialization()

    def on_compile_status(self, callback: Callable[[CompileStatus], object] | None) -> None:
        """Called after each change of compile_status(), from the thread that made it; None ends that. What it raises is
        reported as unraisable."""
        if callback is not None and not callable(callback):
            raise TypeError(f"callback must be callable or None, found {type(callback).__name__}")
        self._callback = callback
        if callback is None:
            self._session.on_compile_status(None)
            return
        # The C++ side holds what the garbage collector does not see: it must not hold the engine, which the caller's
        # function may well do.
        engine = weakref.ref(self)

        def forward(status: CompileStatus) -> None:
            living = engine()
            told = None if living is None else living._callback
            if told is not None:
                told(status)

        self._session.on_compile_status(forward)
        _listening.add(self)

    # What it is and does

    def stats(self) -> Stats:
        return self._session.stats()

    def metrics(self, **labels: str) -> dict[str, float]:
        """stats() under the names that monitoring uses: {'jitney_kernels_compiled_total': 3.0, ...}. `labels` are added
        to each; jitney.prometheus() gives the same as text."""
        return {metric.key: metric.value for metric in self._metrics(labels)}

    def get_layer_info(self, shapes: Shapes | None = None) -> str:
        """What each step is, as JSON text: the model's operators in it, who does it and how, shapes and dtypes, the bytes
        that it moves; concrete extents for `shapes`. Compiles nothing."""
        return self._session.layer_info([] if shapes is None else self._shapes(shapes))

    def profile(self, inputs: Mapping[str, Any], iterations: int = 20) -> Profile:
        """Runs so many times, waiting for every step, and says where the time goes."""
        arrays = self._ordered("input", inputs, self.input_names)
        steps, seconds, outside = self._session.profile(arrays, count("iterations", iterations))
        return Profile(tuple(StepProfile(*step) for step in steps), seconds, outside)

    def inspect(self, source: bool = False) -> str:
        """Graph, kernels and memory plan as text; with `source` the generated code too."""
        return self._session.inspect(bool(source))

    def serialize(self) -> bytes:
        """The bytes of a .jitney file, which jitney.load() takes."""
        return self._native.serialize()

    def save(self, path: str | os.PathLike[str], *, kernels: RuntimeCache | None = None) -> None:
        """Writes a .jitney file: portable, whole or not at all. Settings are not in it.

        kernels: a cache whose compiled kernels the file brings with it, in place of those that it was loaded with. Who
            loads it with trust_precompiled=True on exactly their target compiles nothing.
        """
        native = self._native if kernels is None else self._native.with_precompiled(kernels)
        native.save(os.fspath(path))

    @property
    def precompiled(self) -> dict[str, int]:
        """How many compiled kernels it was loaded with, by target; trusted or not."""
        return self._native.precompiled

    def close(self) -> None:
        """Gives back what it holds and saves the cache that it owns; runs under way in other threads end first. Never
        raises, and may be called again; a closed engine does not run."""
        with getattr(self, "_lock", threading.Lock()):  # of an engine whose making failed there is none
            session = getattr(self, "_made_session", None)
            self._is_closed = True
        if session is not None:
            session.close()

    def __repr__(self) -> str:
        def describe(infos: Sequence[TensorInfo]) -> str:
            return ", ".join(f"{i.name}: {_type_text(i)}" for i in infos)

        return f"<jitney.Engine '{self.name}' on {self.device}: ({describe(self.inputs)}) -> ({describe(self.outputs)})>"

    # For scopes (jitney.runtime)

    def _jitney_engines_(self) -> tuple[Engine, ...]:
        return (self,)

    def _add_overrides(self, specialization: int | None, graphs: int | None,
                       cache: tuple[str | RuntimeCache | None] | None) -> int:
        """Over the settings and all overrides before, until _remove_overrides() with what this gives."""
        return self._session.add_overrides(specialization, graphs, cache)

    def _remove_overrides(self, overrides: int) -> None:
        if not self._is_closed:
            self._session.remove_overrides(overrides)

    def _add_optimization_profile(self, profile: int) -> int:
        return self._session.add_optimization_profile(profile)

    def _remove_optimization_profile(self, scope: int) -> None:
        if not self._is_closed:
            self._session.remove_optimization_profile(scope)

    def _metrics(self, labels: Mapping[str, str]) -> list[_jitney.Metric]:
        return self._session.metrics(list(labels.items()))

    @property
    def _session(self) -> _jitney.Session:
        if self._made_session is None:
            with self._lock:
                if self._is_closed:
                    raise _jitney.UserError(f"engine '{self.name}' is closed")
                if self._made_session is None:
                    self._made_session = _jitney.Session(self._native, *self._options, self._settings.fields())
        return self._made_session

    @staticmethod
    def _needs_session_for(fields: Fields) -> bool:
        """Whether setting these does something now: a packed file is loaded when it is named."""
        cache = fields[2]
        return isinstance(cache, str) and not (cache.endswith(os.sep) or os.path.isdir(cache))

    def _run(self, arrays: list[Any]) -> list[Any]:
        if self._native.is_structured:
            return [_with_dtype(value, info.dtype) for value, info in zip(self._session.run_values(arrays), self.outputs)]
        is_reusing = self._reused.is_on and not self._native.has_data_dependent_outputs
        if is_reusing:
            outputs = self._reused.find(arrays)
            if outputs is not None:
                self._session.run(arrays, outputs)
                return list(outputs)
        results = self._session.run(arrays, None)
        for index, info in enumerate(self.outputs):
            results[index] = _with_dtype(results[index], info.dtype)
        if is_reusing:
            self._reused.keep(arrays, list(results), [info.dtype for info in self.outputs])
        else:
            self._reused.forget()
        return results

    def _shapes(self, given: Shapes) -> list[list[int]]:
        if isinstance(given, Mapping):
            given = cast(Sequence[Sequence[int]], self._ordered("input shape", given, self.input_names))
        if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
            raise TypeError(f"shapes of inputs must be a mapping of names to shapes, or a list, found {type(given).__name__}")
        return [extents("a shape", shape) for shape in given]

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


_listening: weakref.WeakSet[Engine] = weakref.WeakSet()


@atexit.register
def _stop_telling() -> None:
    """Compiles may go on while the interpreter ends; they must not call into it then."""
    for engine in list(_listening):
        if not engine._is_closed:
            engine.on_compile_status(None)


def _type_text(info: TensorInfo) -> str:
    text = f"{info.dtype}[{', '.join(map(str, info.shape))}]"
    if info.kind == "sequence":
        text = f"list[{text}]"
    return f"{text} | None" if info.optional else text


def _with_dtype(value: Any, dtype: str) -> Any:
    if isinstance(value, list):
        return [_with_dtype(item, dtype) for item in value]
    return with_extension_type(value, dtype) if needs_extension_type(dtype) and hasattr(value, "view") else value


def _checked(settings: RuntimeSettings) -> RuntimeSettings:
    if not isinstance(settings, RuntimeSettings):
        raise TypeError(f"runtime_settings must be a RuntimeSettings, found {type(settings).__name__}")
    return settings
