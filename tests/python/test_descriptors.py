# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Closed and full outputs, and limits of the process: an exit code, and no signal."""
import subprocess

import pytest


@pytest.mark.parametrize("redirections, code", [("<&- >&- 2>&-", 3), (">/dev/full", 3), ("2>&-", 0), ("<&-", 0)])
def test_closed_and_full_outputs(program, digits, tmp_path, redirections, code):
    command = f"'{program}' run '{digits}' --iterations 0 --runtime-cache '{tmp_path}/' {redirections}"
    assert subprocess.run(["bash", "-c", command], timeout=60, stdin=subprocess.DEVNULL,
                          capture_output=True).returncode == code


def test_an_error_that_cannot_be_written(program, tmp_path):
    process = subprocess.run(["bash", "-c", f"'{program}' run '{tmp_path}/none.onnx' 2>/dev/full"], timeout=60)
    assert process.returncode == 2


def test_files_that_may_not_grow(program, digits, tmp_path):
    process = subprocess.run(["bash", "-c", f"ulimit -f 1; '{program}' run '{digits}' --iterations 0 --runtime-cache none"],
                             timeout=120, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
