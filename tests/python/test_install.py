# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""The installed tree can be moved, is complete, and a program outside this repository can be built against it."""
import json
import os
import re
import shutil
import subprocess

import numpy as np
import onnxruntime
import pytest
from conftest import ROOT


def sh(*command, **how):
    process = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=300, **how)
    assert process.returncode == 0, f"{command}: {process.stdout}{process.stderr}"
    return process.stdout


@pytest.fixture(scope="module")
def installed(build_dir, tmp_path_factory):
    """Installed in one place, then moved to another."""
    folder = tmp_path_factory.mktemp("install")
    sh("cmake", "--install", build_dir, "--prefix", folder / "first")
    shutil.move(folder / "first", folder / "moved")
    return folder / "moved"


def elf_files(tree):
    for path in sorted(tree.rglob("*")):
        if path.is_file() and not path.is_symlink() and path.open("rb").read(4) == b"\x7fELF":
            yield path


def test_nothing_installed_looks_outside_the_tree(installed, build_dir):
    found = list(elf_files(installed))
    assert {"jitney", "jitney-compiler-clang"} <= {path.name for path in found}
    for path in found:
        run_path = re.search(r"R(?:UN)?PATH\).*\[(.*)\]", sh("readelf", "-d", path))
        for entry in run_path.group(1).split(":") if run_path else []:
            # The compiler worker alone may name the distribution's LLVM.
            assert entry.startswith("$ORIGIN") or (path.name == "jitney-compiler-clang" and "llvm" in entry), \
                f"{path.name}: {entry}"
    for path in installed.rglob("*.cmake"):
        assert str(build_dir) not in path.read_text() and str(ROOT) not in path.read_text(), path


def test_only_public_headers_are_installed(installed):
    headers = sorted(p.relative_to(installed / "include") for p in (installed / "include").rglob("*") if p.is_file())
    public = sorted(p.relative_to(ROOT / "include") for p in (ROOT / "include").rglob("*.h"))
    assert headers == public


def test_moved_command_compiles_and_runs(installed, digits, tmp_path):
    process = subprocess.run([installed / "bin" / "jitney", "run", digits, "--shape", "images=2x1x8x8", "--json",
                              "--iterations", "0", "--runtime-cache", f"{tmp_path / 'cache'}/"], capture_output=True,
                             text=True, timeout=60)
    assert process.returncode == 0, process.stderr
    report = json.loads(process.stdout)
    assert report["kernels"]["compiled"] > 0 and report["kernels"]["interpreted"] == 0
    doctor = sh(installed / "bin" / "jitney", "doctor")
    assert str(installed) in doctor and str(ROOT / "build") not in doctor


def test_the_example_builds_against_it_and_is_right(installed, digits, tmp_path):
    build = tmp_path / "build"
    sh("cmake", "-S", ROOT / "examples" / "minimal", "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={installed}")
    sh("cmake", "--build", build)
    output = sh(build / "minimal", digits, env={**os.environ, "JITNEY_CACHE_DIR": str(tmp_path / "cache")})
    scores = [float(line.split(":")[1]) for line in output.splitlines()]
    reference = onnxruntime.InferenceSession(str(digits), providers=["CPUExecutionProvider"])
    expected = reference.run(None, {"images": np.zeros((1, 1, 8, 8), np.float32)})[0][0]
    np.testing.assert_allclose(scores, expected, atol=1e-3)
    failed = subprocess.run([build / "minimal", tmp_path / "none.onnx"], capture_output=True, text=True, timeout=60)
    assert failed.returncode == 1 and "none.onnx" in failed.stderr, "errors arrive as jitney::Error"
