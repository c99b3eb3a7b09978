# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""From what torch traces to functional graphs of operators that converters know."""
from .decompositions import composites_kept_whole, decompositions

__all__ = ["composites_kept_whole", "decompositions"]
