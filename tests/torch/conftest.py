# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""What the tests of Jitney inside PyTorch share. They need an environment with torch: requirements-torch.txt."""
import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("JITNEY_BUILD_DIR", ROOT / "build")).resolve()
sys.path.insert(0, str(BUILD / "python"))
sys.path.insert(0, str(Path(__file__).resolve().parent))


def pytest_configure(config):
    config.addinivalue_line("markers", "cuda: needs an NVIDIA GPU")


def pytest_collection_modifyitems(config, items):
    """Tests marked cuda run only when asked for by -m: where there is no GPU they would pass as skipped."""
    if "cuda" not in (config.getoption("-m") or ""):
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("cuda")])
        items[:] = [item for item in items if not item.get_closest_marker("cuda")]


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    # Nothing may touch the cache of whoever runs the tests. One for all, and for later runs: a kernel's key says all
    # that it was made of, and what compiles is no matter of theirs.
    monkeypatch.setenv("JITNEY_CACHE_DIR", str(BUILD / "torch-tests-cache"))
    # Kernels for one shape would double what is compiled.
    monkeypatch.setenv("JITNEY_DYNAMIC_SHAPES_KERNEL_SPECIALIZATION_STRATEGY", "none")


@pytest.fixture
def fresh_dynamo():
    """torch.compile with backend="jitney", before and after which nothing is compiled."""
    import torch

    import jitney

    torch._dynamo.reset()
    jitney.compiling.register_backend()
    yield
    torch._dynamo.reset()


@pytest.fixture(params=["cpp", "python"])
def runtime(request, monkeypatch):
    """Each test that asks for it runs in both runtimes: over libjitney_torch, and over the Python package alone."""
    from jitney.dynamo.runtime import has_torch_library

    assert has_torch_library(), "libjitney_torch is not built: tests of the C++ runtime would pass without running"
    monkeypatch.setenv("JITNEY_TORCH_RUNTIME", request.param)
    return request.param
