# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Resize and Upsample agree with ONNX Runtime: every mode, by scales and by sizes, with symbolic extents."""
import numpy as np
import pytest
from onnx import helper

COORDINATES = ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "half_pixel_symmetric"]
INPUTS = [(2, 3, 5, 7), (1, 1, 1, 1), (1, 2, 9, 4)]


def random(shape, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def inputs():
    return [{"x": random(shape)} for shape in INPUTS]


@pytest.mark.parametrize("coordinates", COORDINATES)
@pytest.mark.parametrize("rounding", ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"])
def test_nearest(check, coordinates, rounding):
    nodes = [helper.make_node("Resize", ["x", "", scales], [f"y{scales}"], mode="nearest", nearest_mode=rounding,
                              coordinate_transformation_mode=coordinates) for scales in ("up", "odd", "down")]
    # With align_corners and scales the length is fractional in the standard, and rounded in ONNX Runtime.
    check(nodes, inputs(), ["yup", "yodd", "ydown"], {"up": np.float32([1, 1, 2, 3]), "odd": np.float32([1, 1, 1.5, 2.7]),
                                                      "down": np.float32([1, 1, 0.5, 0.7])}, opset=19,
          reference="onnx" if coordinates == "align_corners" else "ort")


@pytest.mark.parametrize("coordinates", COORDINATES)
@pytest.mark.parametrize("mode", ["linear", "cubic"])
def test_interpolation_by_scales(check, coordinates, mode):
    nodes = [helper.make_node("Resize", ["x", "", scales], [f"y{scales}"], mode=mode,
                              coordinate_transformation_mode=coordinates) for scales in ("up", "odd")]
    check(nodes, inputs(), ["yup", "yodd"], {"up": np.float32([1, 1, 2, 3]), "odd": np.float32([1, 1, 1.5, 0.6])},
          atol=1e-4, opset=19, reference="onnx" if coordinates == "align_corners" else "ort")  # the length is fractional


@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
@pytest.mark.parametrize("coordinates", ["half_pixel", "align_corners", "asymmetric"])
def test_by_sizes(check, mode, coordinates):
    node = helper.make_node("Resize", ["x", "", "", "s"], ["y"], mode=mode, coordinate_transformation_mode=coordinates)
    check(node, [{"x": random((2, 3, *spatial))} for spatial in [(5, 7), (1, 1), (6, 11)]], ["y"],
          {"s": np.array([2, 3, 6, 11])}, symbols={"x": [2, 3, "h", "w"]}, atol=1e-4)


def test_to_the_size_of_another_input(check):
    """What a feature pyramid does."""
    nodes = [helper.make_node("Shape", ["z"], ["t"], start=2), helper.make_node("Shape", ["x"], ["f"], end=2),
             helper.make_node("Concat", ["f", "t"], ["s"], axis=0),
             helper.make_node("Resize", ["x", "", "", "s"], ["r"], mode="linear"),
             helper.make_node("Resize", ["x", "", "", "s"], ["q"], mode="nearest"),
             helper.make_node("Add", ["r", "z"], ["a"]), helper.make_node("Add", ["a", "q"], ["y"])]
    several = [{"x": random((2, 3, *a)), "z": random((2, 3, *b), 1)}
               for a, b in [((5, 7), (10, 14)), ((1, 1), (4, 3)), ((8, 9), (3, 2)), ((4, 4), (4, 4))]]
    check(nodes, several, ["y"], symbols={"x": ["n", "c", "h", "w"], "z": ["n", "c", "k", "l"]}, atol=1e-4)


@pytest.mark.parametrize("rank", [3, 5])
def test_other_ranks(check, rank):
    node = helper.make_node("Resize", ["x", "", "s"], ["y"], mode="linear")
    check(node, {"x": random((2, 3, 4, 5, 3)[:rank])}, ["y"], {"s": np.float32([1, 1, 2, 1.5, 2][:rank])}, atol=1e-4)


@pytest.mark.parametrize("exclude", [0, 1])
@pytest.mark.parametrize("a", [-0.5, -0.75])
def test_cubic_attributes(check, exclude, a):
    node = helper.make_node("Resize", ["x", "", "s"], ["y"], mode="cubic", cubic_coeff_a=a, exclude_outside=exclude)
    check(node, inputs(), ["y"], {"s": np.float32([1, 1, 1.7, 0.8])}, atol=1e-4)


@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
def test_crop_and_resize(check, mode):
    node = helper.make_node("Resize", ["x", "roi", "", "s"], ["y"], mode=mode, extrapolation_value=9.0,
                            coordinate_transformation_mode="tf_crop_and_resize")
    check(node, [{"x": random((1, 1, 4, 5))}, {"x": random((1, 1, 7, 3))}], ["y"],
          {"roi": np.float32([0, 0, 0.22, -0.34, 1, 1, 0.81, 1.23]), "s": np.array([1, 1, 3, 6])}, atol=1e-4, reference="onnx",
          symbols={"x": [1, 1, "h", "w"]})


def test_axes(check):
    node = helper.make_node("Resize", ["x", "", "s"], ["y"], mode="linear", axes=[3, 1])
    check(node, {"x": random((2, 3, 4, 5))}, ["y"], {"s": np.float32([2, 3])}, reference="onnx", atol=1e-4)


@pytest.mark.parametrize("policy", ["not_larger", "not_smaller"])
def test_the_aspect_is_kept(check, policy):
    node = helper.make_node("Resize", ["x", "", "", "s"], ["y"], mode="nearest", axes=[2, 3],
                            keep_aspect_ratio_policy=policy)
    check(node, {"x": random((1, 1, 4, 6))}, ["y"], {"s": np.array([7, 8])}, symbols={"x": [1, 1, 4, 6]},
          reference="onnx")


@pytest.mark.parametrize("opset", [7, 9])
@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_upsample(check, opset, mode):
    if opset == 7:
        node = helper.make_node("Upsample", ["x"], ["y"], mode=mode, scales=[1.0, 1.0, 2.0, 3.0])
        check(node, inputs(), ["y"], opset=7)
    else:
        node = helper.make_node("Upsample", ["x", "s"], ["y"], mode=mode)
        check(node, inputs(), ["y"], {"s": np.float32([1, 1, 2, 3])}, opset=9)


@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_opset_10(check, mode):
    node = helper.make_node("Resize", ["x", "s"], ["y"], mode=mode)
    check(node, inputs(), ["y"], {"s": np.float32([1, 1, 2, 0.6])}, opset=10, atol=1e-4)


def test_integers_and_halves(check):
    node = helper.make_node("Resize", ["x", "", "s"], ["y"], mode="nearest")
    for dtype in (np.uint8, np.int32, np.float16):
        check(node, {"x": (random((1, 2, 5, 4)) * 50).astype(dtype)}, ["y"], {"s": np.float32([1, 1, 2, 2])},
              reference="onnx")


def test_what_is_not_there_is_said(check):
    x = {"x": random((1, 1, 4, 4))}
    node = helper.make_node("Resize", ["x", "", "s"], ["y"], mode="linear", antialias=1)
    check.refused(node, {**x, "s": np.float32([1, 1, 2, 2])}, ["y"], "antialias needs constant scales")
    node = helper.make_node("Resize", ["x", "", "", "s"], ["y"])
    check.refused(node, {"x": random((1, 1, 0, 4))}, ["y"], "cannot be stretched", {"s": np.array([1, 1, 2, 2])})
