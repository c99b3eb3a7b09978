# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Attention, however a model writes it, agrees with ONNX Runtime; what only looks like it stays what it is."""
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

FLOAT = TensorProto.FLOAT


def constant(name, value):
    return numpy_helper.from_array(np.asarray(value, np.float32), name)


def node(op, inputs, output, **attributes):
    return helper.make_node(op, inputs.split(), [output], **attributes)


SCORES = [node("MatMul", "q kt", "s")]
END = [node("Softmax", "z", "p", axis=-1), node("MatMul", "p v", "y")]
RENAME = [node("Identity", "s", "z")]
SCALED = [node("Mul", "s c", "z")]
HEADS = [node("Transpose", "y", "t", perm=[0, 2, 1, 3])]

# name: nodes, the mask's shape, outputs, whether it becomes one call
CASES = {
    "bare": (SCORES + RENAME + END, None, ["y"], True),
    "scores scaled": (SCORES + SCALED + END, None, ["y"], True),
    "scores divided": (SCORES + [node("Div", "s four", "z")] + END, None, ["y"], True),
    "queries and keys scaled": ([node("Mul", "q c", "qc"), node("Mul", "c kt", "ktc"), node("MatMul", "qc ktc", "z")] + END,
                                None, ["y"], True),
    "mask for all": (SCORES + [node("Mul", "s c", "sc"), node("Add", "sc mask", "z")] + END, ("m", "n"), ["y"], True),
    "mask of a batch": (SCORES + [node("Mul", "s c", "sc"), node("Add", "mask sc", "z")] + END, ("b", 1, 1, "n"), ["y"], True),
    "mask for each": (SCORES + [node("Add", "s mask", "z")] + END, ("b", 3, "m", "n"), ["y"], True),
    "heads side by side": (SCORES + SCALED + END + HEADS, None, ["t"], True),
    "result used twice": (SCORES + SCALED + END + HEADS, None, ["t", "y"], True),
    "mask before the scale": (SCORES + [node("Add", "s mask", "sm"), node("Mul", "sm c", "z")] + END, ("m", "n"), ["y"], False),
    "probabilities are an output": (SCORES + SCALED + END, None, ["y", "p"], False),
    "softmax along the queries": (SCORES + [node("Softmax", "s", "p", axis=-2), node("MatMul", "p v", "y")], None, ["y"], False),
}


def model(nodes, mask, outputs):
    def value(name, shape):
        return helper.make_tensor_value_info(name, FLOAT, shape)
    inputs = [value("q", ["b", 3, "m", "d"]), value("kt", ["b", 3, "d", "n"]), value("v", ["b", 3, "n", "e"])]
    if mask:
        inputs.append(value("mask", mask))
    used = {name for n in nodes for name in n.input}
    graph = helper.make_graph(nodes, "g", inputs, [helper.make_empty_tensor_value_info(o) for o in outputs],
                              [constant(name, value) for name, value in [("c", 0.3), ("four", 4)] if name in used])
    for o in graph.output:
        o.type.tensor_type.elem_type = FLOAT
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def inputs(mask, b, m, n, d, e):
    random = np.random.default_rng(m * 1000 + n)
    extents = {"b": b, "m": m, "n": n}
    values = {"q": random.standard_normal((b, 3, m, d)), "kt": random.standard_normal((b, 3, d, n)),
              "v": random.standard_normal((b, 3, n, e))}
    if mask:
        values["mask"] = random.standard_normal([extents.get(s, s) for s in mask])
        values["mask"][..., :1 + n // 3] = -np.inf  # some keys are hidden
        values["mask"][..., -1] = 0
    return {name: value.astype(np.float32) for name, value in values.items()}


@pytest.mark.parametrize("case", CASES)
def test_agrees_with_onnx_runtime(jitney, cache, tmp_path, case):
    nodes, mask, outputs, is_one = CASES[case]
    path = tmp_path / "m.onnx"
    onnx.save(model(nodes, mask, outputs), path)
    reference = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    # Ordinary, one query of many keys, more keys than one block, odd everything, queries of several blocks.
    for b, m, n, d, e in [(2, 20, 30, 32, 32), (1, 1, 700, 64, 64), (1, 60, 1100, 16, 16), (2, 7, 5, 3, 9), (1, 130, 64, 64, 48)]:
        values = inputs(mask, b, m, n, d, e)
        result = jitney.run(path, values, cache)
        for name, theirs in zip(outputs, reference.run(outputs, values)):
            np.testing.assert_allclose(result.outputs[name], theirs, rtol=1e-4, atol=1e-4)
        low = jitney.run(path, values, cache, arguments=["--precision", "bf16"])
        for name, theirs in zip(outputs, reference.run(outputs, values)):
            np.testing.assert_allclose(low.outputs[name], theirs, rtol=0.1, atol=0.1)


@pytest.mark.parametrize("case", CASES)
def test_is_one_call_or_is_not(jitney, cache, tmp_path, case):
    nodes, mask, outputs, is_one = CASES[case]
    path = tmp_path / "m.onnx"
    onnx.save(model(nodes, mask, outputs), path)
    text = jitney("inspect", path).stdout
    assert ("attention" in text) == is_one, text


@pytest.mark.parametrize("n", [101, 3000])
def test_constant_keys_values_and_mask(jitney, cache, tmp_path, n):
    # The expected value over bins: what many detection heads end with. Constants large enough to be left in the file.
    random = np.random.default_rng(0)
    constants = [constant("kt", random.standard_normal((256, n)) / 16), constant("mask", random.standard_normal(n)),
                 constant("v", random.standard_normal((n, 96)))]
    def value(name, shape):
        return helper.make_tensor_value_info(name, FLOAT, shape)
    nodes = SCORES + [node("Add", "s mask", "z")] + END
    graph = helper.make_graph(nodes, "g", [value("q", ["m", 256])], [value("y", ["m", 96])], constants)
    path = tmp_path / "m.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    for m in (1, 50):
        q = random.standard_normal((m, 256)).astype(np.float32)
        y = jitney.run(path, {"q": q}, cache).outputs["y"]
        expected = onnxruntime.InferenceSession(str(path)).run(None, {"q": q})[0]
        np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-4)


def test_what_is_broadcast_is_no_attention(jitney, cache, tmp_path):
    # One query, and a mask that makes several of it; queries that are learned once, for a batch of keys.
    def value(name, shape):
        return helper.make_tensor_value_info(name, FLOAT, shape)
    for q, k, mask in [((1, 2, 1, 8), (1, 2, 8, 9), (1, 1, 4, 9)), ((1, 2, 5, 8), (3, 2, 8, 9), (5, 9))]:
        graph = helper.make_graph(SCORES + [node("Add", "s mask", "z")] + END, "g",
                                  [value("q", q), value("kt", ["b", 2, 8, "n"]), value("v", ["b", 2, "n", 8]),
                                   value("mask", [*("M" if s == 4 else s for s in mask[:-1]), "n"])],
                                  [helper.make_empty_tensor_value_info("y")])
        graph.output[0].type.tensor_type.elem_type = FLOAT
        path = tmp_path / "m.onnx"
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
        random = np.random.default_rng(0)
        values = {"q": random.standard_normal(q), "kt": random.standard_normal(k),
                  "v": random.standard_normal((k[0], 2, 9, 8)), "mask": random.standard_normal(mask)}
        values = {name: v.astype(np.float32) for name, v in values.items()}
        result = jitney.run(path, values, cache)
        np.testing.assert_allclose(result.outputs["y"], onnxruntime.InferenceSession(str(path)).run(None, values)[0],
                                   rtol=1e-4, atol=1e-4)
        assert result.kernels["interpreted"] == 0


def test_no_keys_give_zeros(jitney, cache, tmp_path):
    nodes, mask, outputs, _ = CASES["bare"]
    path = tmp_path / "m.onnx"
    onnx.save(model(nodes, mask, outputs), path)
    values = {"q": np.ones((1, 3, 4, 8), np.float32), "kt": np.ones((1, 3, 8, 0), np.float32),
              "v": np.ones((1, 3, 0, 5), np.float32)}
    np.testing.assert_array_equal(jitney.run(path, values, cache).outputs["y"], np.zeros((1, 3, 4, 5), np.float32))


def test_a_row_without_keys_is_nan(jitney, cache, tmp_path):
    nodes, mask, outputs, _ = CASES["mask for all"]
    path = tmp_path / "m.onnx"
    onnx.save(model(nodes, mask, outputs), path)
    values = inputs(mask, 1, 6, 600, 32, 32)
    values["mask"][2] = -np.inf
    values["q"][0, 1, 4, 0] = np.nan
    y = jitney.run(path, values, cache).outputs["y"]
    expected = onnxruntime.InferenceSession(str(path)).run(None, values)[0]
    assert np.isnan(y[0, :, 2]).all() and np.isnan(y[0, 1, 4]).all()
    np.testing.assert_array_equal(np.isnan(y), np.isnan(expected))
