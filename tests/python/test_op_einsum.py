# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Einsum agrees with numpy."""
import numpy as np
import pytest
from onnx import helper

CASES = {
    "ij->ji": [(2, 3)], "ij": [(2, 3)], "ji": [(2, 3)], "ij->": [(2, 3)], "ij->i": [(2, 3)], "ii->i": [(3, 3)], "ii": [(3, 3)],
    "...ii->...i": [(2, 4, 3, 3)], "iij->j": [(3, 3, 2)], "i,i": [(4,), (4,)], "i,j->ij": [(2,), (3,)], "i,j->ji": [(2,), (3,)],
    "ij,jk": [(2, 3), (3, 4)], "bij,bjk->bik": [(2, 3, 4), (2, 4, 5)], "bhqd,bhkd->bhqk": [(2, 3, 4, 5), (2, 3, 6, 5)],
    "...ij,...jk->...ik": [(2, 1, 3, 4), (5, 4, 2)], "ij,ij->i": [(2, 3), (2, 3)], "ij,kl->ijkl": [(2, 3), (4, 5)],
    "ijk,jil->kl": [(2, 3, 4), (3, 2, 5)], "ij,jk,kl->il": [(2, 3), (3, 4), (4, 5)], "i,i,i->": [(4,), (4,), (4,)],
    "ij,k->i": [(2, 3), (4,)], "b i j , b j -> b i": [(2, 3, 4), (2, 4)], "...i,...i->...": [(2, 3, 4), (3, 4)], "->": [()],
    "bc,bij,bij->cij": [(2, 3), (2, 4, 5), (2, 4, 5)],
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32])
@pytest.mark.parametrize("equation", CASES)
def test_equations(check, equation, dtype):
    rng = np.random.default_rng(0)
    names = [f"x{i}" for i in range(len(CASES[equation]))]
    node = helper.make_node("Einsum", names, ["y"], equation=equation)
    inputs = {n: (rng.standard_normal(s) * 4).astype(dtype) for n, s in zip(names, CASES[equation])}
    check(node, inputs, ["y"], opset=12, ranks_only=False,
          expected=lambda **x: [np.asarray(np.einsum(equation.replace(" ", ""), *x.values()))])


def test_symbolic_extents(check):
    node = helper.make_node("Einsum", ["x", "w"], ["y"], equation="bqd,dhe->bhqe")
    rng = np.random.default_rng(0)
    w = rng.standard_normal((4, 2, 3)).astype(np.float32)
    several = [{"x": rng.standard_normal((b, q, 4)).astype(np.float32), "w": w} for b, q in [(2, 5), (1, 1), (3, 0)]]
    check(node, several, ["y"], opset=12, symbols={"x": ["b", "q", 4], "w": [4, 2, 3]},
          expected=lambda x, w: [np.einsum("bqd,dhe->bhqe", x, w)])


@pytest.mark.parametrize("equation, words", [("ij,jk->ik", "one term for each"), ("i1->i", "where a letter"),
                                             ("ijk->i", "does not fit the rank"), ("ij->k", "unknown, or named twice")])
def test_bad_equations(check, equation, words):
    node = helper.make_node("Einsum", ["x"], ["y"], equation=equation)
    model_inputs = {"x": np.zeros((2, 3), np.float32)}
    check.refused(node, model_inputs, ["y"], words, opset=12)
