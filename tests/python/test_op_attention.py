# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Attention, RotaryEmbedding, TensorScatter and their kin agree with the standard's reference at several lengths."""
import numpy as np
import pytest
from onnx import helper

HEADS, SIZE = 4, 8


def random(*shape, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def qkv(batch=2, queries=3, keys=5, heads=HEADS, kv_heads=HEADS, size=SIZE, v_size=SIZE, dtype=np.float32):
    return {"q": random(batch, heads, queries, size, dtype=dtype), "k": random(batch, kv_heads, keys, size, seed=1, dtype=dtype),
            "v": random(batch, kv_heads, keys, v_size, seed=2, dtype=dtype)}


def symbols(kv_heads=HEADS, v_size=SIZE):
    return {"q": ["b", HEADS, "s", SIZE], "k": ["b", kv_heads, "t", SIZE], "v": ["b", kv_heads, "t", v_size]}


LENGTHS = [dict(queries=3, keys=5), dict(batch=1, queries=1, keys=1), dict(batch=3, queries=17, keys=17)]


@pytest.mark.parametrize("attributes", [{}, {"scale": 0.3}, {"softcap": 2.0}, {"is_causal": 1}], ids=str)
@pytest.mark.parametrize("kv_heads", [HEADS, 2, 1])
def test_plain(check, attributes, kv_heads):
    node = helper.make_node("Attention", ["q", "k", "v"], ["y"], **attributes)
    check(node, [qkv(kv_heads=kv_heads, v_size=6, **lengths) for lengths in LENGTHS], ["y"], opset=23, reference="onnx",
          symbols=symbols(kv_heads, 6))


@pytest.mark.parametrize("kv_heads", [HEADS, 2])
@pytest.mark.parametrize("kind", ["bool", "float", "heads", "short"])
def test_masks(check, kind, kv_heads):
    node = helper.make_node("Attention", ["q", "k", "v", "m"], ["y"])
    inputs = qkv(kv_heads=kv_heads)
    rng = np.random.default_rng(5)
    mask = {"bool": rng.random((3, 5)) < 0.6, "float": random(2, 1, 3, 5, seed=7), "heads": random(2, HEADS, 3, 5, seed=8),
            "short": rng.random((2, 1, 3, 4)) < 0.7}[kind]
    if kind == "bool":
        mask[1] = False  # a query that attends nothing
    check(node, {**inputs, "m": mask}, ["y"], opset=24, reference="onnx",
          symbols={**symbols(kv_heads), "m": list(mask.shape)})


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("causal", [0, 1])
def test_past_and_present(check, packed, causal):
    attributes = {"q_num_heads": HEADS, "kv_num_heads": 2} if packed else {}
    node = helper.make_node("Attention", ["q", "k", "v", "", "pk", "pv"], ["y", "ck", "cv"], is_causal=causal, **attributes)

    def inputs(batch, queries, past):
        x = qkv(batch=batch, queries=queries, keys=queries, kv_heads=2)
        if packed:
            x = {name: np.ascontiguousarray(a.transpose(0, 2, 1, 3).reshape(batch, queries, -1)) for name, a in x.items()}
        return {**x, "pk": random(batch, 2, past, SIZE, seed=3), "pv": random(batch, 2, past, SIZE, seed=4)}

    shapes = {"q": ["b", "s", HEADS * SIZE], "k": ["b", "s", 2 * SIZE], "v": ["b", "s", 2 * SIZE]} if packed else symbols(2)
    check(node, [inputs(2, 3, 4), inputs(1, 1, 7), inputs(1, 5, 0)], ["y", "ck", "cv"], opset=23, reference="onnx",
          symbols={**shapes, "pk": ["b", 2, "p", SIZE], "pv": ["b", 2, "p", SIZE]})


@pytest.mark.parametrize("mode", [0, 1, 2, 3])
def test_scores(check, mode):
    node = helper.make_node("Attention", ["q", "k", "v", "m"], ["y", "", "", "s"], qk_matmul_output_mode=mode,
                            **({"softcap": 3.0} if mode else {}))
    mask = np.random.default_rng(5).random((3, 5)) < 0.6
    mask[2] = False
    check(node, {**qkv(), "m": mask}, ["y", "s"], opset=24, reference="onnx", ranks_only=False)


def test_lengths_and_windows(check):
    node = helper.make_node("Attention", ["q", "k", "v", "", "", "", "n"], ["y"], is_causal=1)
    check(node, {**qkv(queries=2), "n": np.array([5, 3])}, ["y"], opset=24, reference="onnx", symbols={**symbols(), "n": ["b"]})


def test_contradictions_are_refused(check):
    node = helper.make_node("Attention", ["q", "k", "v"], ["y"])
    check.refused(node, qkv(kv_heads=3), ["y"], "a multiple of its 3 heads", opset=23, ranks_only=False)
    packed = {name: a.reshape(2, -1, 32) for name, a in qkv().items()}
    check.refused(node, packed, ["y"], "need q_num_heads", opset=23, ranks_only=False)


@pytest.mark.parametrize("interleaved", [0, 1])
@pytest.mark.parametrize("rotated", [0, 4])
@pytest.mark.parametrize("positions", [False, True])
def test_rotary_embedding(check, interleaved, rotated, positions):
    node = helper.make_node("RotaryEmbedding", ["x", "c", "s", *(["p"] if positions else [])], ["y"],
                            interleaved=interleaved, rotary_embedding_dim=rotated)
    half = (rotated or SIZE) // 2

    def inputs(batch, length):
        if positions:
            angles = random(50, half, seed=1)
            p = {"p": np.random.default_rng(2).integers(0, 50, (batch, length))}
        else:
            angles, p = random(batch, length, half, seed=1), {}
        return {"x": random(batch, 3, length, SIZE), "c": np.cos(angles), "s": np.sin(angles), **p}

    cache = ["m", half] if positions else ["b", "l", half]
    check(node, [inputs(2, 5), inputs(1, 1)], ["y"], opset=23, reference="onnx",
          symbols={"x": ["b", 3, "l", SIZE], "c": cache, "s": cache, "p": ["b", "l"]})


@pytest.mark.parametrize("mode", ["linear", "circular"])
@pytest.mark.parametrize("axis", [-2, 1])
def test_tensor_scatter(check, mode, axis):
    node = helper.make_node("TensorScatter", ["c", "u", "i"], ["y"], mode=mode, axis=axis)
    shape = {-2: (2, 3, 6, 4), 1: (2, 6, 4)}[axis]
    update = tuple(2 if extent == 6 else extent for extent in shape)
    start = np.array([0, 4]) if mode == "linear" else np.array([5, 9])
    check(node, {"c": random(*shape), "u": random(*update, seed=1), "i": start}, ["y"], opset=24, reference="onnx")


def test_tensor_scatter_beyond_the_cache(check):
    node = helper.make_node("TensorScatter", ["c", "u", "i"], ["y"])
    check.refused(node, {"c": random(2, 3, 6, 4), "u": random(2, 3, 2, 4), "i": np.array([0, 5])}, ["y"], "out of range",
                  opset=24)


@pytest.mark.parametrize("state", [False, True])
@pytest.mark.parametrize("activation", ["none", "silu"])
def test_causal_convolution(check, state, activation):
    node = helper.make_node("CausalConvWithState", ["x", "w", "b", *(["s"] if state else [])], ["y", "t"],
                            activation=activation)

    def expected(x, w, b, s=None):
        s = np.zeros((x.shape[0], 3, 3), np.float32) if s is None else s
        whole = np.concatenate([s, x], axis=2)
        y = np.stack([(whole[:, :, i:i + 4] * w[:, 0]).sum(-1) for i in range(x.shape[2])], axis=-1) + b[:, None]
        return [y / (1 + np.exp(-y)) if activation == "silu" else y, whole[:, :, whole.shape[2] - 3:]]

    def inputs(batch, length):
        given = {"x": random(batch, 3, length), "w": random(3, 1, 4, seed=1), "b": random(3, seed=2)}
        return {**given, "s": random(batch, 3, 3, seed=3)} if state else given

    check(node, [inputs(2, 5), inputs(1, 1)], ["y", "t"], opset=27, expected=expected,
          symbols={"x": ["n", 3, "l"], "w": [3, 1, 4], "b": [3], "s": ["n", 3, 3]})
