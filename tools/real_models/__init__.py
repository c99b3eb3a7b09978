# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Models as their users export them, compared with ONNX Runtime: docs/models.md."""
