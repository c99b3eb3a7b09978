# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Engines inside PyTorch programs."""
from .module import JitneyModule

__all__ = ["JitneyModule"]
