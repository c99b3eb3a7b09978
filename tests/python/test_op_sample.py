# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Reads between elements agree with ONNX Runtime, PyTorch or the standard's reference."""
import numpy as np
import pytest
from onnx import helper


def random(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("align", [0, 1])
@pytest.mark.parametrize("size", [(2, 3, 5, 4), (1, 1, 2, 3, 4)])
def test_affine_grid(check, align, size):
    node = helper.make_node("AffineGrid", ["t", "s"], ["y"], align_corners=align)
    d = len(size) - 2
    check(node, {"t": random(size[0], d, d + 1)}, ["y"], {"s": np.array(size)}, opset=20, reference="onnx",
          ranks_only=False)


@pytest.mark.parametrize("align", [0, 1])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["linear", "nearest", "cubic"])
def test_grid_sample(check, mode, padding, align):
    node = helper.make_node("GridSample", ["x", "g"], ["y"], mode=mode, padding_mode=padding, align_corners=align)
    # Off the ties of nearest, which engines break in several ways.
    grids = [(np.random.default_rng(1).random((b, h, 3, 2)) * 3.2 - 1.6).astype(np.float32) for b, h in [(2, 4), (1, 1)]]
    several = [{"x": random(g.shape[0], 3, 5, 6), "g": g} for g in grids]
    check(node, several, ["y"], opset=20, symbols={"x": ["b", 3, "h", "w"], "g": ["b", "i", "j", 2]}, atol=1e-4)


def test_grid_sample_of_volumes(check):
    node = helper.make_node("GridSample", ["x", "g"], ["y"], padding_mode="border")
    inputs = {"x": random(2, 2, 3, 4, 5), "g": random(2, 2, 3, 2, 3, seed=1)}
    check(node, inputs, ["y"], opset=20, reference="onnx", ranks_only=False, atol=1e-4)


def test_grid_that_is_nan(check):
    node = helper.make_node("GridSample", ["x", "g"], ["y"])
    grid = np.full((1, 1, 2, 2), np.nan, np.float32)
    grid[0, 0, 1] = 1e30  # far outside
    check(node, {"x": random(1, 1, 2, 2), "g": grid}, ["y"], opset=20, ranks_only=False,
          expected=lambda x, g: [np.array([[[[0, 0]]]], np.float32)])


@pytest.mark.parametrize("mode", ["avg", "max"])
@pytest.mark.parametrize("transformation", ["half_pixel", "output_half_pixel"])
def test_roi_align(check, mode, transformation):
    node = helper.make_node("RoiAlign", ["x", "r", "b"], ["y"], mode=mode, coordinate_transformation_mode=transformation,
                            output_height=3, output_width=2, sampling_ratio=2, spatial_scale=0.5)

    def inputs(regions):
        rng = np.random.default_rng(regions)
        corner = rng.random((regions, 2)) * 12 - 3
        boxes = np.concatenate([corner, corner + rng.random((regions, 2)) * 10], axis=1).astype(np.float32)
        return {"x": random(2, 3, 6, 7), "r": boxes, "b": rng.integers(0, 2, regions)}

    check(node, [inputs(4), inputs(1)], ["y"], opset=16, symbols={"x": ["n", 3, "h", "w"], "r": ["k", 4], "b": ["k"]}, atol=1e-4)


def test_roi_align_by_data_is_refused(check):
    node = helper.make_node("RoiAlign", ["x", "r", "b"], ["y"])
    check.refused(node, {"x": random(1, 1, 2, 2), "r": np.zeros((1, 4), np.float32), "b": np.zeros(1, np.int64)}, ["y"],
                  "sampling_ratio is 0", opset=16, ranks_only=False)


@pytest.mark.parametrize("groups, offset_groups, masked", [(1, 1, False), (1, 2, True), (2, 1, True)])
def test_deformable_convolution(check, groups, offset_groups, masked):
    node = helper.make_node("DeformConv", ["x", "w", "o", "b", *(["m"] if masked else [])], ["y"], group=groups,
                            offset_group=offset_groups, strides=[2, 1], dilations=[1, 2], pads=[1, 0, 1, 2])
    x, w = random(2, 4, 7, 8), random(6, 4 // groups, 3, 2, seed=1)
    rows, columns = (7 + 2 - 3) // 2 + 1, (8 + 2 - 3) + 1
    inputs = {"x": x, "w": w, "o": random(2, offset_groups * 12, rows, columns, seed=2), "b": random(6, seed=3)}
    if masked:
        inputs["m"] = random(2, offset_groups * 6, rows, columns, seed=4)
    check(node, inputs, ["y"], opset=19, reference="onnx", ranks_only=False, atol=1e-4)
