# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Losses agree with the standard's reference."""
import numpy as np
import pytest
from onnx import helper


def case(shape, classes=5, dtype=np.float32, ignored=None):
    rng = np.random.default_rng(0)
    target = rng.integers(0, classes, (shape[0], *shape[1:])).astype(np.int64)
    if ignored is not None:
        target.flat[::3] = ignored
    return {"x": rng.standard_normal((shape[0], classes, *shape[1:])).astype(dtype), "t": target}


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ignored", [None, 2, -2])
@pytest.mark.parametrize("operator", ["NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss"])
def test_losses(check, operator, reduction, weighted, ignored):
    attributes = {} if ignored is None else {"ignore_index": ignored}
    node = helper.make_node(operator, ["x", "t", *(["w"] if weighted else [])], ["y"], reduction=reduction, **attributes)
    weight = {"w": np.linspace(0.5, 1.5, 5, dtype=np.float32)} if weighted else {}
    cases = [{**case(shape, ignored=ignored), **weight} for shape in [(4, 3), (1, 1)]]
    check(node, cases, ["y"], opset=13, reference="onnx")


def test_log_probabilities(check):
    node = helper.make_node("SoftmaxCrossEntropyLoss", ["x", "t"], ["y", "p"])
    check(node, case((3, 2, 4)), ["y", "p"], opset=13, reference="onnx")


def test_what_is_ignored_may_be_infinite(check):
    node = helper.make_node("NegativeLogLikelihoodLoss", ["x", "t"], ["y"], ignore_index=1)
    inputs = {"x": np.array([[-np.inf, -1], [-2, -3]], np.float32), "t": np.array([1, 0])}
    check(node, inputs, ["y"], opset=13, expected=lambda x, t: [np.float32(2)])


def test_a_class_out_of_range(check):
    node = helper.make_node("NegativeLogLikelihoodLoss", ["x", "t"], ["y"])
    check.refused(node, {"x": np.zeros((2, 3), np.float32), "t": np.array([0, 3])}, ["y"], "out of range", opset=13)
