# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Small ONNX models that are wrong in one way each, and a few small right ones. Each function writes `path`."""
import onnx
from onnx import TensorProto, helper

FLOAT = TensorProto.FLOAT


def value(name, shape, dtype=FLOAT):
    return helper.make_tensor_value_info(name, dtype, shape)


def save(path, nodes, inputs, outputs, initializers=(), domains=()):
    graph = helper.make_graph(list(nodes), "g", list(inputs), list(outputs), list(initializers))
    opsets = [helper.make_opsetid("", 17), *(helper.make_opsetid(d, 1) for d in domains)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


def add(path):
    """Right: y = a + b, both [N, 4]."""
    return save(path, [helper.make_node("Add", ["a", "b"], ["y"])], [value("a", ["N", 4]), value("b", ["N", 4])],
                [value("y", ["N", 4])])


def cyclic(path):
    return save(path, [helper.make_node("Add", ["x", "second"], ["first"], name="one"),
                       helper.make_node("Relu", ["first"], ["second"], name="two")],
                [value("x", [2])], [value("second", [2])])


def unknown_operator(path, op="Frobnicate", domain=""):
    return save(path, [helper.make_node(op, ["x"], ["y"], name="strange", domain=domain)], [value("x", [2])],
                [value("y", [2])], domains=[domain] if domain else [])


def missing_initializer(path):
    return save(path, [helper.make_node("Add", ["x", "forgotten_weight"], ["y"])], [value("x", [2])],
                [value("y", [2])])


def duplicate_value(path):
    return save(path, [helper.make_node("Relu", ["x"], ["twice"]), helper.make_node("Neg", ["x"], ["twice"])],
                [value("x", [2])], [value("twice", [2])])


def short_initializer(path):
    tensor = TensorProto(name="w", data_type=FLOAT, dims=[1000], raw_data=b"\0" * 16)
    return save(path, [helper.make_node("Add", ["x", "w"], ["y"])], [value("x", [1000])], [value("y", [1000])], [tensor])


def external(path, location, offset=0, length=16):
    """A weight [4] whose data lies in another file."""
    tensor = TensorProto(name="w", data_type=FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    for key, text in (("location", location), ("offset", offset), ("length", length)):
        tensor.external_data.add(key=key, value=str(text))
    return save(path, [helper.make_node("Add", ["x", "w"], ["y"])], [value("x", [4])], [value("y", [4])], [tensor])


def huge_constant(path, elements=2**40):
    """The model makes a tensor of `elements` floats by itself; its input only scales it."""
    shape = helper.make_tensor("shape", TensorProto.INT64, [1], [elements])
    return save(path, [helper.make_node("ConstantOfShape", ["shape"], ["filled"]),
                       helper.make_node("Add", ["filled", "x"], ["y"])],
                [value("x", [1])], [value("y", [elements])], [shape])


def huge_initializer(path):
    """Claims 2^40 elements and brings 16 bytes."""
    tensor = TensorProto(name="w", data_type=FLOAT, dims=[2**20, 2**20], raw_data=b"\0" * 16)
    return save(path, [helper.make_node("ReduceSum", ["w"], ["s"], keepdims=0), helper.make_node("Add", ["x", "s"], ["y"])],
                [value("x", [1])], [value("y", [1])], [tensor])


def overflowing_initializer(path):
    """Its byte count does not fit 64 bits."""
    tensor = TensorProto(name="w", data_type=FLOAT, dims=[2**32, 2**32], raw_data=b"")
    return save(path, [helper.make_node("Add", ["x", "w"], ["y"])], [value("x", [1])], [value("y", ["a", "b"])], [tensor])
