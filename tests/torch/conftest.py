# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Tests of the PyTorch front end. They need torch (requirements-torch.txt) and a build for the same Python.

JITNEY_BUILD_DIR names the build folder (default: build in the root). Nothing is skipped when it is missing: it fails.
"""
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("JITNEY_BUILD_DIR", ROOT / "build")).resolve()
sys.path.insert(0, str(BUILD / "python"))
sys.path.insert(0, str(Path(__file__).parent))
# Kernels of earlier runs are good for this one: their keys say what they were made of. Nobody's own cache is touched.
os.environ.setdefault("JITNEY_CACHE_DIR", str(BUILD / "torch-tests-cache"))
# Kernels for one shape are a matter of tests of their own; here they would double what is compiled.
os.environ.setdefault("JITNEY_DYNAMIC_SHAPES_KERNEL_SPECIALIZATION_STRATEGY", "none")
