# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Every model agrees with ONNX Runtime at every shape, and only the first shape compiles anything.

Tolerance, for float32: |ours - theirs| <= 1e-4 * max|theirs| + 1e-5. Sums are added in another order, so the last few
bits differ; the bound is relative to the largest output because that is what the error of a sum is relative to.
"""
import json

import numpy as np
import onnxruntime
import pytest

RELATIVE, ABSOLUTE = 1e-4, 1e-5

IMAGES = [("images", (n, 3, 224, 224)) for n in (1, 2, 3)]
TOKENS = [("ids", shape) for shape in [(1, 16), (2, 16), (1, 1), (3, 77), (1, 128)]]
STATES = [("x", shape) for shape in [(1, 16, 384), (2, 31, 384), (4, 1, 384)]]
CASES = {
    "digits": [("images", (n, 1, 8, 8)) for n in (1, 7, 64, 360)],
    "mlp": [("x", (n, 1024)) for n in (1, 2, 8, 33)],
    "resnet18": IMAGES,
    "resnet18_torchscript": IMAGES[:2],
    "mobilenet_v2": IMAGES,
    "encoder": TOKENS,
    "encoder_torchscript": TOKENS[:3],
    "torch_encoder": STATES,
}


def make_input(name, shape):
    random = np.random.default_rng(sum(shape))
    if name == "ids":
        return random.integers(0, 1000, shape, dtype=np.int64)
    return random.standard_normal(shape, dtype=np.float32)


def assert_agrees(ours, theirs):
    assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
    assert np.isfinite(theirs).all(), "the reference itself is broken: the weights are badly scaled"
    bound = RELATIVE * np.abs(theirs).max() + ABSOLUTE
    worst = np.abs(ours.astype(np.float64) - theirs).max()
    assert worst <= bound, f"largest difference {worst:.3g}, allowed {bound:.3g}"  # false for NaN too


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", CASES)
def test_agrees_with_onnx_runtime_and_compiles_once(name, jitney, cache, filled, digits):
    path = digits if name == "digits" else filled(name)
    reference = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    compiled = []
    for input_name, shape in CASES[name]:
        value = make_input(input_name, shape)
        result = jitney.run(path, {input_name: value}, cache)
        expected = reference.run(None, {input_name: value})
        assert len(result.outputs) == len(expected)
        for output, theirs in zip(reference.get_outputs(), expected):
            assert_agrees(result.outputs[output.name], theirs)
        kernels = result.kernels
        assert kernels["failed"] == 0 and kernels["interpreted"] == 0
        compiled.append(kernels["compiled"])
    assert compiled[0] == kernels["distinct"], "the first run on an empty cache compiles each distinct kernel once"
    assert compiled[1:] == [0] * (len(compiled) - 1), "another shape must not compile anything"


def test_digits_predictions_are_pytorch_s(jitney, cache, digits):
    images = np.load(digits.parent / "test_images.npy")
    theirs = json.loads((digits.parent / "accuracy.json").read_text())
    logits = jitney.run(digits, {"images": images}, cache).outputs["logits"]
    assert logits.argmax(1).tolist() == theirs["predictions"]
    correct = (logits.argmax(1) == np.load(digits.parent / "test_labels.npy")).sum()
    assert correct == theirs["correct"] >= 350


def test_engine_file_gives_the_same_bits_as_the_model(jitney, cache, digits, tmp_path):
    images = {"images": np.load(digits.parent / "test_images.npy")[:5]}
    built = jitney("build", digits, "-o", tmp_path / "digits.jitney")
    assert built.code == 0, built.stderr
    direct = jitney.run(digits, images, cache)
    through_file = jitney.run(tmp_path / "digits.jitney", images, cache)
    np.testing.assert_array_equal(direct.outputs["logits"], through_file.outputs["logits"])
    assert through_file.kernels["compiled"] == 0, "the engine file and the model give the same kernels"


def test_thread_counts_give_close_results_and_equal_counts_equal_bits(jitney, cache, digits):
    images = {"images": np.load(digits.parent / "test_images.npy")}
    one, again, two = (jitney.run(digits, images, cache, arguments=("--threads", n)).outputs["logits"]
                       for n in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert_agrees(two, one)


def test_an_empty_batch_gives_an_empty_result(jitney, cache, digits):
    result = jitney.run(digits, {"images": np.zeros((0, 1, 8, 8), np.float32)}, cache)
    assert result.outputs["logits"].shape == (0, 10)


def test_random_inputs_take_their_shape_from_the_command_line(jitney, cache, digits):
    result = jitney("run", digits, "--shape", "images=3x1x8x8", "--json", "--iterations", 20, "--warmup", 2,
                    "--runtime-cache", cache)
    assert result.code == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["outputs"][0]["shape"] == [3, 10] and report["outputs"][0]["dtype"] == "float32"
    latency = report["latency_ms"]
    assert latency["iterations"] == 20
    assert 0 < latency["min"] <= latency["median"] <= latency["p90"] <= latency["p99"]
