# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""docs/pytorch.md: its blocks are one program that works, and print what stands under them."""
import json
import os
import re
import shutil
import subprocess
import sys

import pytest
from conftest import BUILD, ROOT
from test_aoti_cpp import sh

PAGE = (ROOT / "docs" / "pytorch.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)

# One interpreter for all: each block's output, as JSON.
DRIVER = """
import contextlib, io, json, sys
names, told = {"__name__": "tutorial"}, []
for number, block in enumerate(json.load(open(sys.argv[1]))):
    with contextlib.redirect_stdout(io.StringIO()) as said:
        exec(compile(block, f"block {number}", "exec"), names)
    told.append(said.getvalue())
json.dump(told, open(sys.argv[2], "w"))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """(what each Python block printed, the folder where it was)."""
    there = tmp_path_factory.mktemp("page")
    (there / "blocks.json").write_text(json.dumps([text for kind, text in BLOCKS if kind == "python"]))
    (there / "driver.py").write_text(DRIVER)
    done = subprocess.run([sys.executable, "driver.py", "blocks.json", "told.json"], cwd=there, capture_output=True, text=True,
                          timeout=500, env={**os.environ, "PYTHONPATH": str(BUILD / "python"),
                                            "JITNEY_CACHE_DIR": str(there / "cache"), "JITNEY_TORCH_RUNTIME": "cpp"})
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads((there / "told.json").read_text()), there


@pytest.mark.timeout(600)
def test_the_blocks_work_and_print_what_is_said(told):
    printed, there = told
    wanted, python = [], [i for i, (kind, _) in enumerate(BLOCKS) if kind == "python"]
    for i in python:
        wanted.append(BLOCKS[i + 1][1] if i + 1 < len(BLOCKS) and BLOCKS[i + 1][0] == "text" else "")
    assert len(printed) == len(python) > 10 and sum(map(bool, wanted)) >= 3
    assert printed == wanted
    assert {"model.ep", "model.ts", "model.pt2", "kernels.jkp", "other.jkp"} <= set(os.listdir(there))


@pytest.mark.timeout(900)
def test_the_program_in_cpp_runs_what_the_page_saved(told, tmp_path):
    import torch

    (program,) = (text for kind, text in BLOCKS if kind == "cpp")
    shutil.copytree(ROOT / "examples" / "aoti_cpp", tmp_path / "program")
    (tmp_path / "program" / "main.cpp").write_text(program)
    sh("cmake", "--install", BUILD, "--prefix", tmp_path / "jitney")
    sh("cmake", "-S", tmp_path / "program", "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={tmp_path / 'jitney'}",
       f"-DTORCH={os.path.dirname(torch.__file__)}", "-DCMAKE_CXX_COMPILER_LAUNCHER=ccache")
    sh("cmake", "--build", tmp_path / "build")
    (told[1] / "kernels.jkp").unlink(missing_ok=True)
    assert sh(tmp_path / "build" / "aoti_cpp", cwd=told[1], env={**os.environ, "JITNEY_CACHE_DIR": str(tmp_path / "cache")}) \
        == "[2, 10]\n"
    assert (told[1] / "kernels.jkp").is_file()
