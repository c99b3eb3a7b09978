# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""ArgMax and ArgMin are generated kernels that agree with numpy, NaN and ties included."""
import numpy as np
import pytest
from onnx import helper

SHAPES = [(3, 5, 37), (1, 1, 1), (2, 33, 3), (0, 4, 5)]


def wanted(name, x, axis, keepdims, last):
    function = np.argmax if name == "ArgMax" else np.argmin
    if last:
        y = x.shape[axis] - 1 - function(np.flip(x, axis), axis)
    else:
        y = function(x, axis)
    return [np.expand_dims(y, axis) if keepdims else y]


@pytest.mark.parametrize("name", ["ArgMax", "ArgMin"])
@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("keepdims, last", [(0, 0), (1, 1)])
def test_agrees_with_numpy(check, name, axis, keepdims, last):
    node = helper.make_node(name, ["x"], ["y"], axis=axis, keepdims=keepdims, select_last_index=last)
    inputs = []
    for seed, shape in enumerate(SHAPES):
        if shape[axis] == 0:
            continue
        x = np.random.default_rng(seed).integers(-3, 3, shape).astype(np.float32)  # many ties
        inputs.append({"x": x})
        with_nan = x.copy()
        with_nan[np.random.default_rng(seed).random(shape) < 0.1] = np.nan
        inputs.append({"x": with_nan})
    inputs.append({"x": np.full((2, 3, 4), -np.inf, np.float32)})
    check(node, inputs, ["y"], expected=lambda x: wanted(name, x, axis, keepdims, last))


@pytest.mark.parametrize("dtype", [np.int32, np.uint8, np.int64, np.float64, np.float16])
def test_dtypes(check, dtype):
    node = helper.make_node("ArgMax", ["x"], ["y"], axis=1, keepdims=0)
    x = np.random.default_rng(1).integers(0, 100, (5, 70)).astype(dtype)
    x[0] = np.iinfo(dtype).max if np.issubdtype(dtype, np.integer) else np.inf
    check(node, {"x": x}, ["y"], expected=lambda x: wanted("ArgMax", x, 1, False, False))


def test_after_and_before_other_work(check):
    nodes = [helper.make_node("Mul", ["x", "x"], ["s"]), helper.make_node("ArgMax", ["s"], ["i"], axis=-1),
             helper.make_node("Cast", ["i"], ["y"], to=1)]
    check(nodes, [{"x": np.random.default_rng(n).standard_normal((n, 19)).astype(np.float32)} for n in (1, 4)], ["y"])


def test_an_empty_axis_has_no_index(check):
    node = helper.make_node("ArgMax", ["x"], ["y"], axis=1)
    check.refused(node, {"x": np.zeros((2, 0), np.float32)}, ["y"], "is empty and has no index")
