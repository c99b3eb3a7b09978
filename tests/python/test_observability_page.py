# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Every example of docs/observability.md works, and the page tells the truth about names and numbers."""
import json
import os
import re
import shutil
import subprocess

import pytest
from conftest import ROOT

PAGE = (ROOT / "docs" / "observability.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def there(program, digits, tmp_path, monkeypatch):
    """A folder with model.onnx, and the command in the path."""
    shutil.copy(digits, tmp_path / "model.onnx")
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("JITNEY_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_command_works(there):
    commands = [line for kind, text in BLOCKS if kind == "sh" for line in text.splitlines() if line.strip()]
    assert len(commands) >= 9
    for command in commands:
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{command}: {done.stderr}"
    for name in ("trace.json", "metrics.json", "layers.json", "report.json"):
        json.loads((there / name).read_text())
    assert len(list(there.glob("trace-[0-9]*.json"))) == 1


def test_the_program_works(there, build_dir):
    (text,) = [text for kind, text in BLOCKS if kind == "cpp"]
    (there / "main.cpp").write_text(text)
    (library,) = {path.parent for path in build_dir.glob("lib*/**/libjitney.so")}
    subprocess.run(["g++", "-std=c++20", "-Wall", "-Werror", "-I", ROOT / "include", "main.cpp", "-o", "main",
                    f"-L{library}", "-ljitney", f"-Wl,-rpath,{library}"], check=True)
    done = subprocess.run(["./main"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "request-1: " in done.stdout and 'jitney_kernels_compiled_total{model="digits"}' in done.stdout
    assert "[debug] " in done.stdout and done.stderr == ""
    events = json.loads((there / "requests.json").read_text())["traceEvents"]
    executes = [e["args"]["correlation_id"] for e in events if e.get("cat") == "execute"]
    assert executes == ["request-1", "request-2"]
    # Kernels for the very shape are made in the background, for nobody in particular.
    waited_for = {e["args"].get("correlation_id") for e in events if e.get("cat") == "compile"}
    assert "request-1" in waited_for and waited_for <= {"request-1", None}
    assert [e["name"] for e in events if e.get("cat") == "user"] == ["postprocess", "postprocess"]


def test_categories_and_levels_are_those_of_the_code():
    said = set(re.findall(r"`(\w+)`", "\n".join(re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE))))
    code = "".join(path.read_text() for path in (ROOT / "src").rglob("*.cpp"))
    used = set(re.findall(r'TraceSpan>?\s*\w*\s*\(\s*"(\w+)"', code)) | {"user"}
    assert used - {"launch", "specialize"} <= said
    assert {"errors", "warnings", "info", "debug", "graphs"} <= said


def test_each_level_says_more(jitney, digits):
    lines = {}
    for level in ("errors", "warnings", "info", "debug", "graphs"):
        result = jitney("run", digits, "--iterations", 0, "--runtime-cache", "none", env={"JITNEY_LOG": level})
        assert result.code == 0
        lines[level] = result.stderr
    assert lines["errors"] == lines["warnings"] == ""
    assert "in the compiler" in lines["debug"] and "graph after" not in lines["debug"]
    assert "graph after" in lines["graphs"] and "fused graph for" in lines["graphs"]
    wrong = jitney("run", digits, "--iterations", 0, "--runtime-cache", "none", env={"JITNEY_LOG": "loud"})
    assert wrong.code == 0 and "'loud'" in wrong.stderr and "graphs" in wrong.stderr
