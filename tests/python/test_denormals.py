# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Denormal numbers are zero, unless they are asked for."""
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper


@pytest.mark.parametrize("count", [5, 1 << 18])  # one thread, and two
@pytest.mark.parametrize("arguments, kept", [([], False), (["--denormals", "flush"], False), (["--denormals", "keep"], True)])
def test_product_of_small_numbers(jitney, cache, tmp_path, count, arguments, kept):
    def value(name):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n"])
    graph = helper.make_graph([helper.make_node("Mul", ["a", "b"], ["y"])], "g", [value("a"), value("b")], [value("y")])
    path = tmp_path / "m.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    a, b = np.full(count, 1e-30, np.float32), np.full(count, 1e-10, np.float32)
    y = jitney.run(path, {"a": a, "b": b}, cache, arguments=["--threads", "2", *arguments]).outputs["y"]
    np.testing.assert_array_equal(y, a * b if kept else 0 * a)


def test_another_word_is_refused(jitney, digits):
    result = jitney("run", digits, "--denormals", "drop")
    assert result.code == 2 and "flush" in result.stderr and "keep" in result.stderr
