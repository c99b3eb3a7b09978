# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""PyTorch programs as engines. Needs torch 2.11, and onnx for the models that it writes."""
