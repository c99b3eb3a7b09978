# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""From a model to an engine."""
from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Literal, Union, cast

from . import _jitney
from .engine import Engine
from .input import Inputs, profiles_of
from .runtime.settings import RuntimeSettings, default_runtime_settings

Model = Union[str, "os.PathLike[str]", bytes, bytearray, memoryview, Any]


def _read(model: Model, trust_precompiled: bool) -> _jitney.Engine:
    if isinstance(model, _jitney.Engine):
        return model
    if isinstance(model, (str, os.PathLike)):
        return _jitney.Engine.load_path(os.fspath(model), trust_precompiled)
    if isinstance(model, (bytes, bytearray, memoryview)):
        return _jitney.Engine.load_bytes(bytes(model), trust_precompiled)
    if hasattr(model, "SerializeToString"):  # onnx.ModelProto, without importing onnx
        return _jitney.Engine.load_bytes(model.SerializeToString())
    raise TypeError(f"a model is a path, bytes or an onnx.ModelProto, found {type(model).__name__}")


def _build(model: Model, weights: Mapping[str, Any]) -> _jitney.Engine:
    data = model.SerializeToString() if hasattr(model, "SerializeToString") else model
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise TypeError(f"a model with weights is bytes or an onnx.ModelProto, found {type(model).__name__}")
    return _jitney.Engine.build(bytes(data), dict(weights))


def _is_archive(path: str | os.PathLike[str]) -> bool:
    """Whether a file is one of PyTorch's: those are zip files, and models are not."""
    try:
        with open(path, "rb") as file:
            return file.read(4) == b"PK\x03\x04"
    except OSError:
        return False


def load(model: Model, device: str = "cpu", *, inputs: Inputs | None = None, threads: int = 0,
         precision: Literal["fp32", "bf16"] = "fp32",
         denormals: Literal["flush", "keep"] = "flush", tactics: Literal["heuristic", "timed"] | None = None,
         runtime_settings: RuntimeSettings | None = None,
         runtime_cache: str | os.PathLike[str] = "",
         cuda_graph_strategy: Literal["disabled", "whole_graph_capture"] | None = None,
         trust_precompiled: bool = False) -> Engine:
    """An engine that is ready to run on `device`; kernels are compiled at the first run.

    model: the path or the bytes of an ONNX model or of a .jitney engine, or an onnx.ModelProto. The path of what
        jitney.save() wrote gives an exported program, a ScriptModule or an AOTInductor package; the other arguments are
        not for these.
    device: "cpu" or "cuda:INDEX".
    inputs: the shapes that the engine may be given, as jitney.Input by name or in the model's order; in place of those
        that a .jitney engine brings.
    threads: on the CPU, how many run kernels; 0 is every core that this process may use.
    precision: "bf16" keeps float32 values in bfloat16 between inputs and outputs; sums stay in float32.
    denormals: "flush" takes numbers below 1.2e-38 as zero, which many processors are much faster with.
    tactics: on a GPU, how its libraries choose their algorithms: "heuristic", as they recommend, or "timed", the
        fastest, measured when a shape is planned and kept in the cache. None is what JITNEY_TACTICS says, else
        "heuristic".
    runtime_settings: a jitney.runtime.RuntimeSettings, which may be changed later; by default
        jitney.runtime.default_runtime_settings().
    runtime_cache: in place of the settings' own: a folder (one that exists or ends in "/") or a packed file of compiled
        kernels; "none" keeps kernels in memory.
    cuda_graph_strategy: in place of the settings' own: "whole_graph_capture" replays what a shape launches as one CUDA
        graph.
    trust_precompiled: compiled kernels in a .jitney file ("jitney build --precompile") are native code, which runs with
        your rights: only with this are they used, where they are for exactly this target.
    """
    if isinstance(model, (str, os.PathLike)) and _is_archive(model):
        from .dynamo.runtime import files

        return cast(Engine, files.load(model))
    settings = default_runtime_settings() if runtime_settings is None else runtime_settings
    if cuda_graph_strategy is not None:
        settings = settings.merge(cuda_graph_strategy=cuda_graph_strategy)
    if runtime_cache != "":
        settings = settings.merge(runtime_cache=None if runtime_cache == "none" else runtime_cache)
    native = _read(model, trust_precompiled)
    if inputs is not None:
        names, dtypes = [i[0] for i in native.inputs], [i[1] for i in native.inputs]
        native = native.with_profiles(profiles_of(inputs, names, dtypes))
    return Engine(native, device, threads=threads, precision=precision, denormals=denormals, tactics=tactics,
                  runtime_settings=settings)


def build(model: Model, output: str | os.PathLike[str] | None = None, *, weights: Mapping[str, Any] | None = None,
          **options: Any) -> Engine:
    """Turns an ONNX model into an engine; with `output` it is also written there (a portable .jitney file, which
    load() reads). `options` are those of load(): but for `inputs` they are of the engine that is returned, and not in
    the file.

    weights: {name: array} of initializers whose data the model leaves out, contiguous and in host memory. They are not
        copied: do not change them while the engine lives. The model is then bytes or an onnx.ModelProto, and its
        dim_params may be expressions over symbols, such as "2*batch + 1".
    """
    engine = load(model if weights is None else _build(model, weights), **options)
    if output is not None:
        engine.save(output)
    return engine
