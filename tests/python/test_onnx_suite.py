# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""The backend suite of the ONNX standard: nothing wrong, crashed or hung, and refused is what refused.txt says."""
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import BUILD
from onnx_suite import refused, runner
from onnx_suite.compare import difference


@pytest.mark.timeout(300)
def test_the_suite_is_as_refused_txt_says():
    """In a process of its own, which forks workers: nothing else may be loaded in it. The cache is kept between runs."""
    process = subprocess.run(
        [sys.executable, "-m", "onnx_suite", "--check", "--cache", f"{BUILD / 'onnx-suite-cache'}/"],
        env={**os.environ, "PYTHONPATH": f"{BUILD / 'python'}:{Path(__file__).parent}"}, capture_output=True, text=True)
    assert process.returncode == 0, process.stdout + process.stderr


def result(name, verdict, reason=""):
    return runner.Result(SimpleNamespace(name=name), verdict, reason)


def test_a_stale_entry_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(refused, "FILE", tmp_path / "refused.txt")
    before = [result("a", "refused", "no\nFoo"), result("b", "refused", "no Foo"), result("c", "refused", "no Bar"),
              result("gone", "refused", "no Bar"), result("d", "pass")]
    refused.write(before)
    assert refused.complaints(before) == []
    now = [result("a", "pass"), result("b", "refused", "no Baz"), result("c", "refused", "no Bar"),
           result("d", "refused", "no Foo"), result("e", "wrong", "3 elements"), result("f", "hung", "")]
    found = refused.complaints(now)
    assert [line.split(":")[0] for line in found] == ["a", "b", "d", "e", "f", "gone"], found


def case(random=False):
    return SimpleNamespace(rtol=1e-3, atol=1e-7, is_random=random, operator="Add")


@pytest.mark.parametrize("got,want,word", [
    (np.float32([1, 2]), np.float32([1, 2.0001]), None),
    (np.float32([1, np.nan]), np.float32([1, np.nan]), None),
    (np.float32([1, np.inf]), np.float32([1, np.inf]), None),
    (np.float32([1, 2]), np.float32([1, 2.1]), "differs in 1 of 2"),
    (np.float32([1, 2]), np.float32([1, np.nan]), "differs"),
    (np.float32([1, 2]), np.float64([1, 2]), "dtype"),
    (np.float32([1]), np.float32(1), "shape"),
    (np.int64([1, 2**60]), np.int64([1, 2**60 + 1]), "differs"),
    (np.array([True]), np.array([False]), "differs"),
    ([np.float32([1])], [np.float32([1]), np.float32([1])], "1 elements"),
    (np.float32([1]), None, "wanted nothing"),
])
def test_differences_are_seen(got, want, word):
    found = difference(case(), "y", got, want)
    assert (found is None) if word is None else word in found, found


class Faulty:
    """Stands in for the package in a worker: one case kills its process, one never ends."""

    @staticmethod
    def serve(pipe):
        import signal
        import time

        while (index := pipe.recv()) is not None:
            if index == 1:
                os.kill(os.getpid(), signal.SIGSEGV)
            if index == 2:
                time.sleep(1000)
            pipe.send(("pass", "", 0))


@pytest.mark.timeout(60)
def test_a_crash_and_a_hang_cost_one_case(monkeypatch):
    monkeypatch.setattr(runner.worker, "serve", Faulty.serve)
    monkeypatch.setattr(runner, "SECONDS", 2)
    monkeypatch.setattr(runner, "all_cases", lambda: tuple(SimpleNamespace(name=str(i)) for i in range(5)))
    found = runner.run(processes=2)
    assert [r.verdict for r in found] == ["pass", "crashed", "hung", "pass", "pass"]
