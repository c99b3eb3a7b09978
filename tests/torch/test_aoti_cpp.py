# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""examples/aoti_cpp: a package with an engine in it, run by a C++ program without Python (I1, I2, G2)."""
import os
import shutil
import subprocess
import sys

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
    installed = BUILD
    if (BUILD / "CMakeCache.txt").exists():
        installed = folder / "jitney"
        sh("cmake", "--install", BUILD, "--prefix", installed)
    torch_folder = os.path.dirname(torch.__file__)
    sh("cmake", "-S", ROOT / "examples" / "aoti_cpp", "-B", folder / "build", f"-DCMAKE_PREFIX_PATH={installed}",
       f"-DTORCH={torch_folder}", "-DCMAKE_BUILD_TYPE=Release",
       *(["-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []))
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


PLAIN = """
import sys, torch
x = torch.randn(3, 4, device="cuda")
program = torch.export.export(torch.nn.Linear(4, 3).cuda().eval(), (x,))
torch._inductor.aoti_load_package(torch._inductor.aoti_compile_and_package(program, package_path=sys.argv[1]))(x)
"""


@pytest.mark.cuda
def test_I1_a_package_in_python_on_a_gpu(tmp_path):
    plain = subprocess.run([sys.executable, "-c", PLAIN, str(tmp_path / "plain.pt2")], capture_output=True, text=True)
    if plain.returncode < 0:
        pytest.skip(f"PyTorch's own packages end Python here, by signal {-plain.returncode}")
    net, x, y = Net(device="cuda").cuda(), torch.randn(3, 4, device="cuda"), torch.randn(3, 3, device="cuda")
    saved(net, tmp_path / "net.pt2", output_format="aot_inductor")
    for got, want in zip(jitney.load(tmp_path / "net.pt2")(x, y), wanted(net, x, y)):
        torch.testing.assert_close(got, want)
