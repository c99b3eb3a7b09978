# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Every example of docs/runtime_settings.md and docs/dynamic_shapes.md works, and the table of settings is the one of
the code. JITNEY_UPDATE_DOCS=1 writes it anew."""
import os
import re
import shutil
import subprocess
import sys

import pytest
from conftest import BUILD, ROOT

from jitney import _jitney

PAGES = {name: (ROOT / "docs" / f"{name}.md").read_text() for name in ("runtime_settings", "dynamic_shapes")}
BLOCKS = [(name, kind, text) for name, page in PAGES.items()
          for kind, text in re.findall(r"^```(\w+)\n(.*?)^```", page, re.MULTILINE | re.DOTALL)]


@pytest.fixture
def there(program, digits, tmp_path, monkeypatch):
    """A folder with model.onnx, and the command in the path."""
    shutil.copy(digits, tmp_path / "model.onnx")
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(BUILD / "python"))
    monkeypatch.setenv("JITNEY_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_there_are_examples_of_each_kind():
    kinds = [(name, kind) for name, kind, _ in BLOCKS]
    assert kinds.count(("runtime_settings", "python")) == 2 and kinds.count(("runtime_settings", "cpp")) == 1
    assert kinds.count(("dynamic_shapes", "python")) == 2 and kinds.count(("dynamic_shapes", "sh")) == 2


@pytest.mark.parametrize("text", [text for _, kind, text in BLOCKS if kind == "python"])
def test_every_python_example_works(there, text):
    done = subprocess.run([sys.executable, "-W", "error", "-c", text], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


@pytest.mark.parametrize("text", [text for _, kind, text in BLOCKS if kind == "sh"])
def test_every_command_works(there, text):
    done = subprocess.run(["bash", "-e", "-c", text], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    if "inspect" in text:
        assert "profile 0: 'images' [1, 1, 8, 8] to [16, 1, 8, 8], best [4, 1, 8, 8]" in done.stdout


@pytest.mark.parametrize("text", [text for _, kind, text in BLOCKS if kind == "cpp"])
def test_every_program_works(there, build_dir, text):
    (there / "main.cpp").write_text(text)
    (library,) = {path.parent for path in build_dir.glob("lib*/**/libjitney.so")}
    subprocess.run(["g++", "-std=c++20", "-Wall", "-Werror", "-I", ROOT / "include", "main.cpp", "-o", "main",
                    f"-L{library}", "-ljitney", f"-Wl,-rpath,{library}"], check=True)
    done = subprocess.run(["./main"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "Runtime Cache: kernels.jkp" in done.stdout and "2 contexts" in done.stdout
    assert (there / "kernels.jkp").is_file()


def table():
    rows = ["| setting | values | default | on the command line | in the environment |", "|---|---|---|---|---|"]
    for name, flag, variable, values, fallback, doc in _jitney.runtime_settings_table():
        values = ", ".join(f"`{value}`" for value in values.split("|"))
        fallback = fallback if " " in fallback else f"`{fallback}`"
        rows.append(f"| `{name}` | {values} | {fallback} | `{flag}` | `{variable}` |")
    rows.append("")
    for name, _, _, _, _, doc in _jitney.runtime_settings_table():
        rows += [f"**`{name}`**: {doc}", ""]
    return "\n".join(rows)


def test_the_table_is_the_codes():
    path = ROOT / "docs" / "runtime_settings.md"
    begin, end = "<!-- settings:begin -->\n", "<!-- settings:end -->"
    page = path.read_text()
    head, rest = page.split(begin)
    found, tail = rest.split(end)
    if os.environ.get("JITNEY_UPDATE_DOCS"):
        path.write_text(head + begin + table() + end + tail)
        return
    assert found == table(), "JITNEY_UPDATE_DOCS=1 pytest -k test_the_table_is_the_codes writes it"
