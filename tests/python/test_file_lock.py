# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Jitney's FileLock and Python's filelock exclude each other, across processes and in both directions."""
import subprocess
import sys
import time

import filelock
import pytest

from conftest import BUILD

HOLDER = BUILD / "bin" / "jitney-test-lock"
PYTHON_HOLDER = """
import filelock, sys
try:
    with filelock.FileLock(sys.argv[1], timeout=float(sys.argv[2])):
        print("locked", flush=True)
        sys.stdin.read()
except filelock.Timeout:
    print("timeout", flush=True)
"""


def start(command):
    return subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def cpp(path, mode="exclusive", timeout_ms=0):
    return start([HOLDER, path, mode, timeout_ms])


def python(path, timeout_s=0):
    return start([sys.executable, "-c", PYTHON_HOLDER, path, timeout_s])


def says(process):
    return process.stdout.readline().strip()


def end(process):
    process.stdin.close()
    process.wait(timeout=20)
    process.stdout.close()


@pytest.mark.parametrize("first, second", [("cpp", "python"), ("python", "cpp"), ("cpp", "cpp"), ("python", "python")])
def test_each_excludes_the_other(tmp_path, first, second):
    programs = {"cpp": cpp, "python": python}
    path = tmp_path / "cache.lock"
    holder = programs[first](path)
    assert says(holder) == "locked"
    late = programs[second](path)
    assert says(late) == "timeout"
    end(holder)
    again = programs[second](path)
    assert says(again) == "locked"
    end(late)
    end(again)
    assert path.exists()


def test_a_shared_holder_blocks_python(tmp_path):
    path = tmp_path / "cache.lock"
    readers = [cpp(path, "shared"), cpp(path, "shared")]
    assert [says(r) for r in readers] == ["locked", "locked"]
    with pytest.raises(filelock.Timeout):
        filelock.FileLock(path, timeout=0.1).acquire()
    for r in readers:
        end(r)
    with filelock.FileLock(path, timeout=0):
        late = cpp(path, "shared")
        assert says(late) == "timeout"
        end(late)


def test_a_waiter_gets_it_after_release(tmp_path):
    path = tmp_path / "cache.lock"
    with filelock.FileLock(path, timeout=0):
        waiter = cpp(path, "exclusive", 10_000)
        time.sleep(0.3)
    begin = time.monotonic()
    assert says(waiter) == "locked"
    assert time.monotonic() - begin < 2
    end(waiter)


@pytest.mark.parametrize("program", ["cpp", "python"])
def test_a_killed_holder_frees_it(tmp_path, program):
    path = tmp_path / "cache.lock"
    holder = {"cpp": cpp, "python": python}[program](path)
    assert says(holder) == "locked"
    holder.kill()
    holder.wait(timeout=20)
    for late in (cpp(path), python(path)):
        assert says(late) == "locked"
        end(late)
