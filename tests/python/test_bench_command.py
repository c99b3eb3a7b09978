# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""jitney bench: throughput, latency, memory, as text and JSON; several callers; interrupts. And --metrics, --layer-info."""
import json
import os
import signal
import subprocess
import time

import pytest
from conftest import communicate

QUICK = ["--duration", 0.2, "--warmup", 10, "--threads", 1]
LATENCY = ["min", "mean", "median", "p90", "p95", "p99", "max", "iterations"]


def bench(jitney, digits, cache, *arguments):
    result = jitney("bench", digits, "--runtime-cache", cache, *arguments)
    assert result.code == 0, result.stderr
    return result


def test_the_report_has_all_fields(jitney, digits, cache, tmp_path):
    file = tmp_path / "report.json"
    report = bench(jitney, digits, cache, *QUICK, "--shapes", "images=4x1x8x8", "--json", "--export-json", file).report
    assert json.loads(file.read_text()) == report
    assert list(report) == ["model", "device", "precision", "streams", "threads", "inputs", "interrupted", "executes",
                            "seconds", "throughput_per_second", "host_latency_ms", "enqueue_ms", "load_ms", "compile_ms",
                            "specialize_ms", "first_run_ms", "memory", "metrics"]
    assert report["inputs"] == [{"name": "images", "dtype": "float32", "shape": [4, 1, 8, 8]}]
    for name in ("host_latency_ms", "enqueue_ms"):
        found = report[name]
        assert sorted(found) == sorted(LATENCY) and found["iterations"] == report["executes"] >= 10
        order = [found[key] for key in ("min", "median", "p90", "p95", "p99", "max")]
        assert order == sorted(order) and order[0] > 0 and found["min"] <= found["mean"] <= found["max"]
    assert report["enqueue_ms"]["median"] <= report["host_latency_ms"]["median"]
    assert report["seconds"] >= 0.2
    assert report["throughput_per_second"] == pytest.approx(report["executes"] / report["seconds"])
    # One caller does nothing between its executes but read the clock.
    assert report["executes"] * report["host_latency_ms"]["mean"] <= 1e3 * report["seconds"] * 1.001
    assert report["compile_ms"] > 0 and report["first_run_ms"] >= report["compile_ms"]
    assert report["memory"]["peak_bytes"] > 1 << 20 and report["memory"]["arena_bytes"] > 0
    assert report["metrics"]["jitney_kernels_compiled_total"] > 0 and not report["interrupted"]


def test_text_for_people(jitney, digits, cache):
    text = bench(jitney, digits, cache, *QUICK, "--shapes", "images:2x1x8x8", "--precision", "bf16",
                 "--cuda-graph-strategy", "whole_graph_capture").stdout
    for word in ("throughput", "host latency", "enqueue time", "compile", "memory", "p95", "p99", "bf16", "[2, 1, 8, 8]"):
        assert word in text, word


def test_several_callers_and_a_least_number(jitney, digits, cache):
    report = bench(jitney, digits, cache, "--duration", 0, "--warmup", 0, "--iterations", 300, "--streams", 3,
                   "--threads", 1, "--json").report
    assert report["streams"] == 3 and 300 <= report["executes"] <= 303
    assert report["host_latency_ms"]["iterations"] == report["executes"]


def test_an_interrupt_reports_what_there_is(program, digits, cache):
    process = subprocess.Popen([program, "bench", digits, "--duration", "100", "--warmup", "0", "--threads", "1", "--json",
                                "--runtime-cache", cache], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env={**os.environ, "JITNEY_LOG": "errors"})
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    out, err = communicate(process, 60)
    assert process.returncode == 130, err
    report = json.loads(out)
    assert report["interrupted"] and report["executes"] > 0 and report["seconds"] < 60


@pytest.mark.parametrize("arguments,code,word", [(["--shapes", "images=1x1x8x9"], 2, "8"), (["--shapes", "no=1"], 2, "'no'"),
                                                 (["--streams", "0"], 2, "--streams"), (["--duration", "x"], 2, "--duration"),
                                                 (["--export-json", "/no/such/folder/x", "--duration", "0"], 2, "no/such"),
                                                 (["--json", "--metrics", "-"], 2, "--metrics")])
def test_wrong_requests_are_explained(jitney, digits, arguments, code, word):
    result = jitney("bench", digits, "--runtime-cache", "none", *arguments)
    assert result.code == code and word in result.stderr, result.stderr


def test_metrics_of_a_run(jitney, digits, cache, tmp_path):
    result = jitney("run", digits, "--iterations", 0, "--runtime-cache", cache, "--metrics", "-")
    assert result.code == 0, result.stderr
    lines = result.stdout[result.stdout.index("# HELP"):].splitlines()
    values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    assert int(values["jitney_kernels_compiled_total"]) > 0
    assert int(values['jitney_cache_misses_total{reason="absent"}']) > 0
    assert f'jitney_cache_path{{path="{cache.rstrip("/")}' in result.stdout
    file = tmp_path / "metrics.json"
    assert jitney("run", digits, "--iterations", 0, "--runtime-cache", cache, "--metrics", file, "--json").code == 0
    found = json.loads(file.read_text())
    assert found["jitney_kernels_compiled_total"] == 0 and found["jitney_kernels_from_cache_total"] > 0
    assert list(found)[0] == "jitney_steps"


def test_layers_of_a_run_and_of_an_inspection(jitney, digits, cache, tmp_path):
    file = tmp_path / "layers.json"
    result = jitney("run", digits, "--shape", "images=2x1x8x8", "--iterations", 0, "--runtime-cache", cache,
                    "--layer-info", file)
    assert result.code == 0, result.stderr
    ran = json.loads(file.read_text())
    assert ran["inputs"][0]["extents"] == [2, 1, 8, 8]
    assert {layer["kind"] for layer in ran["layers"]} <= {"kernel", "library call"}
    assert all(layer["implementation"] for layer in ran["layers"])
    assert {layer["origin"] for layer in ran["layers"] if layer["kind"] == "kernel"} == {"compiled"}
    symbolic = json.loads(jitney("inspect", digits, "--layers").stdout)
    assert symbolic["inputs"][0]["extents"] is None and symbolic["inputs"][0]["shape"][1:] == [1, 8, 8]
    concrete = json.loads(jitney("inspect", digits, "--layers", "--shape", "images=2x1x8x8").stdout)
    assert [layer["bytes"] for layer in concrete["layers"]] == [layer["bytes"] for layer in ran["layers"]]
    assert jitney("inspect", digits, "--layers", "--shape", "images=2x1x8x9").code == 2
    assert jitney("inspect", digits, "--shape", "images=2x1x8x8").code == 2


def test_reports_go_nowhere_else_than_into_files_of_their_own(jitney, digits, tmp_path):
    model = tmp_path / "model.onnx"
    model.write_bytes(open(digits, "rb").read())
    (tmp_path / "link").symlink_to(model)
    before = model.read_bytes()
    for command in ("run", "bench"):
        for option in ("--trace", "--metrics", "--layer-info", *(["--export-json"] if command == "bench" else [])):
            for file, words in ((model, "is read"), (tmp_path / "link", "is read"), (tmp_path / "no" / "x", "there is no folder")):
                result = jitney(command, model, option, file)
                assert result.code == 2 and words in result.stderr and not result.stdout, (command, option, result.stderr)
        result = jitney(command, model, "--trace", tmp_path / "one", "--metrics", tmp_path / "one")
        assert result.code == 2 and "would be written twice" in result.stderr
    assert model.read_bytes() == before and not (tmp_path / "one").exists()


@pytest.mark.parametrize("option", ["--duration", "--warmup"])
def test_no_number_is_no_time(jitney, digits, option):
    result = jitney("bench", digits, option, "nan")
    assert result.code == 2 and "must be numbers" in result.stderr
