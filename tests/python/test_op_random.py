# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Random numbers have the distribution that is asked for, are the same in every run, and differ between seeds."""
import numpy as np
import pytest
from onnx import helper


def outputs(check, nodes, inputs, names, **options):
    from operators import build

    return check.jitney.run(check.save(build(nodes, inputs, names, **options)), inputs, check.cache).outputs


def zeros(*shape):
    return np.zeros(shape, np.float32)


def test_uniform(check):
    nodes = [helper.make_node("RandomUniform", [], [name], shape=[100, 300], low=-2.0, high=4.0, seed=seed)
             for name, seed in (("a", 1.0), ("b", 1.0), ("c", 2.0))]
    nodes += [helper.make_node("Add", [name, "x"], [f"y{name}"]) for name in "abc"]
    got = outputs(check, nodes, {"x": zeros(1, 1)}, ["ya", "yb", "yc"], symbols={"x": [1, 1]})
    a = got["ya"]
    assert a.min() >= -2 and a.max() < 4 and abs(a.mean() - 1) < 0.05 and abs(a.var() - 3) < 0.1
    np.testing.assert_array_equal(a, got["yb"])
    assert (a != got["yc"]).mean() > 0.99
    flat = a.ravel()
    assert abs(np.corrcoef(flat[1:], flat[:-1])[0, 1]) < 0.02  # neighbours know nothing of each other


@pytest.mark.parametrize("shape", [(200, 150), (1, 1), (0, 3)])
def test_normal_like(check, shape):
    nodes = [helper.make_node("RandomNormalLike", ["x"], ["y"], mean=3.0, scale=2.0)]
    first, second = (outputs(check, nodes, {"x": zeros(*shape)}, ["y"])["y"] for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert first.shape == shape and np.isfinite(first).all()
    if first.size > 100:
        assert abs(first.mean() - 3) < 0.05 and abs(first.std() - 2) < 0.05
        assert abs((((first - 3) / 2) ** 4).mean() - 3) < 0.2  # the tails of a normal distribution


def test_two_nodes_differ_without_a_seed(check):
    nodes = [helper.make_node("RandomUniformLike", ["x"], [name]) for name in "ab"]
    got = outputs(check, nodes, {"x": zeros(50, 50)}, ["a", "b"])
    assert (got["a"] != got["b"]).mean() > 0.99


def test_bernoulli(check):
    p = np.repeat(np.float32([[0, 0.25, 0.9, 1]]), 5000, 0)
    y = outputs(check, [helper.make_node("Bernoulli", ["p"], ["y"], seed=3.0)], {"p": p}, ["y"])["y"]
    np.testing.assert_allclose(y.mean(0), p[0], atol=0.03)
    assert y.dtype == np.float32 and set(np.unique(y)) == {0, 1} and y[:, 0].max() == 0 and y[:, 3].min() == 1


def test_multinomial(check):
    weights = np.float32([[1, 2, 0, 5], [1, 1, 1, 1]])
    with np.errstate(divide="ignore"):
        logs = np.log(weights)
    node = helper.make_node("Multinomial", ["x"], ["y"], sample_size=8000, seed=1.0)
    y = outputs(check, [node], {"x": logs}, ["y"])["y"]
    assert y.dtype == np.int32 and y.shape == (2, 8000)
    for row, want in zip(y, weights / weights.sum(1, keepdims=True)):
        np.testing.assert_allclose(np.bincount(row, minlength=4) / row.size, want, atol=0.03)
