# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""What of the GPU benchmark works without a GPU: its models, its ratios, and what it says when there is none."""
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tools")]
import gpu  # noqa: E402
from half import to_half  # noqa: E402
from models import fill  # noqa: E402


@pytest.mark.parametrize("name, shape", [("mlp", (3, 1024)), ("encoder", (2, 16))])
def test_the_half_model_computes_the_same_in_float16(name, shape):
    full = fill(onnx.load(ROOT / "tests" / "models" / f"{name}.onnx"))
    half = to_half(onnx.ModelProto.FromString(full.SerializeToString()))
    onnx.checker.check_model(half)
    assert not [t.name for t in half.graph.initializer if t.data_type == onnx.TensorProto.FLOAT]
    outputs = []
    for model in (full, half):
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        wanted = session.get_inputs()[0]
        random = np.random.default_rng(0)
        floating = "float" in wanted.type
        value = random.standard_normal(shape) if floating else random.integers(0, 1000, shape)
        kind = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(int64)": np.int64}[wanted.type]
        outputs.append(session.run(None, {wanted.name: value.astype(kind)}))
    assert outputs[1][0].dtype == np.float16
    assert gpu.cosine(outputs[1], outputs[0]) > 0.999
    assert gpu.cosine(outputs[0], [-o for o in outputs[0]]) < -0.999


def test_jitney_is_compared_with_the_best_peer():
    results = {"jitney": {"call": 2.0}, "eager": {"call": 8.0}, "graph": {"call": 4.0}, "max-autotune": {"failed": "no"}}
    assert gpu.best_ratio(results, "call") == {"peer": "graph", "ratio": 0.5}
    assert gpu.best_ratio({"jitney": {"failed": "no"}, "graph": {"call": 4.0}}, "call") is None


def test_what_compiles_for_minutes_is_measured_in_one_layout():
    assert gpu.variants("resnet18", ["jitney", "graph", "max-autotune"]) == [
        ("jitney", "plain"), ("graph", "channels-last"), ("graph", "plain"), ("max-autotune", "channels-last")]
    assert gpu.variants("mlp-b8", ["max-autotune"]) == [("max-autotune", "plain")]


def test_tests_that_find_no_gpu_have_not_passed(tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "tools").mkdir()
    doctor = tmp_path / "bin" / "jitney"
    doctor.write_text("#!/bin/sh\necho 'device cuda:0: not there'\n")
    doctor.chmod(0o755)
    script = tmp_path / "tools" / "gpu-test.sh"
    script.write_text((ROOT / "tools" / "gpu-test.sh").read_text())
    process = subprocess.run(["bash", str(script)], capture_output=True, text=True, timeout=60)
    assert process.returncode == 1 and "NOT PASSED" in process.stdout
