# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""The benchmark of shapes that nobody planned for: that it measures, checks every answer, and judges what it promises."""
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tools")]
import traffic_report  # noqa: E402


@pytest.fixture(scope="module")
def build_folder(program):
    folder = Path(program).parent.parent
    if not (folder / "bin" / "jitney-bench-traffic").exists():
        pytest.skip("jitney-bench-traffic is not built")
    return folder


def run(build_folder, tmp_path, *options):
    result = tmp_path / "traffic.json"
    process = subprocess.run(
        [sys.executable, str(ROOT / "bench" / "traffic.py"), "--requests", "50", "--shapes", "16", "--longest", "24",
         "--rounds", "1", "--static", "1", "--json", str(result), "--build", str(build_folder), *options],
        capture_output=True, text=True, timeout=300)
    return process, json.loads(result.read_text())


def test_new_shapes_are_measured_beside_a_peer(build_folder, tmp_path):
    process, document = run(build_folder, tmp_path, "--peers", "jitney", "onnxruntime", "--idle", "0.8")
    assert process.returncode == 0, process.stdout + process.stderr
    for kind, figures in document["peers"].items():
        assert figures["wrong"] == 0 and figures["answers"] == 100 and figures["worst"] < 1e-3, kind
        for what in ("first", "again", "steady", "ratio", "noise", "processor"):
            assert 0 < figures[what]["p50"] <= figures[what]["p99"] <= figures[what]["p99.9"], (kind, what)
        assert 0 < figures["memory"]["before"] <= figures["memory"]["peak"]
    own = document["peers"]["jitney"]
    assert own["none_compiled"] == 0 and own["static"][0]["ratio"] > 0
    assert own["counts"]["compiled"] > 0 and own["counts"]["specialized"] + own["counts"]["waiting"] > 0
    assert any("first-seen" in line for line in document["verdict"])
    # A first sight costs a plan, never a compile: that would be fifty times a run this short.
    assert own["processor"]["p99"] < 10


def test_a_wrong_answer_is_counted(build_folder, tmp_path):
    process, document = run(build_folder, tmp_path, "--peers", "jitney", "--spoil")
    assert process.returncode == 1
    assert document["peers"]["jitney"]["wrong"] > 0
    assert any(line.startswith("MISSED wrong answers") for line in document["verdict"])


def test_a_shape_is_compared_with_itself():
    def passes(times, share=1.0):
        return {"answers": [[i, t, 0.0, t] for i, t in enumerate(times)], "seconds": 1.0, "share": share,
                "memory": {"before": 1, "peak": 2, "after": 2}}
    figures = traffic_report.summary(passes([4, 1, 10, 1]), passes([2, 2, 10, 2]), ["a", "a", "b", "a"], 1e-3)
    assert figures["ratio"]["p50"] == 1.5  # of a: 4 to 2; of b: 10 to 10
    assert figures["first"]["p99.9"] == pytest.approx(10, abs=0.1) and figures["again"]["p50"] == 1
    assert figures["wrong"] == 0
