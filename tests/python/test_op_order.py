# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""CumSum, TopK, EyeLike, Trilu, DepthToSpace, Range and Tile agree with ONNX Runtime."""
import numpy as np
import pytest
from onnx import helper

SHAPES = [(3, 5, 37), (1, 1, 1), (2, 33, 3), (0, 4, 5), (2, 0, 3)]


def random(shape, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("exclusive, reverse", [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_cumsum(check, axis, exclusive, reverse):
    node = helper.make_node("CumSum", ["x", "a"], ["y"], exclusive=exclusive, reverse=reverse)
    check(node, [{"x": random(shape)} for shape in SHAPES], ["y"], {"a": np.int64(axis)}, rtol=1e-4)


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.float64])
def test_cumsum_of_one_axis(check, dtype):
    node = helper.make_node("CumSum", ["x", "a"], ["y"])
    check(node, [{"x": (random((n,)) * 100).astype(dtype)} for n in (1, 7, 1000)], ["y"], {"a": np.int32(0)})


def test_cumsum_among_other_work(check):
    """Softmax, then a scan, then what needs all of the scan: the last is a reduction, which starts a kernel."""
    nodes = [helper.make_node("Softmax", ["x"], ["p"]), helper.make_node("CumSum", ["p", "a"], ["c"]),
             helper.make_node("CumSum", ["c", "a"], ["d"], exclusive=1),
             helper.make_node("ReduceMax", ["d"], ["m"], keepdims=1), helper.make_node("Div", ["d", "m"], ["q"]),
             helper.make_node("Sub", ["q", "p"], ["y"])]
    check(nodes, [{"x": random((n, 19))} for n in (1, 4, 40)], ["y", "c"], {"a": np.int64(1)}, rtol=1e-4)


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("largest", [0, 1])
def test_top_k(check, axis, largest):
    node = helper.make_node("TopK", ["x", "k"], ["v", "i"], axis=axis, largest=largest)
    inputs = [{"x": np.random.default_rng(seed).integers(-4, 4, shape).astype(np.float32)}
              for seed, shape in enumerate([(3, 5, 37), (3, 4, 3), (4, 33, 3), (3, 3, 3)])]
    check(node, inputs, ["v", "i"], {"k": np.array([3])})


def test_top_k_of_an_extent(check):
    """k from a shape: as many as the other input has rows."""
    nodes = [helper.make_node("Shape", ["r"], ["k"], start=0, end=1), helper.make_node("TopK", ["x", "k"], ["v", "i"])]
    check(nodes, [{"x": random((2, 9)), "r": random((n, 2))} for n in (1, 4, 9, 0)], ["v", "i"])


def test_more_than_all_is_an_error(check):
    node = helper.make_node("TopK", ["x", "k"], ["v", "i"])
    check.refused(node, {"x": random((2, 3))}, ["v", "i"], "K is 4, more than axis 1", {"k": np.array([4])})


@pytest.mark.parametrize("k", [-2, 0, 3])
def test_eye_like(check, k):
    node = helper.make_node("EyeLike", ["x"], ["y"], k=k, dtype=6)
    check(node, [{"x": random(shape)} for shape in [(4, 6), (1, 1), (7, 3), (0, 3)]], ["y"])


@pytest.mark.parametrize("upper", [0, 1])
@pytest.mark.parametrize("k", [-1, 0, 2])
def test_trilu(check, upper, k):
    node = helper.make_node("Trilu", ["x", "k"], ["y"], upper=upper)
    check(node, [{"x": random(shape)} for shape in [(2, 4, 6), (1, 1, 1), (3, 7, 3)]], ["y"], {"k": np.int64(k)})


@pytest.mark.parametrize("mode", ["DCR", "CRD"])
def test_depth_to_space_and_back(check, mode):
    nodes = [helper.make_node("DepthToSpace", ["x"], ["d"], blocksize=2, mode=mode),
             helper.make_node("SpaceToDepth", ["d"], ["y"], blocksize=2)]
    check(nodes, [{"x": random(shape)} for shape in [(2, 8, 3, 5), (1, 4, 1, 1)]], ["d", "y"],
          symbols={"x": ["n", "c", "h", "w"]})


def test_range_and_tile_of_extents(check):
    nodes = [helper.make_node("Shape", ["x"], ["s"]), helper.make_node("Gather", ["s", "one"], ["n"]),
             helper.make_node("Range", ["zero", "n", "step"], ["r"]), helper.make_node("Tile", ["x", "s"], ["t"])]
    check(nodes, [{"x": random(shape)} for shape in [(2, 7), (1, 1), (3, 0)]], ["r", "t"],
          {"zero": np.int64(0), "one": np.int64(1), "step": np.int64(2)})


@pytest.mark.parametrize("opset", [12, 13])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_hardmax(check, opset, axis):
    node = helper.make_node("Hardmax", ["x"], ["y"], axis=axis)
    check(node, [{"x": np.round(random(shape) * 2)} for shape in [(2, 3, 5), (1, 1, 1), (4, 7, 33)]], ["y"], opset=opset)
