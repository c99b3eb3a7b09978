# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Extents that follow from data, against ONNX Runtime."""
import numpy as np
import pytest
from onnx import helper

node = helper.make_node


def random(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def sparse(shape, seed=0):
    return random(shape, seed) * (np.random.default_rng(seed + 1).random(shape) < 0.4)


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.bool_])
def test_nonzero(check, dtype):
    inputs = [{"x": sparse(shape, i).astype(dtype)} for i, shape in enumerate([(3, 4, 5), (1, 1, 1), (2, 0, 3)])]
    check(node("NonZero", ["x"], ["y"]), inputs, ["y"])


def test_nonzero_feeds_a_gather(check):
    nodes = [node("Relu", ["x"], ["r"]), node("NonZero", ["r"], ["i"]), node("Transpose", ["i"], ["t"]),
             node("GatherND", ["x", "t"], ["v"]), node("Mul", ["v", "v"], ["y"]), node("Shape", ["v"], ["s"])]
    check(nodes, [{"x": random((3, 7), s)} for s in range(3)] + [{"x": -np.ones((2, 2), np.float32)}], ["y", "s"])


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_compress_by_data(check, axis):
    n = 3 if axis == 0 else 4
    inputs = [{"x": random((3, 4)), "c": np.array(list(c))} for c in
              [[True, False, True], [False] * 3, [True] * n, [True]]]
    check(node("Compress", ["x", "c"], ["y"], **({} if axis is None else {"axis": axis})), inputs, ["y"])


def test_a_condition_beyond_the_data_is_an_error(check):
    check.refused(node("Compress", ["x", "c"], ["y"], axis=0), {"x": random((2, 2)), "c": np.ones(5, bool)}, ["y"],
                  ["compress", "holds"])


@pytest.mark.parametrize("sorted_", [0, 1])
@pytest.mark.parametrize("axis", [None, 0, -1])
def test_unique(check, axis, sorted_):
    rng = np.random.default_rng(3)
    inputs = [{"x": rng.integers(0, 2, s).astype(np.float32)} for s in [(7, 3), (1, 1), (4, 2)]]
    options = {} if axis is None else {"axis": axis}
    outputs = ["y", "first", "which", "count"]
    check(node("Unique", ["x"], outputs, sorted=sorted_, **options), inputs, outputs)


@pytest.mark.parametrize("center", [0, 1])
@pytest.mark.parametrize("threshold", [None, 0.2])
def test_non_max_suppression(check, center, threshold):
    rng = np.random.default_rng(5)
    corner = rng.random((2, 30, 2)).astype(np.float32)
    size = (0.1 + 0.3 * rng.random((2, 30, 2))).astype(np.float32)
    boxes = np.concatenate([corner, size if center else corner + size], -1)
    scores = rng.random((2, 3, 30)).astype(np.float32)
    constants = {"most": np.array([4], np.int64), "iou": np.array([0.4], np.float32)}
    names = ["b", "s", "most", "iou"]
    if threshold is not None:
        constants["least"] = np.array([threshold], np.float32)
        names.append("least")
    check(node("NonMaxSuppression", names, ["y"], center_point_box=center), {"b": boxes, "s": scores}, ["y"], constants)


def longs(*values):
    return np.array(values, np.int64)


def test_reshape_to_a_shape_that_is_an_input(check):
    inputs = [{"x": random((2, 6)), "s": longs(*s)} for s in [(3, 4), (-1, 2), (0, 6), (12, 1)]]
    check([node("Reshape", ["x", "s"], ["r"]), node("Exp", ["r"], ["y"])], inputs, ["y"], symbols={"s": [2]})


def test_a_reshape_that_does_not_fit(check):
    check.refused(node("Reshape", ["x", "s"], ["y"], name="r"), {"x": random((2, 6)), "s": longs(5, 5)}, ["y"],
                  ["'r'", "[2, 6]", "[5, 5]"], symbols={"s": [2]})


def test_expand_to_data(check):
    inputs = [{"x": random((3, 1)), "s": longs(*s)} for s in [(3, 4), (1, 5), (3, 1)]]
    check(node("Expand", ["x", "s"], ["y"]), inputs, ["y"], ranks_only=False)


def test_slice_by_data(check):
    inputs = [{"x": random((5, 6)), "a": longs(*a), "b": longs(*b)} for a, b in
              [((1, 2), (4, 6)), ((-3, 0), (99, -1)), ((4, 4), (1, 1))]]
    check(node("Slice", ["x", "a", "b"], ["y"]), inputs, ["y"], symbols={"a": [2], "b": [2]})
    check(node("Slice", ["x", "a", "b", "axes", "steps"], ["y"]), inputs, ["y"],
          {"axes": longs(1, 0), "steps": longs(-2, 3)}, symbols={"a": [2], "b": [2]})


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.float32])
def test_range_of_data(check, dtype):
    inputs = [dict(zip("abc", np.array(v, dtype))) for v in [(0, 5, 1), (3, -4, -2), (2, 2, 1)]]
    inputs = [{k: np.array(v) for k, v in i.items()} for i in inputs]
    check(node("Range", ["a", "b", "c"], ["y"]), inputs, ["y"])


def test_tile_pad_top_k_and_constant_of_shape(check):
    check(node("Tile", ["x", "r"], ["y"]), [{"x": random((2, 3)), "r": longs(*r)} for r in [(2, 1), (1, 3), (0, 2)]], ["y"],
          symbols={"r": [2]})
    check(node("Pad", ["x", "p"], ["y"]), [{"x": random((2, 3)), "p": longs(*p)} for p in [(1, 0, 0, 2), (0, -1, 3, 0)]],
          ["y"], symbols={"p": [4]})
    check(node("TopK", ["x", "k"], ["v", "i"]), [{"x": random((2, 9)), "k": longs(k)} for k in [3, 1, 9]], ["v", "i"],
          symbols={"k": [1]})
    check(node("ConstantOfShape", ["s"], ["y"]), [{"s": longs(*s)} for s in [(2, 3), (0, 4)]], ["y"], symbols={"s": [2]})


def test_top_k_of_more_than_there_is(check):
    check.refused(node("TopK", ["x", "k"], ["v", "i"]), {"x": random((2, 3)), "k": longs(4)}, ["v", "i"], "= 4",
                  symbols={"k": [1]})


def test_a_negative_extent(check):
    check.refused(node("ConstantOfShape", ["s"], ["y"], name="c"), {"s": longs(2, -1)}, ["y"], ["'c'", "-1"],
                  symbols={"s": [2]})


def test_random_conditions(check):
    """Chains of Compress and NonZero over random data, whose extents meet again."""
    nodes = [node("Greater", ["x", "zero"], ["m"]), node("Compress", ["x", "m"], ["p"], axis=0),
             node("Not", ["m"], ["o"]), node("Compress", ["x", "o"], ["q"], axis=0), node("NonZero", ["m"], ["i"]),
             node("Squeeze", ["i", "axis"], ["j"]), node("Gather", ["x", "j"], ["g"]), node("Sub", ["g", "p"], ["d"]),
             node("Concat", ["p", "q", "d"], ["y"], axis=0), node("ReduceSum", ["y"], ["sum"], keepdims=0)]
    inputs = [{"x": random(n, n)} for n in (0, 1, 2, 17, 300)]
    check(nodes, inputs, ["y", "sum"], {"zero": np.float32(0), "axis": longs(0)}, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("keepdims", [0, 1])
@pytest.mark.parametrize("op", ["ReduceSum", "ReduceMean", "ReduceLogSumExp", "ReduceL2"])
def test_axes_that_are_data(check, op, keepdims):
    inputs = [{"x": random((2, 3, 4)), "a": longs(*a)} for a in [(0, 1), (2, 0), (-1, -2)]]
    check(node(op, ["x", "a"], ["y"], keepdims=keepdims), inputs, ["y"], symbols={"a": [2]})


def test_one_axis_that_is_data(check):
    check(node("CumSum", ["x", "a"], ["y"]), [{"x": random((2, 3)), "a": np.array(a, np.int64)} for a in (0, 1, -1)],
          ["y"])
    check(node("Unsqueeze", ["x", "a"], ["y"]), [{"x": random((2, 3)), "a": longs(*a)} for a in [(0, 3), (1, -1)]],
          ["y"], symbols={"a": [2]})
    check(node("Squeeze", ["x", "a"], ["y"]), [{"x": random(s), "a": longs(a)} for s, a in [((1, 3), 0), ((3, 1), -1)]],
          ["y"], symbols={"a": [1]})
    check(node("Slice", ["x", "a", "b", "c"], ["y"]),
          [{"x": random((4, 6)), "a": longs(1, 0), "b": longs(3, -1), "c": longs(*c)} for c in [(0, 1), (1, 0), (-1, 0)]],
          ["y"], symbols={"a": [2], "b": [2], "c": [2]})


def test_axes_that_there_are_not(check):
    for axes, words in [((0, 3), "axis 3"), ((1, -2), "twice")]:
        check.refused(node("ReduceSum", ["x", "a"], ["y"]), {"x": random((2, 3, 4)), "a": longs(*axes)}, ["y"], words,
                      symbols={"a": [2]})
