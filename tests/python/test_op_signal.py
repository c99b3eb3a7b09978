# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Transforms and window functions agree with numpy."""
import numpy as np
import pytest
from onnx import helper


def random(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def pairs(z):
    return np.stack([z.real, z.imag], axis=-1).astype(np.float32)


def to_complex(x):
    return x[..., 0] + (1j * x[..., 1] if x.shape[-1] == 2 else 0)


@pytest.mark.parametrize("inverse", [0, 1])
@pytest.mark.parametrize("parts", [1, 2])
@pytest.mark.parametrize("length", [None, 8, 5])
def test_dft(check, inverse, parts, length):
    node = helper.make_node("DFT", ["x", *(["n"] if length else [])], ["y"], axis=1, inverse=inverse)
    transform = np.fft.ifft if inverse else np.fft.fft
    constants = {"n": np.array(length)} if length else {}
    check(node, [{"x": random(2, n, 3, parts)} for n in (6, 7)], ["y"], constants, opset=17,
          symbols={"x": ["b", "n", 3, parts]}, atol=1e-4, expected=lambda x: [pairs(transform(to_complex(x), length, axis=1))])


def test_one_sided(check):
    node = helper.make_node("DFT", ["x", "", "a"], ["y"], onesided=1)
    check(node, [{"x": random(2, n, 3, 1)} for n in (6, 7, 1)], ["y"], {"a": np.array(-3)}, opset=20,
          symbols={"x": ["b", "n", 3, 1]}, atol=1e-4, expected=lambda x: [pairs(np.fft.rfft(x[..., 0], axis=1))])


@pytest.mark.parametrize("length", [8, 9])
def test_one_sided_inverse(check, length):
    node = helper.make_node("DFT", ["x", "n"], ["y"], onesided=1, inverse=1)
    check(node, {"x": random(2, length // 2 + 1, 2)}, ["y"], {"n": np.array(length)}, opset=20, atol=1e-4,
          ranks_only=False, expected=lambda x: [np.fft.irfft(to_complex(x), length, axis=1)[..., None].astype(np.float32)])


@pytest.mark.parametrize("onesided", [0, 1])
@pytest.mark.parametrize("windowed", [False, True])
def test_stft(check, onesided, windowed):
    node = helper.make_node("STFT", ["x", "step", "w" if windowed else "", "n"], ["y"], onesided=onesided)
    window = np.hanning(16).astype(np.float32)
    constants = {"step": np.array(5), "n": np.array(16), **({"w": window} if windowed else {})}

    def expected(x):
        frames = np.stack([x[:, i:i + 16, 0] for i in range(0, x.shape[1] - 15, 5)], axis=1)
        frames = frames * window if windowed else frames
        return [pairs(np.fft.rfft(frames) if onesided else np.fft.fft(frames))]

    check(node, [{"x": random(2, n, 1)} for n in (40, 16)], ["y"], constants, opset=17, symbols={"x": ["b", "n", 1]},
          atol=1e-4, expected=expected)


@pytest.mark.parametrize("operator", ["HannWindow", "HammingWindow", "BlackmanWindow"])
@pytest.mark.parametrize("periodic", [0, 1])
@pytest.mark.parametrize("dtype", [1, 11])
def test_windows(check, operator, periodic, dtype):
    node = helper.make_node(operator, ["n"], ["y"], periodic=periodic, output_datatype=dtype)
    add = helper.make_node("Add", ["x", "y"], ["z"])
    x = np.zeros(1, helper.tensor_dtype_to_np_dtype(dtype))
    check([node, add], {"x": x}, ["z"], {"n": np.array(10)}, opset=17, reference="onnx", atol=1e-6, symbols={"x": [1]})


def test_mel_weights(check):
    names = ["bins", "length", "rate", "low", "high"]
    node = helper.make_node("MelWeightMatrix", names, ["y"])
    product = helper.make_node("MatMul", ["x", "y"], ["z"])
    constants = dict(zip(names, [np.array(8), np.array(64), np.array(16000), np.float32(0), np.float32(8000)]))
    check([node, product], {"x": random(3, 33)}, ["z"], constants, opset=17, reference="onnx", symbols={"x": ["n", 33]})
