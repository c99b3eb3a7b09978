# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Transposed convolutions agree with ONNX Runtime: as a library call, and expanded where there is no library."""
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

# name: input, weight, attributes
CASES = {
    "plain": ((1, 3, 5, 7), (3, 4, 3, 3), {}),
    "doubling": ((2, 16, 6, 5), (16, 8, 2, 2), {"strides": [2, 2]}),
    "padding of the output": ((1, 8, 5, 5), (8, 6, 3, 3),
                              {"strides": [2, 3], "pads": [1, 1, 1, 1], "output_padding": [1, 2]}),
    "groups": ((1, 8, 4, 4), (8, 3, 3, 3), {"group": 4, "strides": [2, 2]}),
    "depthwise": ((1, 16, 4, 4), (16, 1, 4, 4), {"group": 16, "strides": [2, 2], "pads": [1, 1, 1, 1]}),
    "dilated": ((1, 4, 5, 5), (4, 4, 3, 3), {"dilations": [2, 2], "pads": [1, 0, 2, 1]}),
    "uneven": ((1, 3, 4, 6), (3, 2, 5, 1), {"strides": [3, 2], "pads": [2, 0, 0, 0]}),
    "cuts more than the kernel": ((1, 2, 9, 9), (2, 3, 3, 3), {"pads": [3, 4, 3, 3]}),
    "wanted shape": ((1, 3, 5, 5), (3, 4, 3, 3), {"strides": [2, 2], "output_shape": [10, 10]}),
    "same upper": ((1, 3, 5, 5), (3, 4, 3, 3), {"strides": [2, 2], "auto_pad": "SAME_UPPER"}),
    "same lower": ((1, 3, 5, 5), (3, 4, 4, 4), {"strides": [3, 3], "auto_pad": "SAME_LOWER"}),
    "one axis": ((2, 5, 9), (5, 4, 3), {"strides": [2]}),
    "three axes": ((1, 4, 3, 4, 2), (4, 3, 2, 3, 2), {"strides": [2, 1, 2]}),
}


def model(x, w, attributes):
    random = np.random.default_rng(1)
    channels = w[1] * attributes.get("group", 1)
    constants = [numpy_helper.from_array(random.standard_normal(w).astype(np.float32), "w"),
                 numpy_helper.from_array(random.standard_normal(channels).astype(np.float32), "b")]
    nodes = [helper.make_node("ConvTranspose", ["x", "w", "b"], ["h"], **attributes),
             helper.make_node("Relu", ["h"], ["y"])]
    symbols = ["n", x[1]] + ([f"s{i}" for i in range(len(x) - 2)]
                             if "output_shape" not in attributes and "auto_pad" not in attributes else list(x[2:]))
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, symbols)],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.mark.parametrize("target", ["", "x86-64"])  # the lowest target has no library
@pytest.mark.parametrize("case", CASES)
def test_agrees_with_onnx_runtime(jitney, cache, tmp_path, case, target):
    x, w, attributes = CASES[case]
    path = tmp_path / "m.onnx"
    onnx.save(model(x, w, attributes), path)
    reference = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for n in (1, 3):
        value = np.random.default_rng(n).standard_normal((n, *x[1:])).astype(np.float32)
        result = jitney.run(path, {"x": value}, cache, env={"JITNEY_CPU_TARGET": target} if target else {})
        expected = reference.run(None, {"x": value})[0]
        assert result.outputs["y"].shape == expected.shape
        np.testing.assert_allclose(result.outputs["y"], expected, rtol=1e-4, atol=1e-4)
        assert result.kernels["interpreted"] == 0


def test_bf16_is_near(jitney, cache, tmp_path):
    x, w, attributes = CASES["doubling"]
    path = tmp_path / "m.onnx"
    onnx.save(model(x, w, attributes), path)
    value = np.random.default_rng(5).standard_normal(x).astype(np.float32)
    exact, low = (jitney.run(path, {"x": value}, cache, arguments=arguments).outputs["y"]
                  for arguments in ([], ["--precision", "bf16"]))
    np.testing.assert_allclose(low, exact, rtol=0.05, atol=0.1)
    assert (low != exact).any()


@pytest.mark.parametrize("change, words", [
    ({"output_padding": [2, 0]}, "output_padding"),
    ({"output_shape": [1, 2, 3]}, "output_shape"),
    ({"group": 2}, "groups"),
    ({"pads": [20, 0, 20, 0]}, "padding"),
])
def test_a_contradiction_is_said(jitney, tmp_path, change, words):
    path = tmp_path / "m.onnx"
    onnx.save(model((1, 3, 5, 5), (3, 4, 3, 3), change), path)
    result = jitney("run", path, "--shape", "x=1x3x5x5")
    assert result.code != 0 and words in result.stderr
