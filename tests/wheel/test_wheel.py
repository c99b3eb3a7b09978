# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""The wheel in an environment that has nothing else: `./dev wheel` names it in JITNEY_WHEEL."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DIGITS = ROOT / "models" / "digits" / "digits.onnx"


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """A virtual environment with the wheel, and the variables of a user who never heard of this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    subprocess.run([folder / "venv" / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check",
                    os.environ["JITNEY_WHEEL"]], check=True)
    return folder, {"PATH": "/usr/bin:/bin", "HOME": str(folder), "JITNEY_CACHE_DIR": str(folder / "cache")}


def run(environment, *command):
    folder, variables = environment
    process = subprocess.run([str(folder / "venv" / "bin" / command[0]), *map(str, command[1:])], env=variables, cwd=folder,
                             capture_output=True, text=True, timeout=120)
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


def test_a_model_is_compiled_and_run(environment):
    out = run(environment, "python", "-c", f"""
import numpy, jitney, re
engine = jitney.load({str(DIGITS)!r})
y = engine(numpy.ones((2, 1, 8, 8), numpy.float32))
stats = engine.stats()
assert y.shape == (2, 10) and stats["compiled"] == 1 and stats["failed"] == stats["interpreted"] == 0, stats
print(jitney.__file__)
# Nothing of this tree and no LLVM of the system is in the process.
print(*sorted(set(re.findall(r"/\\S+[.]so\\S*", open("/proc/self/maps").read()))), sep="\\n")
""").splitlines()
    folder, _ = environment
    assert out[0].startswith(str(folder))
    assert not [line for line in out if str(ROOT) in line or "LLVM" in line], out
    assert any("libdnnl" in line for line in out)


def test_the_command_comes_along(environment):
    assert run(environment, "jitney", "--version").startswith("jitney ")
    assert str(environment[0]) in run(environment, "jitney", "doctor")


def test_the_licences_come_along(environment):
    names = [p.name for p in (environment[0] / "venv").rglob("*") if "jitney" in str(p)]
    assert "LICENSE" in names and "THIRD-PARTY-PROGRAMS" in names
