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
    return Path(program).parent.parent


def test_measures_both_and_says_on_what(build_folder, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- bench:begin -->\nold\n<!-- bench:end -->\nafter\n")
    process, document = bench(build_folder, tmp_path, "--markdown", str(page))
    assert process.returncode == 0, process.stdout + process.stderr
    digits = document["models"]["digits"]
    assert digits["jitney"]["latency"] > 0 and digits["onnxruntime"]["jitney_ratio"] > 0
    assert digits["jitney"]["start"]["interpreted"] == 0
    assert digits["jitney"]["to_best"]["peer"] == "onnxruntime" and len(digits["jitney"]["blocks"]) == 3
    for peer in ("jitney", "jitney run", "onnxruntime"):
        process = digits[peer]["process"]
        assert 0 < process["warm"]["median"] < 60 and process["cold"]["median"] > 0, peer
    assert digits["jitney"]["process"]["compiled_warm"] == 0
    assert all(seconds > 0 for seconds in digits["onnxruntime"]["process"]["first_call"])
    assert digits["onnxruntime"]["process"]["imports"]["median"] > 0 and "imports" not in digits["jitney"]["process"]
    for peer in ("jitney", "onnxruntime"):
        assert digits[peer]["peak_memory"] > 1 << 20
        assert digits[peer]["idle_load"] < 0.5, f"{peer} spins while it should wait"
    assert document["machine"]["cores"] >= 1 and document["machine"]["versions"]["onnxruntime"]
    fused = document["fusion"]["digits"]
    assert fused["steps"] < fused["operators"] and 0 < fused["fused_bytes"] < fused["unfused_bytes"]
    text = page.read_text()
    assert "distinct kernels" in text and "| allowed |" in text
    assert text.startswith("before\n") and text.endswith("after\n") and "\nold\n" not in text and "| digits |" in text


@pytest.mark.parametrize("spoiled", ["jitney", "onnxruntime"])
def test_what_disagrees_is_not_timed(build_folder, tmp_path, spoiled):
    process, document = bench(build_folder, tmp_path, "--no-starts", "--spoil", spoiled)
    figures = document["models"]["digits"]
    assert figures[spoiled]["failed"].startswith("wrong: "), figures
    assert "latency" not in figures[spoiled]
    assert process.returncode == 1
    other = "onnxruntime" if spoiled == "jitney" else "jitney"
    assert figures[other]["latency"] > 0  # measured nevertheless
    assert figures[other].get("jitney_ratio", 1) == 1  # and compared with nothing that is wrong


def test_a_peer_alone_is_still_checked(build_folder, tmp_path):
    process, document = bench(build_folder, tmp_path, "--no-starts", "--peers", "jitney", "--spoil", "jitney")
    assert process.returncode == 1
    assert list(document["models"]["digits"]) == ["jitney"]
    assert document["models"]["digits"]["jitney"]["failed"].startswith("wrong: ")


def test_a_page_without_markers_is_refused_before_measuring(build_folder, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("no markers\n")
    process, document = bench(build_folder, tmp_path, "--markdown", str(page))
    assert process.returncode == 1 and document is None
    assert "page.md has no <!-- bench:begin -->" in process.stderr
    assert page.read_text() == "no markers\n"
