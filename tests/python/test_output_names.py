# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Outputs keep the names that the model gives them, whatever passes make of what computes them."""
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

ZERO = numpy_helper.from_array(np.zeros(1, np.float32), "zero")


def model(nodes, outputs, initializers=()):
    def value(name):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 3])
    graph = helper.make_graph(nodes, "g", [value("x")], [value(name) for name in outputs], list(initializers))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])


CASES = {
    "what adds nothing": model([helper.make_node("Relu", ["x"], ["h"]), helper.make_node("Add", ["h", "zero"], ["logits"])],
                               ["logits"], [ZERO]),
    "two equal nodes": model([helper.make_node("Relu", ["x"], ["a"]), helper.make_node("Relu", ["x"], ["b"])], ["a", "b"]),
    "an input": model([helper.make_node("Relu", ["x"], ["b"]), helper.make_node("Identity", ["x"], ["a"])], ["b", "a"]),
    "two transposes": model([helper.make_node("Relu", ["x"], ["h"]), helper.make_node("Transpose", ["h"], ["t"]),
                             helper.make_node("Transpose", ["t"], ["logits"])], ["logits"]),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("through_engine_file", [False, True])
def test_names_survive(jitney, cache, tmp_path, case, through_engine_file):
    path = tmp_path / "m.onnx"
    onnx.save(CASES[case], path)
    wanted = [o.name for o in CASES[case].graph.output]
    if through_engine_file:
        engine = tmp_path / "m.jitney"
        assert jitney("build", path, "-o", engine).code == 0
        path = engine
    x = np.array([[1, -2, 3], [-4, 5, -6]], np.float32)
    outputs = jitney.run(path, {"x": x}, cache).outputs
    assert list(outputs) == wanted
    for name, value in outputs.items():
        np.testing.assert_array_equal(value, x if case == "an input" and name == "a" else np.maximum(x, 0))
