# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""examples/aoti_cpp: a package with an engine in it, run by a C++ program without Python (I1, I2, G2)."""
import os
import subprocess

import pytest
import torch
from conftest import BUILD, ROOT
from test_files import Net, saved, wanted

import jitney


def sh(*command, **how):
    process = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=500, **how)
    assert process.returncode == 0, f"{command}: {process.stdout[-3000:]}{process.stderr[-3000:]}"
    return process.stdout


@pytest.fixture(scope="session")
def program(tmp_path_factory):
    """Built against an installed tree, as users do it."""
    folder = tmp_path_factory.mktemp("aoti")
    sh("cmake", "--install", BUILD, "--prefix", folder / "jitney")
    torch_folder = os.path.dirname(torch.__file__)
    sh("cmake", "-S", ROOT / "examples" / "aoti_cpp", "-B", folder / "build", f"-DCMAKE_PREFIX_PATH={folder / 'jitney'}",
       f"-DTORCH={torch_folder}", "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_CXX_COMPILER_LAUNCHER=ccache")
    sh("cmake", "--build", folder / "build")
    return folder / "build" / "aoti_cpp"


def run(program, folder, net, device="cpu"):
    x, y = torch.randn(3, 4, device=device), torch.randn(3, 3, device=device)
    saved(net, folder / "net.pt2", output_format="aot_inductor")
    torch.save([x, y], folder / "in.pt")
    told = sh(program, folder / "net.pt2", folder / "in.pt", folder / "out.pt",
              env={**os.environ, "JITNEY_CACHE_DIR": str(folder / "cache")})
    for got, want in zip(torch.load(folder / "out.pt"), wanted(net, x, y)):
        torch.testing.assert_close(got, want.cpu())
    return told


def test_I1_I2_a_package_in_a_program_without_python(program, tmp_path):
    told = run(program, tmp_path, Net())
    assert told.count("1 execution context") == 2 and told.rstrip().endswith("2; 2; 2 outputs"), told
    maps = sh("ldd", program)
    assert "libpython" not in maps and "libtorch_python" not in maps


@pytest.mark.cuda
def test_G2_under_a_stream_guard(program, tmp_path):
    net = Net(device="cuda").cuda()
    assert run(program, tmp_path, net, "cuda").rstrip().endswith("2; 2; 2 outputs")
    assert jitney.load(tmp_path / "net.pt2") is not None
