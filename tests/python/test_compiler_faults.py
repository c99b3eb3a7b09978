# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""The compiler on a machine that is busy, or that refuses descriptors, threads, files or /proc."""
import contextlib
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from test_bad_input import CRASH, ENVIRONMENT


@pytest.fixture
def images(digits):
    return np.load(digits.parent / "test_images.npy")[:4]


@pytest.fixture
def expected(jitney, digits, images, cache):
    return jitney.run(digits, {"images": images}, cache).outputs["logits"]


@pytest.fixture
def poor(jitney, digits, images):
    """poor(PREFIX, PREPARE): a run without a cache in a poor process, whose outputs lie in .logits (None: it failed)."""
    with tempfile.TemporaryDirectory() as folder:  # where other users may come, too
        os.chmod(folder, 0o777)
        inputs, out = Path(folder, "in.npy"), Path(folder, "logits.npy")
        np.save(inputs, images)

        def call(prefix=(), prepare=None, arguments=()):
            jitney.program, *before = *prefix, jitney.program
            result = jitney(*before, "run", digits, *arguments, "--input", f"images={inputs}", "--iterations", "0",
                            "--output-dir", folder, "--runtime-cache", "none", preexec_fn=prepare)
            result.logits = np.load(out) if out.exists() else None
            return result

        yield call


def one_warning(result, *words):
    assert result.code == 0, f"exit code {result.code}: {result.stderr}"
    lines = result.stderr.splitlines()
    assert len(lines) == 1, f"expected one warning:\n{result.stderr}"
    assert not CRASH.search(lines[0]), lines[0]
    for word in words:
        assert word in lines[0], f"'{word}' is missing in: {lines[0]}"


@contextlib.contextmanager
def busy_core(processes):
    """The number of a core that this many processes keep busy, at ordinary priority."""
    core = min(os.sched_getaffinity(0))
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"],
                              preexec_fn=lambda: os.sched_setaffinity(0, {core})) for _ in range(processes)]
    try:
        time.sleep(0.2)
        yield core
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def test_mode34_busy_machine_gets_compiled_kernels(poor, expected):
    with busy_core(3) as core:
        start = time.monotonic()
        result = poor(prefix=["taskset", "-c", str(core)], arguments=["--json"])
        seconds = time.monotonic() - start
    assert result.code == 0, result.stderr
    assert result.stderr == ""
    assert '"interpreted":0' in result.stdout, result.stdout
    np.testing.assert_array_equal(result.logits, expected)
    # A quarter of a core: the compile takes four times as long as alone, not for ever.
    assert seconds < 20, seconds


def limit(what, value):
    return lambda: resource.setrlimit(what, (value, value))


def test_mode34_limit_on_file_sizes(poor, expected):
    # Python's children get the default action of SIGXFSZ, which is to die.
    result = poor(prepare=limit(resource.RLIMIT_FSIZE, 1024))
    one_warning(result, "ulimit -f", "1024 bytes", "interpreter")
    np.testing.assert_allclose(result.logits, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("descriptors", range(6, 12))
def test_mode34_few_descriptors(poor, expected, descriptors):
    result = poor(prepare=limit(resource.RLIMIT_NOFILE, descriptors))
    assert not CRASH.search(result.stderr), result.stderr
    if result.code != 0:  # not even the model could be read
        assert result.code == ENVIRONMENT and "open files" in result.stderr, result.stderr
        return
    np.testing.assert_allclose(result.logits, expected, rtol=1e-4, atol=1e-4)
    if result.stderr:
        one_warning(result, "interpreter", "open files")
    else:
        np.testing.assert_array_equal(result.logits, expected)


@pytest.mark.parametrize("processes", range(1, 6))
def test_mode34_few_processes(poor, program, expected, processes):
    """Threads count as processes. The limit does not hold for root. (One thread runs the model: this is about those that
    compile it.)"""
    if os.geteuid() != 0:
        pytest.skip("only root can become a user without other processes")
    user = 54321
    if subprocess.run(["setpriv", f"--reuid={user}", program, "--version"], capture_output=True).returncode != 0:
        pytest.skip("other users cannot reach the build folder")
    result = poor(prefix=["setpriv", f"--reuid={user}", "--inh-caps=-all", "prlimit", f"--nproc={processes}"],
                  arguments=["--threads", "1"])
    assert not CRASH.search(result.stderr), result.stderr
    assert result.code in (0, ENVIRONMENT), result.stderr
    assert len(result.stderr.splitlines()) <= 1, result.stderr
    if result.code == 0:
        np.testing.assert_allclose(result.logits, expected, rtol=1e-4, atol=1e-4)


def test_mode34_without_proc(poor, expected):
    prefix = ["unshare", "-m", "sh", "-c", 'umount -l /proc && exec "$@"', "sh"]
    if not shutil.which("unshare") or subprocess.run([*prefix, "true"], capture_output=True).returncode != 0:
        pytest.skip("unmounting needs root in a container that permits it")
    result = poor(prefix=prefix)
    one_warning(result, "interpreter", "/proc")
    np.testing.assert_allclose(result.logits, expected, rtol=1e-4, atol=1e-4)
