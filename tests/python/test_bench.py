# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""The benchmark itself: that it measures, and that it does not measure what is wrong."""
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def bench(build_folder, tmp_path, *options):
    result = tmp_path / "result.json"
    process = subprocess.run([sys.executable, str(ROOT / "bench" / "run.py"), "--models", "digits", "--peers", "jitney",
                              "onnxruntime", "--quick", "--json", str(result), "--build", str(build_folder), *options],
                             capture_output=True, text=True, timeout=120)
    return process, json.loads(result.read_text()) if result.exists() else None


@pytest.fixture(scope="module")
def build_folder(program):
    folder = Path(program).parent.parent
    if not (folder / "bin" / "jitney-bench-worker").exists():
        subprocess.run(["cmake", "--build", str(folder), "--target", "jitney-bench-worker"], check=True,
                       capture_output=True, timeout=300)
    return folder


def test_measures_both_and_says_on_what(build_folder, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- bench:begin -->\nold\n<!-- bench:end -->\nafter\n")
    process, document = bench(build_folder, tmp_path, "--markdown", str(page))
    assert process.returncode == 0, process.stdout + process.stderr
    digits = document["models"]["digits"]
    assert digits["jitney"]["latency"] > 0 and digits["onnxruntime"]["jitney_ratio"] > 0
    assert digits["jitney"]["start"]["interpreted"] == 0
    assert document["machine"]["cores"] >= 1 and document["machine"]["versions"]["onnxruntime"]
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("after\n") and "old" not in text and "| digits |" in text


@pytest.mark.parametrize("spoiled", ["jitney", "onnxruntime"])
def test_what_disagrees_is_not_timed(build_folder, tmp_path, spoiled):
    process, document = bench(build_folder, tmp_path, "--spoil", spoiled)
    figures = document["models"]["digits"][spoiled]
    assert figures["failed"].startswith("wrong: "), figures
    assert "latency" not in figures
    assert (process.returncode == 0) == (spoiled != "jitney")
