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
