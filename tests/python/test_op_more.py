# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Det, CenterCropPad, Col2Im, LpPool, the indices of MaxPool, MaxUnpool, SwiGLU."""
import numpy as np
import pytest
from onnx import helper


def random(*shape, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("rows", [1, 2, 3, 7])
def test_det(check, rows):
    node = helper.make_node("Det", ["x"], ["y"])
    singular = random(2, 3, rows, rows)
    singular[0, 0, -1] = singular[0, 0, 0] if rows > 1 else 0
    swapped = np.broadcast_to(np.eye(rows, dtype=np.float32)[::-1], (1, 2, rows, rows)).copy()  # needs every pivot
    check(node, [{"x": singular}, {"x": swapped}], ["y"], opset=11, symbols={"x": ["a", "b", rows, rows]}, atol=1e-4,
          expected=lambda x: [np.linalg.det(x).astype(np.float32)])


@pytest.mark.parametrize("target", [(10, 7, 3), (1, 1, 1), (6, 20, 5), (0, 4, 4)])
def test_center_crop_pad(check, target):
    node = helper.make_node("CenterCropPad", ["x", "s"], ["y"])
    check(node, [{"x": random(6, 7, 4)}, {"x": random(3, 8, 5)}], ["y"], {"s": np.array(target)}, opset=18, reference="onnx")


def test_center_crop_pad_axes(check):
    node = helper.make_node("CenterCropPad", ["x", "s"], ["y"], axes=[-1, 0])
    check(node, {"x": random(6, 7, 4)}, ["y"], {"s": np.array([9, 3])}, opset=18, reference="onnx")


@pytest.mark.parametrize("strides, pads, dilations", [((1, 1), (0, 0, 0, 0), (1, 1)), ((2, 3), (1, 0, 2, 1), (1, 1)),
                                                      ((1, 2), (0, 1, 0, 1), (2, 1))])
def test_col2im(check, strides, pads, dilations):
    node = helper.make_node("Col2Im", ["x", "i", "b"], ["y"], strides=strides, pads=pads, dilations=dilations)
    image, block = (8, 9), (2, 3)
    blocks = 1
    for axis in range(2):
        reach = dilations[axis] * (block[axis] - 1) + 1
        blocks *= (image[axis] + pads[axis] + pads[axis + 2] - reach) // strides[axis] + 1
    check(node, [{"x": random(n, 3 * 6, blocks)} for n in (2, 1)], ["y"], {"i": np.array(image), "b": np.array(block)},
          opset=18, reference="onnx", symbols={"x": ["n", 18, blocks]}, atol=1e-4)


@pytest.mark.parametrize("p", [1, 2, 3])
@pytest.mark.parametrize("attributes", [{}, {"strides": [2, 2], "pads": [1, 0, 1, 1]}, {"dilations": [2, 1]},
                                        {"strides": [2, 3], "ceil_mode": 1}], ids=str)
def test_lp_pool(check, p, attributes):
    node = helper.make_node("LpPool", ["x"], ["y"], kernel_shape=[2, 3], p=p, **attributes)
    check(node, [{"x": random(2, 3, 7, 9)}, {"x": random(1, 1, 3, 4)}], ["y"], opset=18, atol=1e-4)


@pytest.mark.parametrize("p", [1, 2, 3])
def test_global_lp_pool(check, p):
    check(helper.make_node("GlobalLpPool", ["x"], ["y"], p=p), [{"x": random(2, 3, 7, 9)}, {"x": random(1, 1, 1, 1)}], ["y"])


@pytest.mark.parametrize("dtype", [np.float32, np.int8, np.uint8])
@pytest.mark.parametrize("attributes", [{}, {"strides": [2, 2], "pads": [1, 0, 1, 1]}, {"dilations": [2, 1]},
                                        {"strides": [2, 2], "ceil_mode": 1}, {"storage_order": 1}], ids=str)
def test_max_pool_indices(check, attributes, dtype):
    node = helper.make_node("MaxPool", ["x"], ["y", "i"], kernel_shape=[2, 3], **attributes)
    several = [{"x": (random(*shape) * 9).astype(dtype)} for shape in [(2, 3, 7, 9), (1, 1, 5, 6)]]  # has equals
    check(node, several, ["y", "i"], opset=12)


def test_max_unpool(check):
    pool = helper.make_node("MaxPool", ["x"], ["y", "i"], kernel_shape=[2, 2], strides=[2, 2])
    unpool = helper.make_node("MaxUnpool", ["y", "i"], ["z"], kernel_shape=[2, 2], strides=[2, 2])
    check([pool, unpool], [{"x": random(2, 3, 6, 8)}, {"x": random(1, 1, 2, 4)}], ["z"], opset=12, interpreted=None)


@pytest.mark.parametrize("alpha", [1.0, 1.7])
def test_swi_glu(check, alpha):
    node = helper.make_node("SwiGLU", ["a", "b"], ["y"], alpha=alpha)
    check(node, {"a": random(3, 5), "b": random(3, 5, seed=1)}, ["y"], opset=28, reference="onnx")


@pytest.mark.parametrize("reverse", [0, 1])
@pytest.mark.parametrize("exclusive", [0, 1])
@pytest.mark.parametrize("axis", [0, -1])
def test_cumulative_product(check, axis, exclusive, reverse):
    node = helper.make_node("CumProd", ["x", "a"], ["y"], exclusive=exclusive, reverse=reverse)

    def expected(x):
        x = np.flip(x, axis) if reverse else x
        y = np.cumprod(x, axis=axis, dtype=x.dtype)
        if exclusive:
            y = np.roll(y, 1, axis)
            first = [slice(None)] * x.ndim
            first[axis] = slice(0, 1)
            y[tuple(first)] = 1
        return [np.ascontiguousarray(np.flip(y, axis) if reverse else y)]

    check(node, [{"x": random(3, 4, 5)}, {"x": random(1, 1, 1)}], ["y"], {"a": np.array(axis)}, opset=26, expected=expected)


@pytest.mark.parametrize("mode", ["linear", "cubic"])
@pytest.mark.parametrize("exclude", [0, 1])
def test_antialiased_resize(check, mode, exclude):
    node = helper.make_node("Resize", ["x", "", "s"], ["y"], mode=mode, antialias=1, exclude_outside=exclude)
    check(node, [{"x": random(2, 3, 9, 11)}, {"x": random(1, 1, 20, 5)}], ["y"], {"s": np.float32([1, 1, 0.4, 1.5])},
          opset=19, reference="onnx", atol=1e-4)


def test_antialiasing_by_unknown_sizes_is_refused(check):
    node = helper.make_node("Resize", ["x", "", "", "s"], ["y"], mode="linear", antialias=1)
    check.refused(node, {"x": random(1, 1, 8, 8)}, ["y"], "antialias needs constant", {"s": np.array([1, 1, 4, 4])}, opset=19)


@pytest.mark.parametrize("rule", ["linear", "gated", "delta", "gated_delta"])
@pytest.mark.parametrize("heads", [(2, 2), (4, 2)])
def test_linear_attention(check, rule, heads):
    q_heads, kv_heads = heads
    names = ["q", "k", "v", "p", "d" if rule.startswith("gated") else "", "b" if rule.endswith("delta") else ""]
    node = helper.make_node("LinearAttention", names, ["y", "s"], update_rule=rule, q_num_heads=q_heads, kv_num_heads=kv_heads)

    def inputs(batch):
        given = {"q": random(batch, 5, q_heads * 3), "k": random(batch, 5, kv_heads * 3, seed=1),
                 "v": random(batch, 5, kv_heads * 4, seed=2), "p": random(batch, kv_heads, 3, 4, seed=3)}
        if rule.startswith("gated"):
            given["d"] = -np.abs(random(batch, 5, kv_heads, seed=4))
        if rule.endswith("delta"):
            given["b"] = np.abs(random(batch, 5, kv_heads, seed=5)) % 1
        return given

    shapes = {name: ["n", *a.shape[1:]] for name, a in inputs(1).items()}
    check(node, [inputs(2), inputs(1)], ["y", "s"], opset=27, reference="onnx", symbols=shapes, atol=1e-4)
