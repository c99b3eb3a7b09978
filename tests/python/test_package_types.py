# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""The package's types: it and the example pass mypy's strict check, what is wrong does not, and the stub is true."""
import inspect
import os
import re
import subprocess
import sys

import jitney
from conftest import BUILD, ROOT
from jitney import _jitney

EXAMPLE = ROOT / "examples" / "python" / "classify.py"


def mypy(*paths, folder):
    return subprocess.run([sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(folder / "mypy"), *map(str, paths)],
                          cwd=ROOT, capture_output=True, text=True, env={**os.environ, "MYPYPATH": str(ROOT / "python")})


def test_the_package_and_the_example_are_typed(tmp_path):
    process = mypy(ROOT / "python" / "jitney", EXAMPLE, folder=tmp_path)
    assert process.returncode == 0, process.stdout
    wrong = tmp_path / "wrong.py"
    wrong.write_text("import jitney\nengine = jitney.load('m.onnx', threads='2')\nx: int = engine.stats()['cache_path']\n"
                     "engine.run([1])\njitney.load('m.onnx', precision='fp8')\n")
    process = mypy(wrong, folder=tmp_path)
    assert [int(line) for line in re.findall(r"wrong.py:(\d+): error", process.stdout)] == [2, 3, 4, 5], process.stdout


def test_the_example_runs(digits, tmp_path):
    process = subprocess.run([sys.executable, EXAMPLE, digits], capture_output=True, text=True,
                             env={**os.environ, "PYTHONPATH": str(BUILD / "python"),
                                  "JITNEY_CACHE_DIR": str(tmp_path / "cache")})
    assert process.returncode == 0 and "kernels compiled" in process.stdout, process.stderr


def test_the_stub_names_what_the_module_has():
    stub = (ROOT / "python" / "jitney" / "_jitney.pyi").read_text()
    for name, value in vars(_jitney).items():
        if name.startswith("_"):
            continue
        assert re.search(rf"^(class|def) {name}\b", stub, re.MULTILINE), name
        if inspect.isclass(value) and value.__module__ == "jitney._jitney":
            for member in vars(value):
                assert member.startswith("__") or re.search(rf"def {member}\(", stub), f"{name}.{member}"


def test_everything_public_is_there_and_documented():
    assert (ROOT / "python" / "jitney" / "py.typed").exists()
    for name in jitney.__all__:
        assert getattr(jitney, name).__doc__, name
