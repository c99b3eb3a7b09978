# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Jitney runs trained models: it fuses them into kernels and compiles those for the machine that runs them.

    import jitney
    engine = jitney.load("model.onnx")
    result = engine.run({"images": images})     # {name: numpy array}

Errors are jitney.UserError (a ValueError), jitney.EnvironmentError and jitney.InternalError (RuntimeErrors), all of
them jitney.Error; an argument of a wrong Python type is a TypeError. See jitney.load for what can be chosen.
"""
from ._jitney import EnvironmentError, Error, InternalError, UserError, __version__
from .engine import Engine
from .loading import build, load
from .profile import Profile, StepProfile
from .stats import Stats
from .tensor_info import TensorInfo

__all__ = ["Engine", "EnvironmentError", "Error", "InternalError", "Profile", "Stats", "StepProfile", "TensorInfo", "UserError", "__version__",
           "build", "load"]
