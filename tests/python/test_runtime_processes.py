# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Caches and the ends of processes: exit, exceptions, signals, fork and spawn (B4, B5), and one path in a Python and a
C++ process (B9)."""
import itertools
import os
import pathlib
import signal
import subprocess
import sys

import numpy as np
import onnx
import pytest
from conftest import BUILD
from runtime_models import kernels_at, random, relu_model

from jitney.runtime import RuntimeSettings

TIMEOUT = 120
HERE = pathlib.Path(__file__).parent
BEGIN = """
import os, signal, sys, time, numpy as np, jitney
from jitney.runtime import RuntimeCache, RuntimeSettings, runtime_cache
from runtime_models import relu_model
x = np.float32([[-1, 2]])
def load(cache, *operators):
    return jitney.load(relu_model(operators or ("Relu",)),
                       runtime_settings=RuntimeSettings("none", runtime_cache=cache))
path = sys.argv[1]
"""


@pytest.fixture
def python(tmp_path):
    """python(CODE): a process with argument path; gives path. Its exit code must be `code`."""
    def run(body, code=0, runs=None):
        path = tmp_path / "kernels.jkp"
        environment = {**os.environ, "PYTHONPATH": f"{BUILD / 'python'}:{HERE}",
                       "JITNEY_CACHE_DIR": str(tmp_path / "default-cache")}
        script = tmp_path / "script.py"
        script.write_text(BEGIN + body)
        process = subprocess.run([sys.executable, script, path], env=environment, capture_output=True, text=True,
                                 timeout=TIMEOUT)
        assert process.returncode == code, process.stdout + process.stderr
        run.stderr = process.stderr
        return path

    return run


@pytest.mark.parametrize("end", ["", "del engine", "sys.exit()", "engine.keep = engine"], ids=["exit", "del", "sys.exit",
                                                                                             "cycle"])
def test_B5_an_owned_handle_is_saved_at_the_interpreters_end(python, end):
    path = python(f"engine = load(path); engine(x)\n{end}")
    assert kernels_at(path) == 1 and python.stderr == ""


def test_B5_a_user_built_handle_only_with_autosave(python):
    assert not python("cache = RuntimeCache(path); load(cache)(x)").exists()
    assert kernels_at(python("cache = RuntimeCache(path, autosave_on_del=True); engine = load(cache); engine(x)")) == 1
    assert python.stderr == ""


def test_B5_an_exception_ends_the_process(python):
    path = python("engine = load(path); engine(x); raise ValueError('mine')", code=1)
    assert kernels_at(path) == 1 and python.stderr.count("Traceback") == 1 and "mine" in python.stderr


def test_B6_nothing_is_said_at_exit_when_the_place_is_gone(python):
    python("""
path = path + "-folder/kernels.jkp"
engine = load(path); engine(x)
open(os.path.dirname(path), "w").close()
""")
    assert "Traceback" not in python.stderr and "Exception ignored" not in python.stderr


def test_signals(python):
    """Ctrl-C is an exception, and a handler that exits is an exit; what just kills loses what was not saved, and leaves
    no torn file."""
    path = python("""
engine = load(path); engine(x)
os.kill(os.getpid(), signal.SIGINT)
time.sleep(60)
""", code=-signal.SIGINT)
    assert kernels_at(path) == 1
    python("""
signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
engine = load(path, "Neg"); engine(x)
os.kill(os.getpid(), signal.SIGTERM)
time.sleep(60)
""", code=3)
    assert kernels_at(path) == 2
    python("engine = load(path, 'Abs'); engine(x); os.kill(os.getpid(), signal.SIGKILL)", code=-signal.SIGKILL)
    assert kernels_at(path) == 2


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_children_of_multiprocessing_save_what_they_compiled(python, method):
    path = python(f"""
import multiprocessing
def child(operator):
    engine = load(path, operator)
    engine(x)
    globals()["kept"] = engine  # its end is the process'
if __name__ == "__main__":
    context = multiprocessing.get_context("{method}")
    engine = load(path, "Relu")
    engine(x)
    children = [context.Process(target=child, args=(operator,)) for operator in ("Neg", "Abs")]
    for each in children: each.start()
    for each in children: each.join(); assert each.exitcode == 0
""")
    assert kernels_at(path) == 3, python.stderr
    assert "Traceback" not in python.stderr


def test_a_forked_child_inherits_the_handle(python):
    """Both save: the union survives, and the child's exit without hooks is no fault."""
    path = python("""
engine = load(path); engine(x)
child = os.fork()
if child == 0:
    other = load(path, "Neg"); other(x)
    other.close()
    assert engine(x).tolist() == [[0, 2]]
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
""")
    assert kernels_at(path) == 2


def test_B9_a_python_and_a_cpp_process_share_one_path(jitney, tmp_path):
    import jitney as package
    model, path = tmp_path / "m.onnx", tmp_path / "kernels.jkp"
    onnx.save(relu_model(), model)
    x = random(2, 3)
    result = jitney.run(model, {"x": x}, path)
    assert result.report["kernels"]["compiled"] == 1
    engine = package.load(model, runtime_settings=RuntimeSettings("none", runtime_cache=path))
    np.testing.assert_array_equal(engine(x), result.outputs["y"])
    assert engine.stats()["compiled"] == 0 and engine.stats()["from_cache"] == 1
    # And back: what Python compiles, C++ finds.
    onnx.save(relu_model(("Neg",)), model)
    other = package.load(model, runtime_settings=RuntimeSettings("none", runtime_cache=path))
    other(x)
    other.close(), engine.close()
    assert jitney.run(model, {"x": x}, path).report["kernels"]["compiled"] == 0


def test_callbacks_end_with_the_interpreter(python):
    """A compile in the background tells of itself while the interpreter ends; nothing leaks, though the function holds
    the engine that holds it."""
    python("""
import gc
from runtime_models import softmax_model
told = []
def make(strategy):
    engine = jitney.load(softmax_model(), runtime_settings=RuntimeSettings(strategy, runtime_cache=None))
    engine.on_compile_status(lambda status: told.append((status["running"], engine)[0]))
    return engine
engine = make("eager")
engine(np.ones((2, 3), np.float32))
assert told
del engine
gc.collect()
engine = make("lazy")
for n in range(1, 9):
    engine(np.ones((n, 3), np.float32)), engine(np.ones((n, 3), np.float32))
""")
    assert python.stderr == ""


PARTS = ["engine", "cache", "session", "array"]
ORDERS = list(itertools.permutations(PARTS))[:: 1 if os.environ.get("JITNEY_CHECK") else 8]


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_mode35_the_interpreter_ends_whatever_goes_first(python, order):
    """Modules' globals go in the order of their making, also from an exit hook, a thread and a cycle."""
    make = {"engine": "engine = load(held)", "cache": "cache = held", "session": "scope = runtime_cache(load(None), path)",
            "array": "array = load(None)(x)"}
    body = "held = RuntimeCache(path, autosave_on_del=True)\n" + "\n".join(make[part] for part in order)
    body += """
import atexit, threading
engine(x); scope.__enter__()
atexit.register(lambda: engine(x))
engine.cycle = [engine, scope]
threading.Thread(target=lambda: [engine(x) for _ in range(50)]).start()
del held
"""
    python(body)
    assert python.stderr == ""


def test_mode35_statics_of_c_plus_plus_outlive_the_interpreter(python):
    """os._exit skips all hooks, an exception in one ends none of the others, and a daemon thread runs until the end."""
    python("engine = load(path); engine(x); os._exit(0)")
    path = python("import atexit\nengine = load(path); engine(x)\natexit.register(lambda: 1 / 0)")
    assert kernels_at(path) == 1 and "Traceback" in python.stderr
    python("import threading\nengine = load(None)\n"
           "def forever():\n    while True: engine(x)\n"
           "threading.Thread(target=forever, daemon=True).start(); time.sleep(0.2)")
    assert python.stderr == ""
