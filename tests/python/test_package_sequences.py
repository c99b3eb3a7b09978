# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Outputs that are sequences are lists."""
import numpy as np
import onnx
import onnx.reference
import pytest
from onnx import TensorProto, helper

import jitney

node = helper.make_node
X = np.arange(24, dtype=np.float32).reshape(2, 12)


pytestmark = pytest.mark.usefixtures("own_cache")


def model(nodes, outputs):
    """`outputs`: names, of sequences where they end in 's'."""
    def info(name):
        if name.endswith("s"):
            return helper.make_tensor_sequence_value_info(name, TensorProto.FLOAT, None)
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, None)

    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 12])],
                              [info(name) for name in outputs])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def split(name, parts=3):
    return [node("Constant", [], [f"{name}.n"], value_int=12 // parts),
            node("SplitToSequence", ["x", f"{name}.n"], [name], axis=1)]


def equal(ours, theirs):
    assert isinstance(ours, list) and len(ours) == len(theirs)
    for a, b in zip(ours, theirs):
        np.testing.assert_array_equal(a, b)


def test_a_sequence_among_tensors(tmp_path):
    made = model([node("Neg", ["x"], ["a"]), *split("s"), node("Abs", ["a"], ["z"])], ["a", "s", "z"])
    engine = jitney.load(made)
    assert engine.output_names == ("a", "s.0", "s.1", "s.2", "z")
    found = engine.run({"x": X})
    assert list(found) == ["a", "s", "z"]
    equal(found["s"], np.split(X, 3, axis=1))
    np.testing.assert_array_equal(found["z"], X)
    a, s, z = engine(X[:1])
    assert a.shape == z.shape == (1, 12)
    equal(s, np.split(X[:1], 3, axis=1))
    engine.save(tmp_path / "m.jitney")
    equal(jitney.load(tmp_path / "m.jitney").run({"x": X})["s"], np.split(X, 3, axis=1))


def test_one_sequence_and_two():
    equal(jitney.load(model(split("s"), ["s"]))(X), np.split(X, 3, axis=1))
    s, ts = jitney.load(model([*split("s", 2), *split("ts", 4)], ["s", "ts"]))(X)
    equal(s, np.split(X, 2, axis=1))
    equal(ts, np.split(X, 4, axis=1))


def test_the_same_tensor_twice_and_an_input():
    equal(jitney.load(model([node("SequenceConstruct", ["x", "x"], ["s"])], ["s"]))(X), [X, X])


def test_given_outputs():
    engine = jitney.load(model(split("s", 2), ["s"]))
    memory = {name: np.empty((2, 6), np.float32) for name in engine.output_names}
    found = engine.run({"x": X}, memory)
    assert found["s"][1] is memory["s.1"]
    equal(found["s"], np.split(X, 2, axis=1))


def test_an_empty_sequence():
    assert jitney.load(model([node("SequenceEmpty", [], ["s"])], ["s"]))(X) == []


def test_agrees_with_the_reference():
    made = model(split("s", 4), ["s"])
    equal(jitney.load(made)(X), onnx.reference.ReferenceEvaluator(made).run(None, {"x": X})[0])
