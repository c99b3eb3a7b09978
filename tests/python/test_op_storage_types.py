# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Types that are only stored: their casts agree with ml_dtypes code by code, and what moves elements moves their bits."""
import ml_dtypes
import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

FLOATS = {"float8_e4m3fn": TensorProto.FLOAT8E4M3FN, "float8_e4m3fnuz": TensorProto.FLOAT8E4M3FNUZ,
          "float8_e5m2": TensorProto.FLOAT8E5M2, "float8_e5m2fnuz": TensorProto.FLOAT8E5M2FNUZ,
          "float8_e8m0fnu": TensorProto.FLOAT8E8M0, "float4_e2m1fn": TensorProto.FLOAT4E2M1}
INTEGERS = {"int4": TensorProto.INT4, "uint4": TensorProto.UINT4, "int2": TensorProto.INT2, "uint2": TensorProto.UINT2}
BITS = {"float4_e2m1fn": 4, "int4": 4, "uint4": 4, "int2": 2, "uint2": 2}
ALL = {**FLOATS, **INTEGERS}


def every(name):
    """Each code once."""
    return np.arange(1 << BITS.get(name, 8), dtype=np.uint8).view(getattr(ml_dtypes, name))


@pytest.mark.parametrize("target", [np.float32, np.float16, np.float64])
@pytest.mark.parametrize("name", ALL)
def test_from(check, name, target):
    node = helper.make_node("Cast", ["x"], ["y"], to=helper.np_dtype_to_tensor_dtype(np.dtype(target)))
    x = every(name)
    if name == "float8_e8m0fnu":
        x = x[1:]  # the first is a denormal float32, which is flushed by default
    with np.errstate(over="ignore"):
        check(node, {"x": x}, ["y"], opset=25, rtol=0, atol=0,
              expected=lambda x: [x.astype(np.float32).astype(target)])


def numbers():
    """Steps, halves of steps and what is next to them, in all magnitudes that matter; and no numbers."""
    rng = np.random.default_rng(0)
    steps = np.concatenate([every(n).astype(np.float32) for n in FLOATS if n != "float8_e8m0fnu"])
    steps = np.unique(steps[np.isfinite(steps)])
    halves = (steps[1:] + steps[:-1]) / 2
    near = np.concatenate([np.nextafter(halves, np.float32(np.inf)), np.nextafter(halves, np.float32(-np.inf))])
    wide = rng.standard_normal(500).astype(np.float32) * np.float32(2) ** rng.integers(-30, 30, 500).astype(np.float32)
    special = np.float32([0, -0.0, np.inf, -np.inf, np.nan, 1e-45, -1e-45, 3e38, -3e38])
    return np.concatenate([steps, halves, near, wide, special]).astype(np.float32)


@pytest.mark.parametrize("saturate", [0, 1])
@pytest.mark.parametrize("name", [n for n in FLOATS if n.startswith("float8") and "e8m0" not in n])
def test_to_floats(check, name, saturate):
    node = helper.make_node("Cast", ["x"], ["y"], to=FLOATS[name], saturate=saturate)
    kind = getattr(ml_dtypes, name)
    most = float(ml_dtypes.finfo(kind).max)

    def expected(x):
        # Rounding goes before the comparison with the largest number.
        y = x.astype(kind)
        wide = y.astype(np.float32)
        if saturate:
            beyond = (np.isnan(wide) | np.isinf(wide)) & ~np.isnan(x)
            y = np.where(beyond, np.sign(x) * most, wide).astype(kind)
        return [y]

    check(node, {"x": numbers()}, ["y"], opset=25, rtol=0, atol=0, expected=expected)


def test_to_four_bits(check):
    node = helper.make_node("Cast", ["x"], ["y"], to=TensorProto.FLOAT4E2M1)
    x = numbers()
    check(node, {"x": x[~np.isnan(x)]}, ["y"], opset=25, rtol=0, atol=0, expected=lambda x: [x.astype(ml_dtypes.float4_e2m1fn)])


@pytest.mark.parametrize("mode", ["up", "down", "nearest"])
def test_to_powers_of_two(check, mode):
    node = helper.make_node("Cast", ["x"], ["y"], to=TensorProto.FLOAT8E8M0, round_mode=mode)
    x = np.float32([1, 2, 3, 1.4, 1.6, 0.75, 0.1, 1e-30, 1e30])
    rounded = {"up": np.ceil, "down": np.floor, "nearest": lambda _: np.floor(np.log2(x)) + (x / 2 ** np.floor(np.log2(x)) >= 1.5)}
    exponents = rounded[mode](np.log2(x)) + 127
    check(node, {"x": x}, ["y"], opset=25, expected=lambda x: [exponents.astype(np.uint8).view(ml_dtypes.float8_e8m0fnu)])


@pytest.mark.parametrize("source", [np.float32, np.int32, np.uint8, np.int8])
@pytest.mark.parametrize("name", INTEGERS)
def test_to_integers(check, name, source):
    node = helper.make_node("Cast", ["x"], ["y"], to=INTEGERS[name])
    x = every(name).astype(np.int8).astype(source)  # what is out of range is nobody's business
    check(node, {"x": x}, ["y"], opset=25, expected=lambda x: [x.astype(np.int32).astype(getattr(ml_dtypes, name))])


@pytest.mark.parametrize("name", ["float8_e4m3fn", "int4"])
def test_moving(check, name):
    x = np.resize(every(name), (2, 3, 4))
    nodes = [helper.make_node("Transpose", ["x"], ["t"], perm=[2, 0, 1]), helper.make_node("Concat", ["t", "t"], ["c"], axis=1),
             helper.make_node("Slice", ["c", "one", "end", "one"], ["s"]), helper.make_node("Gather", ["s", "i"], ["g"]),
             helper.make_node("Reshape", ["g", "shape"], ["y"])]
    constants = {"one": np.array([1]), "end": np.array([4]), "i": np.array([2, 0, -1]), "shape": np.array([-1, 3])}
    check(nodes, {"x": x}, ["y"], constants, opset=25, ranks_only=False, expected=lambda x: [
        np.concatenate([x.transpose(2, 0, 1)] * 2, axis=1)[:, 1:4][[2, 0, -1]].reshape(-1, 3)])


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7])
@pytest.mark.parametrize("name", ["int4", "uint4", "int2", "uint2", "float4_e2m1fn"])
def test_packed_weights(check, name, count):
    weights = np.resize(every(name)[::-1], count)
    nodes = [helper.make_node("Cast", ["w"], ["f"], to=TensorProto.FLOAT), helper.make_node("Mul", ["x", "f"], ["y"])]
    x = np.ones((2, count), np.float32)
    check(nodes, {"x": x}, ["y"], {"w": weights}, opset=25, symbols={"x": ["n", count]},
          expected=lambda x: [x * weights.astype(np.float32)])


@pytest.mark.parametrize("name", ["int4", "uint4", "int2", "float8_e4m3fn", "float8_e5m2", "float4_e2m1fn"])
def test_quantize_and_back(check, name):
    kind = getattr(ml_dtypes, name)
    nodes = [helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"], axis=1),
             helper.make_node("DequantizeLinear", ["q", "s", "z"], ["y"], axis=1)]
    zero = np.array([0, 1, 0]).astype(kind) if "int" in name else np.zeros(3, kind)
    constants = {"s": np.float32([0.5, 2, 0.25]), "z": zero}
    x = (np.random.default_rng(0).standard_normal((4, 3, 5)) * 4).astype(np.float32)
    check(nodes, {"x": x}, ["q", "y"], constants, opset=25, reference="onnx")


def test_blocks_of_four_bits(check):
    """Weights as language models have them."""
    rng = np.random.default_rng(0)
    w = rng.integers(-8, 8, (8, 6)).astype(ml_dtypes.int4)
    s = rng.random((4, 6)).astype(np.float32)
    nodes = [helper.make_node("DequantizeLinear", ["w", "s"], ["f"], axis=0, block_size=2),
             helper.make_node("MatMul", ["x", "f"], ["y"])]
    check(nodes, {"x": rng.standard_normal((3, 8)).astype(np.float32)}, ["y"], {"w": w, "s": s}, opset=21,
          symbols={"x": ["n", 8]}, expected=lambda x: [x @ (w.astype(np.float32) * np.repeat(s, 2, axis=0))])


@pytest.mark.parametrize("source, target", [("float32", "int32"), ("float16", "uint16"), ("float64", "int64"), ("int8", "uint8"),
                                            ("uint32", "float32"), ("int16", "float16"), ("uint64", "float64"), ("bool", "uint8")])
def test_bit_cast(check, source, target):
    node = helper.make_node("BitCast", ["x"], ["y"], to=helper.np_dtype_to_tensor_dtype(np.dtype(target)))
    x = (np.random.default_rng(0).standard_normal((3, 37)) * 100).astype(source)
    check(node, {"x": x}, ["y"], opset=26, expected=lambda x: [x.view(target)])


def test_bit_cast_of_other_sizes_is_refused(check):
    node = helper.make_node("BitCast", ["x"], ["y"], to=TensorProto.INT16)
    check.refused(node, {"x": np.zeros(2, np.float32)}, ["y"], "has not as many bits", opset=26)


def test_arithmetic_is_refused(check):
    node = helper.make_node("Identity", ["x"], ["y"])
    model_input = {"x": every("float8_e5m2")}
    check(node, model_input, ["y"], opset=25, expected=lambda x: [x])
    assert numpy_helper.to_array(numpy_helper.from_array(every("int4"))).dtype == ml_dtypes.int4  # what packs above
