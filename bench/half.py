# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""A float32 ONNX model as its float16 twin: the same graph, every float32 tensor rounded to float16 once."""
import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

FLOAT, HALF = TensorProto.FLOAT, TensorProto.FLOAT16


def _tensor(tensor):
    if tensor.data_type == FLOAT:
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), tensor.name))


def _graph(graph):
    for tensor in graph.initializer:
        _tensor(tensor)
    for value in [*graph.input, *graph.output, *graph.value_info]:
        if value.type.tensor_type.elem_type == FLOAT:
            value.type.tensor_type.elem_type = HALF
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.TENSOR:
                _tensor(attribute.t)
            elif attribute.type == onnx.AttributeProto.GRAPH:
                _graph(attribute.g)
            elif attribute.name == "to" and node.op_type == "Cast" and attribute.i == FLOAT:
                attribute.i = HALF


def to_half(proto):
    """In place. Attributes that say in which type a normalization computes (stash_type) stay float32."""
    _graph(proto.graph)
    for function in proto.functions:
        for node in function.node:
            for attribute in node.attribute:
                if attribute.type == onnx.AttributeProto.TENSOR:
                    _tensor(attribute.t)
    return proto
