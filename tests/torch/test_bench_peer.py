# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""The benchmark's peer "torch-jitney" answers as PyTorch does, and keeps its kernels where it is told to."""
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import BUILD, ROOT

sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tools")]
import catalog  # noqa: E402
from peer import Peer  # noqa: E402


@pytest.mark.timeout(300)
def test_it_answers_as_pytorch_and_fills_its_cache(tmp_path):
    options = SimpleNamespace(build=BUILD, threads=2)
    request = {"command": "load", "model": str(catalog.model_file("encoder-6x384")), "name": "encoder", "threads": 2,
               "inputs": catalog.make_inputs("encoder-6x384", tmp_path)}
    found = {}
    for kind in ("torch", "torch-jitney"):
        peer = Peer(kind, tmp_path / kind, options)
        try:
            assert peer.ask(**request, runtime_cache=f"{tmp_path / kind / 'cache'}/")["precision"] == "f32"
            found[kind] = peer.outputs()
        finally:
            peer.close()
    for mine, theirs in zip(found["torch-jitney"], found["torch"], strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-4)
    assert any((tmp_path / "torch-jitney" / "cache").rglob("*")), "nothing was compiled by Jitney"
