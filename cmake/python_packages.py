# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Where this Python has what the C++ build takes from wheels: lines of NAME=PATH for python_packages.cmake."""
from importlib import metadata


def root_of(package, file):
    """The folder above `file`, one of the package's."""
    try:
        files = metadata.files(package) or ()
    except metadata.PackageNotFoundError:
        return None
    for entry in files:
        path = entry.locate().resolve()
        if path.as_posix().endswith("/" + file):
            return path.as_posix().removesuffix("/" + file)
    return None


onnx = root_of("onnx", "onnx/onnx-ml.proto")
onednn = root_of("onednn-devel-cpu-gomp", "include/oneapi/dnnl/dnnl.h")
cudnn = root_of("nvidia-cudnn-frontend", "cudnn_frontend.h")
if onnx:
    print(f"JITNEY_ONNX_PROTO={onnx}/onnx/onnx-ml.proto")
if onednn:
    print(f"JITNEY_ONEDNN_ROOT={onednn}")
if cudnn:
    print(f"JITNEY_CUDNN_FRONTEND={cudnn}")
