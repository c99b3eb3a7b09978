# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Normalizations agree with ONNX Runtime or the standard's reference, and are few kernels."""
import numpy as np
import pytest
from onnx import helper

SHAPES = [(2, 6, 5, 7), (1, 6, 1, 1), (3, 6, 2, 9), (0, 6, 3, 3)]


def random(shape, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def test_instance_normalization(check):
    node = helper.make_node("InstanceNormalization", ["x", "s", "b"], ["y"], epsilon=1e-3)
    constants = {"s": random(6, 1), "b": random(6, 2)}
    result = check(node, [{"x": random(shape)} for shape in SHAPES[:3]], ["y"], constants,
                   symbols={"x": ["n", 6, "h", "w"]}, atol=1e-4)
    assert result.kernels["total"] == 1, result.kernels  # all of it in one


@pytest.mark.parametrize("opset", [18, 21])
@pytest.mark.parametrize("groups", [1, 2, 3, 6])
def test_group_normalization(check, opset, groups):
    node = helper.make_node("GroupNormalization", ["x", "s", "b"], ["y"], num_groups=groups)
    count = 6 if opset == 21 else groups
    scale, bias = random(count, 1), random(count, 2)

    def expected(x):
        parts = x.reshape(x.shape[0], groups, -1).astype(np.float64)
        y = (parts - parts.mean(-1, keepdims=True)) / np.sqrt(parts.var(-1, keepdims=True) + 1e-5)
        each = 6 // count
        y = y.reshape(x.shape[0], 6, -1)
        y = y * np.repeat(scale, each)[None, :, None] + np.repeat(bias, each)[None, :, None]
        return [y.reshape(x.shape).astype(np.float32)]

    check(node, [{"x": random(shape)} for shape in SHAPES[:3]], ["y"], {"s": scale, "b": bias}, opset=opset,
          symbols={"x": ["n", 6, "h", "w"]}, expected=expected, atol=1e-4)


def test_groups_must_divide_the_channels(check):
    node = helper.make_node("GroupNormalization", ["x", "s", "b"], ["y"], num_groups=4)
    check.refused(node, {"x": random((2, 6, 2))}, ["y"], "num_groups 4 must divide", {"s": random(6), "b": random(6)})


@pytest.mark.parametrize("axis", [-1, 1])
def test_rms_normalization(check, axis):
    node = helper.make_node("RMSNormalization", ["x", "s"], ["y"], axis=axis, epsilon=1e-4)
    shape = (5, 7) if axis == 1 else (7,)
    check(node, [{"x": random((3, 5, 7))}, {"x": random((1, 5, 7))}], ["y"], {"s": random(shape, 1)}, opset=23,
          reference="onnx", symbols={"x": ["n", 5, 7]})


@pytest.mark.parametrize("axes", [None, [1], [-1, 0], [0, 1, 2, 3]])
def test_mean_variance_normalization(check, axes):
    node = helper.make_node("MeanVarianceNormalization", ["x"], ["y"], **({} if axes is None else {"axes": axes}))
    check(node, [{"x": random(shape)} for shape in [(2, 6, 5, 7), (3, 4, 2, 9)]], ["y"], atol=1e-4)


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("axis", [0, -1])
def test_lp_normalization(check, p, axis):
    node = helper.make_node("LpNormalization", ["x"], ["y"], p=p, axis=axis)
    zeros = random((3, 4, 5))
    zeros[:, 1] = 0
    check(node, [{"x": random((2, 3, 4))}, {"x": zeros}, {"x": random((1, 1, 1))}], ["y"])


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_local_response_normalization(check, size):
    node = helper.make_node("LRN", ["x"], ["y"], size=size, alpha=0.01, beta=0.6, bias=1.5)

    def expected(x):  # ONNX Runtime takes odd sizes only
        squares = np.zeros(x.shape, np.float64)
        for channel in range(x.shape[1]):
            begin, end = max(0, channel - (size - 1) // 2), channel + size // 2 + 1
            squares[:, channel] = (x[:, begin:end].astype(np.float64) ** 2).sum(1)
        return [(x / (1.5 + 0.01 / size * squares) ** 0.6).astype(np.float32)]

    check(node, [{"x": random((2, 7, 3, 4))}, {"x": random((1, 2, 1, 5))}], ["y"], expected=expected)
    if size % 2:
        check(node, {"x": random((2, 7, 3, 4))}, ["y"])


def test_half_precision_is_computed_in_single(check):
    node = helper.make_node("MeanVarianceNormalization", ["x"], ["y"], axes=[1])
    x = (random((4, 900)) * 50 + 300).astype(np.float16)
    wide = x.astype(np.float64)
    exact = ((wide - wide.mean(1, keepdims=True)) / wide.std(1, keepdims=True)).astype(np.float16)
    check(node, {"x": x}, ["y"], expected=lambda x: [exact], rtol=2e-3, atol=2e-3)
