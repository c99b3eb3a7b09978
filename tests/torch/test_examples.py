# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""The examples in Python of the PyTorch side, run as a user runs them; aoti_cpp has a test of its own."""
import importlib.util
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from conftest import BUILD, ROOT

EXAMPLES = ROOT / "examples"


def environment(folder, **others):
    return {**os.environ, "PYTHONPATH": str(BUILD / "python"), "JITNEY_CACHE_DIR": str(folder / "cache"), **others}


def run(folder, name, *arguments, timeout=400):
    done = subprocess.run([sys.executable, EXAMPLES / name, *map(str, arguments)], capture_output=True, text=True,
                          timeout=timeout, env=environment(folder))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_torch_compile(tmp_path):
    told = run(tmp_path, "torch_compile.py", "--size", 32, "--iterations", 1, "--batches", 1, 2)
    similarities = [float(found) for found in re.findall(r"^batch \d: first call .* similarity ([\d.]+)$", told, re.M)]
    assert len(similarities) == 2 and min(similarities) > 0.9999
    engines = re.findall(r"^engine .*: (\d+) steps, (\d+) kernels compiled", told, re.M)
    assert len(engines) == 2 and all(int(steps) > 0 for steps, _ in engines) and int(engines[0][1]) > 0


def test_export_and_save(tmp_path):
    told = run(tmp_path, "export_and_save.py", "save", tmp_path / "there")
    assert told.startswith("9 of 9 operators in 1 engines")
    for name, expected in (("model.ep", "[1-9]\\d* kernels compiled, 0 from"), ("model.ts", "0 kernels compiled, [1-9]"),
                           ("model.pt2", "0 kernels compiled, [1-9]")):
        assert re.search(f"^{name}: 1 engine, {expected}", run(tmp_path, "export_and_save.py", "run", tmp_path / "there" / name))
    assert (tmp_path / "there" / "kernels.jkp").is_file()


@pytest.fixture
def server(tmp_path):
    """The running example's address, and what ends it: (url, stop), where stop() gives the exit code."""
    import ray  # noqa: F401: a check that could not run is a failure

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    short = tempfile.TemporaryDirectory(prefix="ray", dir="/tmp", ignore_cleanup_errors=True)  # for paths of sockets
    log = open(tmp_path / "log", "w+")
    process = subprocess.Popen([sys.executable, EXAMPLES / "serve.py", "--port", str(port), "--folder", tmp_path / "served"],
                               stdout=log, stderr=subprocess.STDOUT, cwd=tmp_path,
                               env=environment(tmp_path, RAY_TMPDIR=short.name, HOME=str(tmp_path)))

    def told():
        return (tmp_path / "log").read_text()

    def stop():
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        return process.wait(timeout=120)

    try:
        until = time.monotonic() + 240
        while f"ready: http://127.0.0.1:{port}" not in told():
            assert process.poll() is None and time.monotonic() < until, told()
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}", stop
    finally:
        try:
            stop()
        finally:
            process.kill()
            log.close()
            short.cleanup()


def ask(url, body=None):
    """(status, answer)."""
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data), timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def replicas(url):
    """What each of the two says of itself, by process."""
    found = {}
    until = time.monotonic() + 60
    while len(found) < 2:
        assert time.monotonic() < until, found
        status, answer = ask(f"{url}/stats")
        assert status == 200
        found[answer["process"]] = answer
    return found


@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("ignore")  # Ray's own, of importing it
def test_serve(server):
    url, stop = server
    at_first = replicas(url)
    counts = [each["when_ready"] for each in at_first.values()]
    kernels = counts[0]["compiled"] + counts[0]["from_cache"]
    # One cache: whatever the two need is compiled once, by either.
    assert kernels > 0 and sum(each["compiled"] for each in counts) == kernels, counts
    assert all(each["compiled"] + each["from_cache"] == kernels for each in counts), counts

    spec = importlib.util.spec_from_file_location("serve_example", EXAMPLES / "serve.py")
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    torch.manual_seed(0)
    model = example.Classifier().eval()

    def query(count):
        images = torch.rand(count, 64, generator=torch.Generator().manual_seed(count))
        status, answer = ask(url, {"images": images.tolist()})
        assert status == 200, answer
        with torch.no_grad():
            torch.testing.assert_close(torch.tensor(answer["probabilities"]), model(images.reshape(-1, 1, 8, 8)), rtol=1e-4, atol=1e-5)
        return answer["process"]

    with ThreadPoolExecutor(4) as pool:
        answered = set(pool.map(query, [*range(1, 9), *range(1, 9)]))
    assert answered <= set(at_first)
    for body, words in (({"images": [[1, 2]]}, "shape"), ({}, "images"), ({"images": [[0] * 64] * 9}, "")):
        status, answer = ask(url, body)
        assert status == 400 and words in answer["error"]
    # No request compiled anything, and no replica had to be started again.
    later = replicas(url)
    assert set(later) == set(at_first)
    assert all(each["now"] == each["when_ready"] for each in later.values()), later

    assert stop() == 0
    for process in at_first:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)
