# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Small models as the bytes of an engine, without the PyTorch front end."""
import onnx
from onnx import TensorProto, helper


def model(nodes, inputs, outputs, constants=(), opset=21):
    """nodes: (operator, inputs, outputs, attributes); inputs and outputs: (name, element type, shape)."""
    made = [helper.make_node(kind, list(reads), list(writes), **attributes)
            for kind, reads, writes, attributes in nodes]
    graph = helper.make_graph(made, "g", [helper.make_tensor_value_info(*i) for i in inputs],
                              [helper.make_tensor_value_info(*o) for o in outputs], list(constants))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)],
                             ir_version=10).SerializeToString()


def unary(operator, element=TensorProto.FLOAT, shape=("n", 4), **attributes):
    return model([(operator, ["x"], ["y"], attributes)], [("x", element, shape)], [("y", element, shape)])


def matmul(weight):
    """x[n, k] @ weight + 1, relu."""
    k, m = weight.shape
    one = onnx.numpy_helper.from_array(weight[:1, :1] * 0 + 1, "one")
    return model([("MatMul", ["x", "w"], ["a"], {}), ("Add", ["a", "one"], ["b"], {}), ("Relu", ["b"], ["y"], {})],
                 [("x", TensorProto.FLOAT, ("n", k))], [("y", TensorProto.FLOAT, ("n", m))],
                 [onnx.numpy_helper.from_array(weight, "w"), one])


def sum_and_difference():
    """Two inputs, two outputs."""
    both = [("a", TensorProto.FLOAT, ("n", 3)), ("b", TensorProto.FLOAT, ("n", 3))]
    return model([("Add", ["a", "b"], ["sum"], {}), ("Sub", ["a", "b"], ["difference"], {})], both,
                 [(name, TensorProto.FLOAT, ("n", 3)) for name in ("sum", "difference")])


def kv_cache():
    """cache_out = cache + new, which is to be written into the cache, and y = -cache_out."""
    rows = TensorProto.FLOAT, ("n", 4)
    return model([("Add", ["cache", "new"], ["cache_out"], {}), ("Neg", ["cache_out"], ["y"], {})],
                 [("cache", *rows), ("new", *rows)], [("cache_out", *rows), ("y", *rows)])


def nonzero():
    """An output whose shape follows from data."""
    return model([("NonZero", ["x"], ["y"], {})], [("x", TensorProto.FLOAT, ("n", 4))],
                 [("y", TensorProto.INT64, (2, "found"))])
