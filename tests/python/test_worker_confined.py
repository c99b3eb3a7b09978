# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""A compiler process has given up network, other programs and writing by the time it takes its first request."""
import os
import re
import socket
import subprocess

import pytest

from conftest import BUILD

WORKERS = sorted((BUILD / "lib" / "jitney").glob("jitney-compiler-*"))


@pytest.mark.parametrize("worker", WORKERS, ids=lambda w: w.name)
def test_the_worker_is_confined_when_it_says_hello(worker):
    ours, theirs = socket.socketpair()
    ours.settimeout(60)
    process = subprocess.Popen([str(worker), f"--parent={os.getpid()}", f"--fd={theirs.fileno()}"],
                               pass_fds=[theirs.fileno()], stderr=subprocess.PIPE)
    theirs.close()
    try:
        if not ours.recv(1):
            pytest.skip(f"it has no compiler to load: {process.stderr.read().decode().strip()}")
        with open(f"/proc/{process.pid}/status") as file:
            status = dict(re.findall(r"^(\w+):\s*(.*)$", file.read(), re.MULTILINE))
        assert status["Seccomp"] == "2" and status["NoNewPrivs"] == "1"
    finally:
        ours.close()
        process.wait(timeout=60)
        process.stderr.close()


def test_there_are_workers():
    assert WORKERS
