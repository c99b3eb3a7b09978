# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""What the tests through the command line share: the program, filled models, and a runner that reads its report.

JITNEY_BUILD_DIR names the build folder (default: build in the root). Nothing is skipped when it is missing: it fails.
"""
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("JITNEY_BUILD_DIR", ROOT / "build")).resolve()
TIMEOUT = 240  # seconds for one process; a hang is a failure, not a wait
# Jobs that a script starts in the background ignore it, and what they start inherits that; some tests send it.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path.insert(0, str(ROOT / "tools"))
sys.path.insert(0, str(BUILD / "python"))


def communicate(process, timeout):
    """What it says until it ends; one that does not end does not outlive its test."""
    try:
        return process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


class Result:
    """What one process left behind. `report` is its JSON, `outputs` its tensors by name."""

    def __init__(self, process, output_dir=None):
        self.code, self.stdout, self.stderr = process.returncode, process.stdout, process.stderr
        self.report = json.loads(self.stdout) if "--json" in process.args and self.code == 0 else None
        self.outputs = {}
        if self.report and output_dir:
            for output in self.report["outputs"]:
                # The file is named as written or relative to the output folder.
                path = Path(output["file"])
                self.outputs[output["name"]] = np.load(path if path.is_file() else output_dir / path)

    @property
    def kernels(self):
        return self.report["kernels"]


class Jitney:
    def __init__(self, program, folder):
        self.program, self.folder, self.runs = program, folder, 0

    def __call__(self, *arguments, env=None, stdin=subprocess.DEVNULL, preexec_fn=None, timeout=TIMEOUT):
        """Any command line, whatever it returns. `env` adds to the environment."""
        process = subprocess.run([str(self.program), *map(str, arguments)], stdout=subprocess.PIPE, text=True,
                                 stderr=subprocess.PIPE, stdin=stdin, env={**os.environ, **(env or {})},
                                 preexec_fn=preexec_fn, timeout=timeout)
        return Result(process)

    def run(self, model, inputs, cache, iterations=0, env=None, arguments=()):
        """`jitney run` that must succeed, with its tensors: inputs are {name: array}."""
        self.runs += 1
        folder = self.folder / f"run{self.runs}"
        folder.mkdir()
        command = ["run", str(model), "--json", "--iterations", str(iterations), "--output-dir", str(folder),
                   "--runtime-cache", str(cache), *map(str, arguments)]
        for name, array in inputs.items():
            np.save(folder / f"in_{name}.npy", array)
            command += ["--input", f"{name}={folder / f'in_{name}.npy'}"]
        process = subprocess.run([str(self.program), *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 text=True, env={**os.environ, **(env or {})}, timeout=TIMEOUT)
        assert process.returncode == 0, f"exit code {process.returncode}: {process.stderr}"
        return Result(process, folder)


@pytest.fixture(scope="session")
def build_dir():
    return BUILD


@pytest.fixture(scope="session")
def program():
    path = BUILD / "bin" / "jitney"
    assert path.is_file(), f"{path} is missing: './dev build' makes it"
    return path


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """Nothing may touch the cache of whoever runs the tests."""
    monkeypatch.setenv("JITNEY_CACHE_DIR", str(tmp_path / "default-cache"))


@pytest.fixture
def jitney(program, own_cache, tmp_path, monkeypatch):
    # Kernels for one shape are a matter of tests of their own; elsewhere they would double what is compiled.
    monkeypatch.setenv("JITNEY_DYNAMIC_SHAPES_KERNEL_SPECIALIZATION_STRATEGY", "none")
    return Jitney(program, tmp_path)


@pytest.fixture
def cache(tmp_path):
    """An empty store: the separator at the end makes it one."""
    return f"{tmp_path / 'cache'}/"


@pytest.fixture(scope="session")
def digits():
    return ROOT / "models" / "digits" / "digits.onnx"


@pytest.fixture(scope="session")
def filled(tmp_path_factory):
    """filled(NAME): the path of tests/models/NAME.onnx with seeded weights, made once a session."""
    import models

    folder = tmp_path_factory.mktemp("models")

    def make(name):
        path = folder / f"{name}.onnx"
        if not path.exists():
            models.fill_file(ROOT / "tests" / "models" / f"{name}.onnx", path)
        return path

    return make


@pytest.fixture
def check(jitney, cache, tmp_path):
    """Compares one operator with a reference: operators.Checker."""
    from operators import Checker

    return Checker(jitney, cache, tmp_path)
