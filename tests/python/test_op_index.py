# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Gathers and scatters by indices that are data, and what is made of them, agree with ONNX Runtime."""
import numpy as np
import pytest
from onnx import helper


def random(shape, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def indices(shape, extent, seed=0, dtype=np.int64):
    return np.random.default_rng(seed).integers(-extent, extent, shape).astype(dtype)


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_gather_elements(check, axis, dtype):
    node = helper.make_node("GatherElements", ["x", "i"], ["y"], axis=axis)
    inputs = []
    for seed, (data, shape) in enumerate([((4, 5, 33), (4, 5, 33)), ((4, 5, 6), (2, 3, 1)), ((1, 1, 1), (1, 1, 1)),
                                          ((3, 4, 5), (0, 4, 5)), ((7, 9, 40), (3, 9, 37))]):
        shape = list(shape)
        shape[axis] += 3  # more indices than the axis has elements
        inputs.append({"x": random(data), "i": indices(shape, data[axis], seed, dtype)})
    check(node, inputs, ["y"])


@pytest.mark.parametrize("dtype", [np.float16, np.int8, np.bool_, np.int64, np.float64])
def test_gather_elements_of_any_dtype(check, dtype):
    node = helper.make_node("GatherElements", ["x", "i"], ["y"], axis=1)
    check(node, {"x": (random((3, 17)) * 10).astype(dtype), "i": indices((3, 40), 17)}, ["y"])


@pytest.mark.parametrize("data, shape, batch", [
    ((4, 5, 6), (7, 1), 0), ((4, 5, 6), (2, 3, 2), 0), ((4, 5, 6), (3,), 0), ((4, 5, 6), (9, 3), 0),
    ((4, 5, 6), (4, 3, 1), 1), ((4, 5, 6), (4, 2, 2, 2), 1), ((4, 5, 6), (4, 5, 1), 2), ((1, 1), (0, 2), 0),
])
def test_gather_nd(check, data, shape, batch):
    node = helper.make_node("GatherND", ["x", "i"], ["y"], batch_dims=batch)
    i = np.zeros(shape, np.int64)
    for k in range(shape[-1]):
        i[..., k] = indices(shape[:-1], data[batch + k], k)
    symbols = {"x": [f"b{a}" if a < batch else f"x{a}" for a in range(len(data))],
               "i": [f"b{a}" if a < batch else f"i{a}" for a in range(len(shape) - 1)] + [shape[-1]]}
    check(node, {"x": random(data), "i": i}, ["y"], symbols=symbols)


def test_indices_that_are_computed(check):
    nodes = [helper.make_node("Add", ["i", "one"], ["j"]), helper.make_node("GatherElements", ["x", "j"], ["g"], axis=1),
             helper.make_node("Relu", ["g"], ["y"])]
    check(nodes, {"x": random((3, 8)), "i": indices((3, 20), 7) // 2}, ["y"], {"one": np.int64(1)})


@pytest.mark.parametrize("operator, x, i", [
    ("GatherElements", (2, 3), [[0, 3]]), ("GatherElements", (2, 3), [[-4, 0]]), ("GatherND", (2, 3), [[0, 3]]),
    ("GatherND", (2, 3), [[2, 0]]), ("GatherElements", (2, 0), [[0]]), ("GatherND", (0, 3), [[0, 0]]),
])
def test_an_index_out_of_range_is_an_error(check, operator, x, i):
    node = helper.make_node(operator, ["x", "i"], ["y"], name=f"the_{operator}",
                            **({"axis": 1} if operator == "GatherElements" else {}))
    check.refused(node, {"x": random(x), "i": np.array(i, np.int64)}, ["y"], [f"the_{operator}", "out of range"],
                  symbols={"i": ["a", len(i[0])]})


@pytest.mark.parametrize("reduction", ["none", "add", "mul", "max", "min"])
@pytest.mark.parametrize("axis", [0, -1])
def test_scatter_elements(check, reduction, axis):
    node = helper.make_node("ScatterElements", ["x", "i", "u"], ["y"], axis=axis, reduction=reduction)
    inputs = []
    for seed, (data, shape) in enumerate([((4, 5, 7), (4, 5, 7)), ((4, 5, 6), (2, 3, 2)), ((1, 1, 1), (1, 1, 1)),
                                          ((3, 4, 5), (0, 4, 5))]):
        i = indices(shape, data[axis], seed)
        if reduction == "none":  # which of two updates of one element stays is not defined
            order = np.argsort(np.random.default_rng(seed).random(data), axis)
            i = order[tuple(slice(0, extent) for extent in shape)] if i.size else i
        inputs.append({"x": random(data), "i": i, "u": random(shape, 5)})
    check(node, inputs, ["y"], opset=18)


@pytest.mark.parametrize("reduction", ["none", "add", "mul", "max", "min"])
@pytest.mark.parametrize("dtype", [np.float32, np.int32])
def test_scatter_nd(check, reduction, dtype):
    node = helper.make_node("ScatterND", ["x", "i", "u"], ["y"], reduction=reduction)
    i = np.random.default_rng(3).permutation(20)[:9]
    i = np.stack([i // 5, i % 5 - 5], -1)
    if reduction != "none":
        i[4] = i[2]
    check(node, [{"x": (random((4, 5, 6)) * 9).astype(dtype), "i": i, "u": (random((9, 6), 1) * 9).astype(dtype)},
                 {"x": (random((4, 5, 1)) * 9).astype(dtype), "i": i, "u": (random((9, 1), 1) * 9).astype(dtype)},
                 {"x": (random((4, 5, 3)) * 9).astype(dtype), "i": i[:0], "u": random((0, 3)).astype(dtype)}],
          ["y"], symbols={"i": ["m", 2]}, opset=18)


@pytest.mark.parametrize("operator", ["ScatterElements", "ScatterND"])
def test_a_scatter_out_of_range_is_an_error(check, operator):
    node = helper.make_node(operator, ["x", "i", "u"], ["y"], name="the_scatter")
    i, u = (np.array([[2, 0]]), random((1, 2))) if operator == "ScatterElements" else (np.array([[2, 0]]), random((1,)))
    check.refused(node, {"x": random((2, 3)), "i": i, "u": u}, ["y"], ["the_scatter", "out of range"],
                  symbols={"i": ["m", 2]})


@pytest.mark.parametrize("time, batch", [(0, 1), (1, 0)])
def test_reverse_sequence(check, time, batch):
    node = helper.make_node("ReverseSequence", ["x", "l"], ["y"], time_axis=time, batch_axis=batch)
    inputs = []
    for shape in [(5, 7, 3), (1, 4, 2), (6, 1, 1), (33, 33, 2)]:
        lengths = np.random.default_rng(1).integers(1, shape[time] + 1, shape[batch])
        inputs.append({"x": random(shape), "l": lengths.astype(np.int64)})
    check(node, inputs, ["y"])


@pytest.mark.parametrize("axis", [None, 0, -1])
def test_compress_by_a_constant(check, axis):
    node = helper.make_node("Compress", ["x", "c"], ["y"], **({} if axis is None else {"axis": axis}))
    check(node, [{"x": random((4, 3, 4))}, {"x": random((5, 2, 6))}], ["y"],
          {"c": np.array([False, True, True, False])})


@pytest.mark.parametrize("axis", [-1, 0, 1])
@pytest.mark.parametrize("dtype, values", [(np.int64, np.array([0, 1], np.float32)), (np.int32, np.array([5, -3])),
                                           (np.float32, np.array([False, True]))])
def test_one_hot(check, axis, dtype, values):
    if dtype == np.float32 and values.dtype == bool:
        values = np.array([2, 7], np.int64)
    node = helper.make_node("OneHot", ["i", "d", "v"], ["y"], axis=axis)
    inputs = [{"i": np.random.default_rng(n).integers(-9, 10, (n, 5)).astype(dtype)} for n in (1, 3, 0)]
    def expected(i):
        j = i.astype(np.int64)
        j = np.where(j < 0, j + 7, j)
        hot = np.expand_dims(j, -1) == np.arange(7)
        return [np.moveaxis(np.where(hot, values[1], values[0]), -1, axis)]

    check(node, inputs, ["y"], {"d": np.array([7]), "v": values}, expected=expected)


def test_non_zero_of_a_constant(check):
    nodes = [helper.make_node("NonZero", ["c"], ["i"]), helper.make_node("Cast", ["i"], ["f"], to=1),
             helper.make_node("Add", ["f", "x"], ["y"])]
    check(nodes, {"x": random((2, 3))}, ["y"], {"c": np.array([[0, 2, 0], [1, 0, 3]])})
