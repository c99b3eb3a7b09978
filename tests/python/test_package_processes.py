# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""The Python package and the process around it: Ctrl-C, forked and spawned processes, threads that go on meanwhile."""
import os
import signal
import subprocess
import sys
import time

import numpy as np
import onnx
import pytest
from conftest import BUILD, communicate
from onnx import TensorProto, helper, numpy_helper

TIMEOUT = 120


def python(code, *arguments, tmp_path, **environment):
    """A process that runs `code` and says lines; the first one is 'ready'."""
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True,
                            env={**os.environ, "PYTHONPATH": str(BUILD / "python"),
                                 "JITNEY_CACHE_DIR": str(tmp_path / "cache"), **environment})


def finish(process):
    out, err = communicate(process, TIMEOUT)
    assert process.returncode == 0, out + err
    return out


@pytest.fixture
def slow_compiler(tmp_path):
    """A worker that never answers."""
    path = tmp_path / "slow-compiler"
    path.write_text("#!/bin/sh\nexec sleep 1000\n")
    path.chmod(0o755)
    return path


def chain(path, steps, width):
    """A model of so many products, each a step of its own."""
    weights = numpy_helper.from_array((np.eye(width, dtype=np.float32)), "w")
    nodes = [helper.make_node("MatMul", [f"x{i}", "w"], [f"x{i + 1}"]) for i in range(steps)]
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x0", TensorProto.FLOAT, ["n", width])],
                              [helper.make_tensor_value_info(f"x{steps}", TensorProto.FLOAT, ["n", width])], [weights])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10), path)
    return path


INTERRUPTED = """
import sys, time, threading, numpy as np, jitney
engine = jitney.load(sys.argv[1], threads=1)
x = np.ones(eval(sys.argv[2]), np.float32)
started = time.monotonic()
print("ready", flush=True)
try:
    while True:
        engine(x)
except KeyboardInterrupt:
    print("interrupted", time.monotonic() - started)
"""


def test_ctrl_c_while_the_compiler_works(digits, slow_compiler, tmp_path):
    process = python(INTERRUPTED, digits, "(1, 1, 8, 8)", tmp_path=tmp_path, JITNEY_COMPILER_CLANG=str(slow_compiler))
    assert process.stdout.readline() == "ready\n"
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    sent = time.monotonic()
    assert finish(process).startswith("interrupted")
    assert time.monotonic() - sent < 20


def test_ctrl_c_while_a_model_runs_and_the_engine_goes_on(tmp_path):
    code = INTERRUPTED + "np.testing.assert_array_equal(engine(x[:2]), x[:2]); print('goes on')"
    process = python(code, chain(tmp_path / "chain.onnx", 300, 512), "(512, 512)", tmp_path=tmp_path)
    assert process.stdout.readline() == "ready\n"
    time.sleep(4)
    process.send_signal(signal.SIGINT)
    out = finish(process)
    assert out.startswith("interrupted") and "goes on" in out


def test_other_threads_run_while_the_engine_does(tmp_path):
    """The counter's thread needs the GIL, which a run of some seconds may not keep."""
    code = """
import sys, threading, time, numpy as np, jitney
engine = jitney.load(sys.argv[1], threads=1)
engine(np.ones((1, 512), np.float32))
count = 0
def counter():
    global count
    while True:
        count += 1
        time.sleep(0.001)
thread = threading.Thread(target=counter, daemon=True); thread.start()
time.sleep(0.05)
before, started = count, time.monotonic()
while time.monotonic() - started < 0.3:
    engine(np.ones((512, 512), np.float32))
seconds, counted = time.monotonic() - started, count - before
assert counted > 10, (counted, seconds)
"""
    finish(python(code, chain(tmp_path / "chain.onnx", 300, 512), tmp_path=tmp_path))


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.parametrize("used_before", [True, False])
def test_child_processes(digits, tmp_path, method, used_before):
    path = tmp_path / "children.py"
    path.write_text("""
import multiprocessing, sys, numpy as np, jitney

engine = jitney.load(sys.argv[1])
x = np.random.default_rng(0).random((3, 1, 8, 8), dtype=np.float32)

def child(queue):
    queue.put((engine(x), jitney.load(sys.argv[1])(x)))

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[2])
    if sys.argv[3] == "True":
        engine(x)
    queue = context.Queue()
    processes = [context.Process(target=child, args=(queue,)) for _ in range(2)]
    for process in processes:
        process.start()
    found = [queue.get(timeout=60) for _ in processes]
    for process in processes:
        process.join()
        assert process.exitcode == 0
    for ours in found:
        for y in ours:
            np.testing.assert_array_equal(y, engine(x))
""")
    process = subprocess.run([sys.executable, path, digits, method, str(used_before)], capture_output=True, text=True,
                             timeout=TIMEOUT, env={**os.environ, "PYTHONPATH": str(BUILD / "python"),
                                                   "JITNEY_CACHE_DIR": str(tmp_path / "cache")})
    assert process.returncode == 0, process.stderr
