# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""What this build can do."""
from typing import NamedTuple

from ...dynamo.runtime import has_torch_library


class FeatureSet(NamedTuple):
    torchscript_frontend: bool
    torch_tensorrt_runtime: bool
    dynamo_frontend: bool
    fx_frontend: bool
    refit: bool
    qdp_plugin: bool
    windows_cross_compile: bool
    tensorrt_rtx: bool
    native_trt_collectives: bool


ENABLED_FEATURES = FeatureSet(torchscript_frontend=False, torch_tensorrt_runtime=has_torch_library(), dynamo_frontend=True,
                              fx_frontend=False, refit=True, qdp_plugin=False, windows_cross_compile=True,
                              tensorrt_rtx=True, native_trt_collectives=False)
