# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Jitney runs trained models: it fuses them into kernels and compiles those for the machine that runs them.

    import jitney
    engine = jitney.load("model.onnx")
    result = engine.run({"images": images})     # {name: numpy array}

Errors are jitney.UserError (a ValueError), jitney.EnvironmentError and jitney.InternalError (RuntimeErrors), all of
them jitney.Error; an argument of a wrong Python type is a TypeError. See jitney.load for what can be chosen, and
jitney.runtime for what can be changed while an engine runs.
"""
from typing import Any

from . import compiling, logging, runtime
from ._jitney import EnvironmentError, Error, InternalError, UserError, __version__
from .compiling import compile  # noqa: A004
from .context import ExecutionContext
from .engine import Engine
from .input import Input, ShapeRange
from .loading import build, load
from .observation import correlation_id, metrics, prometheus, trace, trace_scope
from .profile import Profile, StepProfile
from .runtime import RuntimeCache, RuntimeSettings
from .stats import CacheEntry, CacheStats, CompileStatus, Stats
from .tensor_info import TensorInfo

__all__ = ["CacheEntry", "CacheStats", "CompileStatus", "Engine", "EnvironmentError", "Error", "ExecutionContext",
           "Input", "InternalError", "Profile", "RuntimeCache", "RuntimeSettings", "ShapeRange", "Stats", "StepProfile", "TensorInfo", "UserError",
           "__version__", "build", "compile", "correlation_id", "load", "logging", "metrics", "prometheus", "runtime", "trace",
           "trace_scope"]

compiling.register_backend()

# Of the PyTorch side, imported when it is asked for: this package works without torch.
_OF_TORCH = {"save": ".dynamo.runtime.files", "apply_runtime_settings": ".dynamo.runtime.live"}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name == "dynamo":
        return import_module(".dynamo", __name__)
    if name not in _OF_TORCH:
        raise AttributeError(f"module 'jitney' has no attribute {name!r}")
    return getattr(import_module(_OF_TORCH[name], __name__), name)
