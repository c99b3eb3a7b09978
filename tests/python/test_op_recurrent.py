# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""RNN, GRU and LSTM agree with ONNX Runtime."""
import numpy as np
import pytest
from onnx import helper

GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
STEPS, INPUTS, HIDDEN = 5, 3, 4


def random(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32) * 0.5


def weights(operator, directions):
    rows = GATES[operator] * HIDDEN
    return {"w": random(directions, rows, INPUTS, seed=1), "r": random(directions, rows, HIDDEN, seed=2),
            "b": random(directions, 2 * rows, seed=3)}


@pytest.mark.parametrize("lengths", [False, True])
@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("operator", GATES)
def test_directions(check, operator, direction, lengths):
    d = 2 if direction == "bidirectional" else 1
    names = ["x", "w", "r", "b", "n" if lengths else "", "h", *(["c"] if operator == "LSTM" else [])]
    outputs = ["y", "yh", *(["yc"] if operator == "LSTM" else [])]
    node = helper.make_node(operator, names, outputs, hidden_size=HIDDEN, direction=direction)

    def inputs(batch):
        given = {"x": random(STEPS, batch, INPUTS), "h": random(d, batch, HIDDEN, seed=4)}
        if lengths:
            given["n"] = np.arange(batch, dtype=np.int32) % STEPS + 1
        return {**given, "c": random(d, batch, HIDDEN, seed=5)} if operator == "LSTM" else given

    state = [d, "n", HIDDEN]
    check(node, [inputs(2), inputs(1), inputs(7)], outputs, weights(operator, d), opset=14,
          symbols={"x": [STEPS, "n", INPUTS], "h": state, "c": state, "n": ["n"]}, atol=1e-4)


@pytest.mark.parametrize("operator, attributes", [
    ("GRU", {"linear_before_reset": 1}), ("GRU", {"activations": ["HardSigmoid", "Softsign"], "activation_alpha": [0.3]}),
    ("RNN", {"activations": ["Relu"]}), ("RNN", {"clip": 0.3}), ("LSTM", {"clip": 0.2}),
    ("LSTM", {"activations": ["Sigmoid", "Relu", "Tanh"]}),
    ("RNN", {"activations": ["LeakyRelu"], "activation_alpha": [0.2]}),
    ("RNN", {"activations": ["Affine"], "activation_alpha": [0.5], "activation_beta": [0.1]}),
    ("RNN", {"activations": ["Elu"]}), ("RNN", {"activations": ["Softplus"]}),
    ("RNN", {"activations": ["ScaledTanh"], "activation_alpha": [1.5], "activation_beta": [0.7]}),
    ("RNN", {"activations": ["ThresholdedRelu"], "activation_alpha": [0.1]})], ids=str)
def test_attributes(check, operator, attributes):
    outputs = ["y", "yh"]
    node = helper.make_node(operator, ["x", "w", "r", "b"], outputs, hidden_size=HIDDEN, **attributes)
    check(node, {"x": random(STEPS, 2, INPUTS)}, outputs, weights(operator, 1), opset=14,
          symbols={"x": [STEPS, "n", INPUTS]}, atol=1e-4)


def test_peepholes(check):
    node = helper.make_node("LSTM", ["x", "w", "r", "b", "", "", "", "p"], ["y", "yh", "yc"], hidden_size=HIDDEN)
    check(node, {"x": random(STEPS, 2, INPUTS)}, ["y", "yh", "yc"], {**weights("LSTM", 1), "p": random(1, 3 * HIDDEN, seed=6)},
          opset=14, symbols={"x": [STEPS, "n", INPUTS]}, atol=1e-4)


@pytest.mark.parametrize("operator", GATES)
def test_batch_first(check, operator):
    outputs = ["y", "yh"]
    node = helper.make_node(operator, ["x", "w", "r", "b"], outputs, hidden_size=HIDDEN, layout=1)
    given = weights(operator, 1)
    check(node, {"x": random(2, STEPS, INPUTS)}, outputs, given, opset=14, reference="onnx",
          symbols={"x": ["n", STEPS, INPUTS]}, atol=1e-4)


def test_unknown_number_of_steps_is_refused(check):
    node = helper.make_node("LSTM", ["x", "w", "r"], ["y"], hidden_size=HIDDEN)
    given = weights("LSTM", 1)
    check.refused(node, {"x": random(STEPS, 2, INPUTS)}, ["y"], "its number of steps must be a constant",
                  {"w": given["w"], "r": given["r"]}, opset=14)
