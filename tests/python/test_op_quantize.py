# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Quantization agrees with ONNX Runtime bit for bit: rounding half to even, saturation, exact sums."""
import numpy as np
import pytest
from onnx import helper

DTYPES = [np.int8, np.uint8, np.int16, np.uint16]
BYTES = [(np.uint8, np.uint8), (np.uint8, np.int8), (np.int8, np.int8)]


def random(shape, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def quantized(shape, dtype, seed=0):
    limits = np.iinfo(dtype)
    return np.random.default_rng(seed).integers(limits.min, limits.max, shape, endpoint=True).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_quantize_rounds_half_to_even_and_saturates(check, dtype):
    node = helper.make_node("QuantizeLinear", ["x", "s", "z"], ["y"])
    limits = np.iinfo(dtype)
    steps = np.concatenate([np.arange(-20, 20) + 0.5, np.arange(-5, 5), [1e9, -1e9, np.inf, -np.inf],
                            limits.max + np.arange(-3, 3), limits.min + np.arange(-3, 3)])
    check(node, [{"x": (steps * 0.25).astype(np.float32)}, {"x": random((3, 4, 5), 1) * 40}][:1], ["y"],
          {"s": np.float32(0.25), "z": dtype(3)})


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_per_axis(check, dtype, axis):
    nodes = [helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"], axis=axis),
             helper.make_node("DequantizeLinear", ["q", "s", "z"], ["y"], axis=axis)]
    check(nodes, [{"x": random(shape) * 20} for shape in [(3, 3, 3), (3, 3, 3)]], ["q", "y"],
          {"s": np.float32([0.3, 0.11, 1.7]), "z": np.array([1, 0, 7], dtype)})


def test_a_symbolic_axis_may_have_any_extent_that_fits(check):
    nodes = [helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"], axis=1),
             helper.make_node("DequantizeLinear", ["q", "s", "z"], ["y"], axis=1)]
    check(nodes, [{"x": random((n, 3, m)) * 20} for n, m in [(1, 1), (2, 37), (0, 4)]], ["q", "y"],
          {"s": np.float32([0.3, 0.11, 1.7]), "z": np.array([1, 0, 7], np.uint8)})
    check.refused(nodes, {"x": random((2, 4, 3))}, ["q", "y"], "the scale must have one element, or one for each",
                  {"s": np.float32([0.3, 0.11, 1.7]), "z": np.array([1, 0, 7], np.uint8)})


@pytest.mark.parametrize("dtype", [*DTYPES, np.int32])
def test_dequantize(check, dtype):
    inputs = ["x", "s"] + (["z"] if dtype != np.int32 else [])
    check(helper.make_node("DequantizeLinear", inputs, ["y"]), {"x": quantized((4, 37), dtype)}, ["y"],
          {"s": np.float32(0.037), **({"z": dtype(5)} if dtype != np.int32 else {})}, rtol=1e-7, atol=0)


def test_without_a_zero_point(check):
    node = helper.make_node("QuantizeLinear", ["x", "s"], ["y"], output_dtype=3)  # int8
    check(node, {"x": random((4, 37)) * 50}, ["y"], {"s": np.float32(0.5)})


@pytest.mark.parametrize("extent", [8, 7])
def test_blocks(check, extent):
    nodes = [helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"], axis=1, block_size=4),
             helper.make_node("DequantizeLinear", ["q", "s", "z"], ["y"], axis=1, block_size=4)]
    scale = (np.abs(random((3, 2, 5))) + 0.1).astype(np.float32)
    check(nodes, {"x": random((3, extent, 5), 1) * 9}, ["q", "y"], {"s": scale, "z": quantized((3, 2, 5), np.int8) // 9},
          symbols={"x": [3, extent, 5]}, expected=lambda x: blocks(x, scale))


def blocks(x, scale):
    zero = quantized((3, 2, 5), np.int8) // 9
    s, z = (np.repeat(v, 4, 1)[:, :x.shape[1]] for v in (scale, zero))
    q = np.clip(np.rint(x / s) + z, -128, 127).astype(np.int8)
    return [q, ((q.astype(np.int32) - z) * s).astype(np.float32)]


def test_dynamic_quantize(check):
    node = helper.make_node("DynamicQuantizeLinear", ["x"], ["y", "s", "z"])
    check(node, [{"x": x} for x in [random((4, 37)), np.abs(random((3, 5))) + 1, -np.abs(random((1, 9))) - 2,
                                    np.zeros((2, 3), np.float32), random((1, 1))]], ["y", "s", "z"], rtol=1e-7, atol=0)


@pytest.mark.parametrize("a, b", BYTES)
def test_matmul_integer(check, a, b):
    node = helper.make_node("MatMulInteger", ["a", "b", "az", "bz"], ["y"])
    several = [{"a": quantized((*batch, m, k), a, 1), "b": quantized((k, n), b, 2)}
               for batch, m, k, n in [((2,), 5, 33, 7), ((1,), 1, 1, 1), ((3,), 4, 0, 2)]]
    check(node, several, ["y"], {"az": a(3), "bz": b(5)}, symbols={"a": ["g", "m", "k"], "b": ["k", "n"]},
          expected=lambda a, b: [np.matmul(a.astype(np.int32) - 3, b.astype(np.int32) - 5)])


def test_matmul_integer_by_column(check):
    node = helper.make_node("MatMulInteger", ["a", "b", "az", "bz"], ["y"])
    check(node, {"a": quantized((4, 9), np.uint8, 1), "b": quantized((9, 3), np.int8, 2)}, ["y"],
          {"az": np.uint8(3), "bz": np.array([1, 0, -4], np.int8)}, symbols={"a": ["m", 9], "b": [9, 3]})


@pytest.mark.parametrize("a, b", BYTES)
def test_qlinear_matmul(check, a, b):
    node = helper.make_node("QLinearMatMul", ["a", "as", "az", "b", "bs", "bz", "ys", "yz"], ["y"])
    check(node, [{"a": quantized((2, m, 19), a, m)} for m in (1, 5, 40)], ["y"],
          {"as": np.float32(0.01), "az": a(7), "b": quantized((19, 6), b), "bs": np.float32(0.02), "bz": b(3),
           "ys": np.float32(0.05), "yz": a(11)}, symbols={"a": [2, "m", 19]})


@pytest.mark.parametrize("w", [np.uint8])
def test_conv_integer(check, w):
    node = helper.make_node("ConvInteger", ["x", "w", "xz", "wz"], ["y"], pads=[1, 1, 1, 0], strides=[2, 1])
    check(node, [{"x": quantized((n, 3, h, 6), np.uint8, n)} for n, h in [(1, 5), (2, 8)]], ["y"],
          {"w": quantized((4, 3, 3, 2), w), "xz": np.uint8(9), "wz": w(100)}, symbols={"x": ["n", 3, "h", "k"]})


@pytest.mark.parametrize("x, w", BYTES)
@pytest.mark.parametrize("groups", [1, 2])
def test_qlinear_conv(check, x, w, groups):
    node = helper.make_node("QLinearConv", ["x", "xs", "xz", "w", "ws", "wz", "ys", "yz", "b"], ["y"],
                            pads=[1, 1, 1, 1], group=groups)
    zero = np.zeros(4, w) if w == np.int8 else np.full(4, 120, w)
    check(node, [{"x": quantized((n, 4, h, 6), x, n)} for n, h in [(1, 5), (2, 8)]], ["y"],
          {"xs": np.float32(0.02), "xz": x(7), "w": quantized((4, 4 // groups, 3, 3), w),
           "ws": np.float32([0.01, 0.02, 0.005, 0.03]), "wz": zero, "ys": np.float32(0.4), "yz": x(12),
           "b": np.array([100, -2000, 0, 7], np.int32)}, symbols={"x": ["n", 4, "h", "k"]})


def test_bf16_leaves_whole_numbers_alone(check, cache):
    from operators import build

    nodes = [helper.make_node("QLinearMatMul", ["a", "as", "az", "b", "bs", "bz", "ys", "yz"], ["p"]),
             helper.make_node("DequantizeLinear", ["p", "ys", "yz"], ["d"]),
             helper.make_node("QuantizeLinear", ["d", "qs", "qz"], ["y"])]
    constants = {"as": np.float32(0.01), "az": np.uint8(7), "b": quantized((19, 6), np.uint8), "bs": np.float32(0.02),
                 "bz": np.uint8(3), "ys": np.float32(0.5), "yz": np.uint8(111), "qs": np.float32(0.003),
                 "qz": np.int16(-9000)}
    a = {"a": quantized((8, 19), np.uint8, 1)}
    path = check.save(build(nodes, a, ["p", "y"], constants, symbols={"a": ["m", 19]}))
    plain, low = (check.jitney.run(path, a, cache, arguments=arguments).outputs
                  for arguments in ([], ["--precision", "bf16"]))
    for name in ("p", "y"):
        np.testing.assert_array_equal(plain[name], low[name])


def test_wrong_types_are_said(check):
    node = helper.make_node("QuantizeLinear", ["x", "s", "z"], ["y"])
    check.refused(node, {"x": random((2, 3))}, ["y"], "no block_size", {"s": np.ones((2, 3), np.float32), "z": np.zeros((2, 3), np.int8)})
