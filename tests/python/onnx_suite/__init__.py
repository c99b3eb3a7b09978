# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""The backend suite of the ONNX standard, run through the Python package: `python -m onnx_suite --help`."""
