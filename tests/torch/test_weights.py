# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Models whose weights are the caller's: jitney.build(model, weights={name: array})."""
import gc
import weakref

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper

import jitney


def model(name="w", shape=(4, 3), element=TensorProto.FLOAT, extents=("n", 4)):
    """x @ w + 1."""
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["p"]), helper.make_node("Add", ["p", "one"], ["y"])], "g",
        [helper.make_tensor_value_info("x", element, extents)], [helper.make_tensor_value_info("y", element, None)],
        [TensorProto(name=name, dims=shape, data_type=element), helper.make_tensor("one", element, [], [1])])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


@pytest.mark.parametrize("kind", ["torch", "numpy", "bfloat16"])
def test_weights_from_memory(kind):
    w, x = torch.randn(4, 3), torch.randn(5, 4)
    element = TensorProto.FLOAT
    if kind == "bfloat16":
        w, x, element = w.bfloat16(), x.bfloat16(), TensorProto.BFLOAT16
    given = w.numpy() if kind == "numpy" else w
    engine = jitney.build(model(element=element), weights={"w": given})
    (name,) = engine.output_names
    found = engine.run({"x": x})[name]
    found = torch.from_numpy(np.asarray(found).astype(np.float32))
    torch.testing.assert_close(found, (x @ w + 1).float(), rtol=2e-2, atol=2e-2)


def test_they_are_kept_and_in_what_is_saved(tmp_path):
    w, x = torch.randn(4, 3), torch.randn(5, 4)
    wanted = x @ w + 1
    engine = jitney.build(model().SerializeToString(), tmp_path / "m.jitney", weights={"w": w})
    seen = weakref.ref(w)
    del w
    gc.collect()
    torch.testing.assert_close(torch.from_numpy(engine(x)), wanted)
    torch.testing.assert_close(torch.from_numpy(jitney.load(tmp_path / "m.jitney")(x)), wanted)
    del engine
    gc.collect()
    assert seen() is None


@pytest.mark.parametrize("weights, match", [
    ({"w": torch.zeros(3, 4)}, r"shape \[4, 3\] in the model, and \[3, 4\]"),
    ({"w": torch.zeros(4, 3, dtype=torch.float64)}, "float32 in the model, and float64"),
    ({"w": torch.zeros(3, 4).T}, "weight 'w' must be contiguous"),
    ({"w": torch.zeros(4, 3), "v": torch.zeros(2)}, "weight 'v' is no initializer"),
    ({}, "initializer 'w'"),
])
def test_what_does_not_fit(weights, match):
    with pytest.raises(jitney.UserError, match=match):
        jitney.build(model(), weights=weights)


def test_extents_may_be_expressions():
    engine = jitney.build(model(extents=("2*n + 1", 4)), weights={"w": torch.zeros(4, 3)})
    assert engine.inputs[0].shape == ("2*n + 1", 4)
    with pytest.raises(jitney.UserError):
        jitney.build(model(extents=("2*(n", 4)), weights={"w": torch.zeros(4, 3)})


def test_other_models():
    with pytest.raises(TypeError, match="bytes or an onnx.ModelProto, found str"):
        jitney.build("m.onnx", weights={})
