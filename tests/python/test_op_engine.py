# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Every operator that an import can make survives the engine file, whose reader trusts nothing."""
import numpy as np
import pytest
from onnx import helper
from operators import build

NODES = {
    "gathers": [helper.make_node("Abs", ["x"], ["p"]), helper.make_node("GatherElements", ["p", "i"], ["e"], axis=1),
                helper.make_node("GatherND", ["p", "t"], ["g"]),
                helper.make_node("ScatterElements", ["p", "i", "e"], ["s"], axis=1, reduction="add"),
                helper.make_node("ScatterND", ["s", "t", "g"], ["y"], reduction="max")],
    "order": [helper.make_node("CumSum", ["x", "one"], ["c"]), helper.make_node("TopK", ["c", "k"], ["v", "j"]),
              helper.make_node("Cast", ["j"], ["f"], to=1), helper.make_node("Add", ["v", "f"], ["y"])],
    "resize": [helper.make_node("Resize", ["x", "", "sc"], ["r"], mode="linear"),
               helper.make_node("Resize", ["r", "", "sc"], ["y"], mode="nearest")],
    "quantized": [helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]),
                  helper.make_node("MatMulInteger", ["q", "w", "z"], ["m"]), helper.make_node("Cast", ["m"], ["y"], to=1)],
}
CONSTANTS = {"i": np.array([[0, 1], [1, -1]]), "t": np.array([[1], [0]]), "one": np.int64(1), "k": np.array([2]),
             "sc": np.float32([1.5, 2]), "w": np.arange(15, dtype=np.uint8).reshape(5, 3)}


@pytest.mark.parametrize("name", NODES)
def test_runs_from_an_engine_file_as_from_the_model(check, cache, tmp_path, name):
    used = {i for node in NODES[name] for i in node.input}
    x = {"x": np.random.default_rng(0).standard_normal((4, 5)).astype(np.float32)}
    path = check.save(build(NODES[name], x, ["y"], {k: v for k, v in CONSTANTS.items() if k in used},
                            symbols={"x": ["n", 5]}))
    engine = tmp_path / "m.jitney"
    assert check.jitney("build", path, "-o", engine).code == 0
    model, loaded = (check.jitney.run(file, x, cache).outputs["y"] for file in (path, engine))
    np.testing.assert_array_equal(model, loaded)
