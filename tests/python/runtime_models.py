# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Small models for the tests of the runtime: kernels that are better when shapes are known, and few of them."""
import numpy as np
from onnx import TensorProto, helper


def softmax_model():
    """softmax over [n, m] plus its input: one dynamic kernel or two."""
    graph = helper.make_graph(
        [helper.make_node("Softmax", ["x"], ["s"], axis=1), helper.make_node("Add", ["s", "x"], ["y"])], "softmax",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", "m"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", "m"])])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def relu_model(operators=("Relu",), rank=2):
    """A chain of unary operators over one dynamic shape: another kernel for each choice of operators."""
    names = ["x", *[f"t{i}" for i in range(len(operators) - 1)], "y"]
    shape = [f"d{i}" for i in range(rank)]
    graph = helper.make_graph([helper.make_node(op, [names[i]], [names[i + 1]]) for i, op in enumerate(operators)],
                              "chain", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def softmax_reference(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True) + x


def random(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def kernels_in(cache):
    """How many kernels a RuntimeCache holds in memory. (A compiler's identity may be kept beside them.)"""
    return sum("source" in entry["fields"] for entry in cache.entries())


def kernels_at(path):
    """How many kernels a packed file holds."""
    from jitney.runtime import RuntimeCache

    cache = RuntimeCache(path)
    cache.load()
    return kernels_in(cache)
