# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Arguments that exporters write as constants and that may be data: scales, sizes, regions, steps, a depth, a padding
value, an axis. Each model takes several of them without being compiled anew."""
import numpy as np
import pytest
from onnx import helper

node = helper.make_node


def random(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def floats(*values):
    return np.array(values, np.float32)


def longs(*values):
    return np.array(values, np.int64)


SCALES = [floats(1, 1, 2, 1.5), floats(1, 1, 0.5, 3), floats(1, 1, 1, 0.6)]


@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
@pytest.mark.parametrize("coordinates", ["half_pixel", "asymmetric", "align_corners"])
def test_scales(check, mode, coordinates):
    inputs = [{"x": random((1, 2, 4 + i, 5), i), "s": s} for i, s in enumerate(SCALES)]
    check(node("Resize", ["x", "", "s"], ["y"], mode=mode, coordinate_transformation_mode=coordinates), inputs, ["y"],
          symbols={"s": [4]}, rtol=1e-4,
          reference="onnx" if coordinates == "align_corners" else "ort")  # the latter takes 7.5 elements for 7


def test_scales_of_two_axes(check):
    inputs = [{"x": random((2, 3, 4, 5)), "s": s} for s in (floats(2, 3), floats(1, 0.5), floats(0.5, 1))]
    check(node("Resize", ["x", "", "s"], ["y"], axes=[3, 2]), inputs, ["y"], symbols={"s": [2]})


@pytest.mark.parametrize("scales,words", [(floats(1, 1, 0, 1), "0"), (floats(1, 1, -2, 1), "-2"),
                                          (floats(1, 1, np.nan, 1), "nan"), (floats(1, 1, np.inf, 1), "inf")])
def test_scales_that_there_are_not(check, scales, words):
    check.refused(node("Resize", ["x", "", "s"], ["y"]), {"x": random((1, 1, 2, 2)), "s": scales}, ["y"],
                  ["scale", words, "above 0"], symbols={"s": [4]})


def test_scales_of_unknown_number(check):
    check(node("Resize", ["x", "", "s"], ["y"]), [{"x": random((1, 2, 4, 5)), "s": s} for s in SCALES], ["y"])
    check.refused(node("Resize", ["x", "", "s"], ["y"]), {"x": random((1, 2, 4, 5)), "s": floats(1, 2)}, ["y"], ["4", "2"])


def test_a_scale_of_an_old_upsample(check):
    check(node("Upsample", ["x", "s"], ["y"]), [{"x": random((1, 1, 2, 3)), "s": s} for s in SCALES[:1]], ["y"],
          symbols={"s": [4]}, opset=9)


@pytest.mark.parametrize("policy", ["not_larger", "not_smaller"])
def test_sizes_that_keep_the_aspect(check, policy):
    inputs = [{"x": random((1, 1, 4, 6)), "s": longs(*s)} for s in [(8, 9), (3, 3), (4, 6), (1, 7)]]
    check(node("Resize", ["x", "", "", "s"], ["y"], axes=[2, 3], keep_aspect_ratio_policy=policy), inputs, ["y"],
          symbols={"s": [2]})


def test_a_region(check):
    inputs = [{"x": random((1, 1, 5, 6)), "r": floats(*r), "s": longs(1, 1, 3, 4)} for r in
              [(0, 0, 0.2, 0.3, 1, 1, 0.6, 0.9), (0, 0, -0.5, 0, 1, 1, 1.5, 1)]]
    check(node("Resize", ["x", "r", "", "s"], ["y"], mode="linear", extrapolation_value=7.0,
               coordinate_transformation_mode="tf_crop_and_resize"), inputs, ["y"], symbols={"r": [8], "s": [4]})


def test_steps(check):
    inputs = [{"x": random((7, 5, 4)), "b": longs(*b), "e": longs(*e), "s": longs(*s)} for b, e, s in
              [((0, 1), (7, 5), (2, 3)), ((-1, 4), (-9, 0), (-2, -1)), ((3, 3), (3, 3), (1, 1)), ((6, 0), (0, 5), (-5, 9))]]
    check(node("Slice", ["x", "b", "e", "a", "s"], ["y"]), inputs, ["y"], {"a": longs(0, 1)},
          symbols={"b": [2], "e": [2], "s": [2]})


def test_a_step_of_zero(check):
    check.refused(node("Slice", ["x", "b", "e", "a", "s"], ["y"], name="cut"),
                  {"x": random((7,)), "b": longs(0), "e": longs(7), "s": longs(0)}, ["y"], ["'cut'", "step 0"],
                  constants={"a": longs(0)}, symbols={"b": [1], "e": [1], "s": [1]})


@pytest.mark.parametrize("dtype", [np.int64, np.float32])
def test_a_depth(check, dtype):
    inputs = [{"i": longs(0, 2, -1, 9), "d": np.array(d, dtype)} for d in (3, 10, 1)]
    check(node("OneHot", ["i", "d", "v"], ["y"]), inputs, ["y"], {"v": floats(0, 1)}, reference="onnx")


def padded(x, p, v):
    """What numpy's pad does, which cuts nothing."""
    y = np.pad(x, [(max(p[i], 0), max(p[i + 2], 0)) for i in range(2)], constant_values=v)
    return [y[max(-p[0], 0):, max(-p[1], 0):]]


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.bool_])
def test_a_padding_value(check, dtype):
    inputs = [{"x": (random((2, 3)) * 5).astype(dtype), "p": longs(*p), "v": np.array(v, dtype)} for p, v in
              [((0, 1, 2, 0), 3), ((0, 0, 0, 0), 1), ((1, -1, 0, 3), 0)]]
    check(node("Pad", ["x", "p", "v"], ["y"]), inputs, ["y"], symbols={"p": [4]},
          expected=padded)


def test_the_axis_of_a_transform(check):
    inputs = [{"x": random((2, 4, 5, 1)), "a": np.array(a, np.int64)} for a in (1, 2, -2, 0)]
    check(node("DFT", ["x", "", "a"], ["y"]), inputs, ["y"], opset=20, reference="onnx", atol=1e-4,
          symbols={"x": ["a", "b", "c", 1]})


def test_the_last_axis_of_a_transform_is_none(check):
    check.refused(node("DFT", ["x", "", "a"], ["y"], name="t"), {"x": random((2, 4, 5, 1)), "a": np.array(-1)}, ["y"],
                  ["axis 3", "not allowed"], opset=20, symbols={"x": ["a", "b", "c", 1]})


def test_a_squeeze_of_what_is_not_one(check):
    inputs = [{"x": random((1, 3, 1)), "a": longs(a)} for a in (0, 2, -1)]
    options = {"symbols": {"x": [1, 3, 1], "a": [1]}}
    check(node("Squeeze", ["x", "a"], ["y"], name="s"), inputs, ["y"], **options)
    check.refused(node("Squeeze", ["x", "a"], ["y"], name="s"), {"x": random((1, 3, 1)), "a": longs(1)}, ["y"],
                  ["axis 1", "not allowed"], **options)


def test_a_squeeze_of_the_one_axis_that_can_be(check):
    options = {"symbols": {"x": [1, 3], "a": [1]}}
    check(node("Squeeze", ["x", "a"], ["y"]), {"x": random((1, 3)), "a": longs(0)}, ["y"], **options)
    check.refused(node("Squeeze", ["x", "a"], ["y"]), {"x": random((1, 3)), "a": longs(1)}, ["y"],
                  ["axis 1", "not allowed"], **options)
