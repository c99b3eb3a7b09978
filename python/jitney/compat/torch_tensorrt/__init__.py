# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""The names of torch_tensorrt, over Jitney. Programs change one line:

    import jitney.compat.torch_tensorrt as torch_tensorrt

Importing needs no GPU and no driver.
"""
from ... import Input, __version__
from . import _backends, _defaults, dynamo, logging, runtime
from ._compile import compile, convert_method_to_trt_engine, cross_compile_for_windows, load, save  # noqa: A004
from ._device import Device
from ._enums import DeviceType, Platform, dtype
from ._features import ENABLED_FEATURES
from .dynamo import MutableTorchTensorRTModule

__all__ = ["ENABLED_FEATURES", "Device", "DeviceType", "Input", "MutableTorchTensorRTModule", "Platform", "__version__",
           "_defaults", "compile", "convert_method_to_trt_engine", "cross_compile_for_windows", "dtype", "dynamo", "load",
           "logging", "runtime", "save"]

_backends.register()
