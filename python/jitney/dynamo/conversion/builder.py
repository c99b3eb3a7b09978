# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Writes an ONNX model, node by node. What converters are given as `b`."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from onnx import AttributeProto, ModelProto, TensorProto

from .values import ELEMENT_TYPES, Unsupported, Value, wide

OPSET = 23  # every operator used here has the meaning that this one gives it
_INLINE_BYTES = 256  # smaller constants lie in the model, larger ones beside it
_RESULT_TYPES = {name: torch.bool for name in (
    "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "And", "Or", "Xor", "Not", "IsNaN", "IsInf")}
_ELEMENTWISE = frozenset({
    *_RESULT_TYPES, "Abs", "Add", "Ceil", "Clip", "Cos", "Div", "Erf", "Exp", "Floor", "Gelu", "Log", "Max", "Min", "Mish",
    "Mod", "Mul", "Neg", "Pow", "Reciprocal", "Relu", "Round", "Sigmoid", "Sign", "Sin", "Softplus", "Sqrt", "Sub", "Tanh",
    "Where"})
_RESULT_TYPES |= {name: torch.int64 for name in ("Shape", "Size", "ArgMax", "ArgMin", "NonZero")}


class Builder:
    """Nodes, constants and names of one model. `b.Add(x, 1)` adds a node: inputs are Values, None for one that is left
    out, or Python numbers, which become constants of the first Value's dtype; keywords are attributes. Its result has
    the dtype that ONNX says (the first input's where that is the rule), or `dtype=`.

    Large constants are kept by name in `weights`, as tensors that are not copied where they are contiguous.
    """

    def __init__(self, name: str = "graph") -> None:
        self.model = ModelProto(ir_version=10, producer_name="jitney.dynamo")
        self.model.opset_import.add(domain="", version=OPSET)
        self.graph = self.model.graph
        self.graph.name = name
        self.weights: dict[str, torch.Tensor] = {}
        self.node_name = ""  # of the FX node whose converter runs
        self._names: set[str] = set()
        self._constants: dict[tuple[Any, ...], Value] = {}

    def unique(self, stem: str) -> str:
        name, count = stem, 1
        while name in self._names:
            name, count = f"{stem}_{count}", count + 1
        self._names.add(name)
        return name

    def __getattr__(self, op_type: str) -> Callable[..., Any]:
        if not op_type[0].isupper():
            raise AttributeError(op_type)
        return lambda *inputs, **attributes: self.op(op_type, *inputs, **attributes)

    def op(self, op_type: str, *inputs: Any, outputs: int = 1, dtype: torch.dtype | None = None,
           shape: Sequence[Any] | None = None, **attributes: Any) -> Any:
        """One node; a tuple of Values where `outputs` is more than 1. Attributes that are None are left out."""
        known = [value.dtype for value in inputs if isinstance(value, Value)]
        if op_type == "Where" and isinstance(inputs[0], Value):
            known = known[1:] or [dtype or torch.float32]
        values = [self.scalar(value, known[0]) if isinstance(value, (int, float)) else value for value in inputs]
        node = self.graph.node.add(op_type=op_type, name=f"{self.node_name}.{len(self.graph.node)}")
        for value in values:
            node.input.append("" if value is None else value.name)
        for key, given in attributes.items():
            if given is not None:
                _set_attribute(node.attribute.add(name=key), given)
        if shape is None and op_type in _ELEMENTWISE:
            shape = _common_shape([value for value in values if isinstance(value, Value)])
        result_type = dtype or _RESULT_TYPES.get(op_type) or known[0]
        results = []
        for _ in range(outputs):
            name = self.unique(self.node_name or op_type.lower())
            node.output.append(name)
            results.append(Value(name, result_type, None if shape is None else tuple(shape)))
        return results[0] if outputs == 1 else tuple(results)

    def Cast(self, value: Value, dtype: torch.dtype) -> Value:
        """`value` itself if it has the dtype. From float to integer as PyTorch does: towards zero."""
        if value.dtype == dtype:
            return value
        if dtype not in ELEMENT_TYPES:
            raise Unsupported(f"there are no tensors of {dtype}")
        return self.op("Cast", value, dtype=dtype, shape=value.shape, to=ELEMENT_TYPES[dtype])

    def wide(self, value: Value) -> Value:
        """In the dtype that PyTorch computes with inside an operator."""
        return self.Cast(value, wide(value.dtype))

    # Constants

    def constant(self, tensor: torch.Tensor, name: str = "constant") -> Value:
        """One of the model; equal small ones are one."""
        tensor = tensor.detach().resolve_conj().resolve_neg().to("cpu").contiguous()
        if tensor.dtype not in ELEMENT_TYPES:
            raise Unsupported(f"its constant has dtype {tensor.dtype}")
        small = tensor.numel() * tensor.element_size() <= _INLINE_BYTES
        data = bytes(tensor.reshape(-1).view(torch.uint8).numpy()) if small and tensor.numel() else b""
        key = (tensor.dtype, tuple(tensor.shape), data)
        if small and key in self._constants:
            return self._constants[key]
        value = Value(self.unique(name), tensor.dtype, tuple(tensor.shape))
        initializer = self.graph.initializer.add(name=value.name, data_type=ELEMENT_TYPES[tensor.dtype],
                                                 dims=tensor.shape)
        if small:
            initializer.raw_data = data
            self._constants[key] = value
        else:
            self.weights[value.name] = tensor
        return value

    def scalar(self, number: bool | int | float, dtype: torch.dtype) -> Value:
        try:
            return self.constant(torch.tensor(number, dtype=dtype))
        except (RuntimeError, OverflowError) as error:
            raise Unsupported(f"{number} is no {dtype}") from error

    def scalar_line(self, number: bool | int | float, dtype: torch.dtype) -> Value:
        """Of rank 1."""
        return self.constant(torch.tensor([number], dtype=dtype))

    def ints(self, numbers: Sequence[int]) -> Value:
        """int64, rank 1."""
        return self.constant(torch.tensor(list(numbers), dtype=torch.int64))

    # Inputs and outputs

    def input(self, name: str, dtype: torch.dtype, shape: Sequence[Any], extents: Sequence[int | str | None]) -> Value:
        """`extents` is how the model says the shape: numbers, expressions over symbols, None for any."""
        value = Value(self.unique(name), dtype, tuple(shape))
        kind = self.graph.input.add(name=value.name).type.tensor_type
        kind.elem_type = ELEMENT_TYPES[dtype]
        kind.shape.SetInParent()
        for extent in extents:
            dim = kind.shape.dim.add()
            if isinstance(extent, int):
                dim.dim_value = extent
            elif extent is not None:
                dim.dim_param = extent
        return value

    def output(self, value: Value, name: str) -> str:
        """Gives a name of its own to a result of the model."""
        self.node_name = name
        result = self.op("Identity", value)
        self.graph.output.add(name=result.name).type.tensor_type.elem_type = ELEMENT_TYPES[result.dtype]
        return result.name

    def serialize(self) -> bytes:
        return self.model.SerializeToString()


def _common_shape(values: Sequence[Value]) -> tuple[Any, ...] | None:
    """Of elementwise operators, where it needs no rules: all are equal, but for scalars."""
    shapes = [value.shape for value in values if value.shape != ()]
    if not shapes:
        return ()
    first = shapes[0]
    if first is None or any(shape is None or len(shape) != len(first) for shape in shapes):
        return None
    # `is` before `==`: comparing symbols would be remembered as a condition of the program.
    same = all(a is b or (isinstance(a, int) and isinstance(b, int) and a == b)
               for shape in shapes[1:] for a, b in zip(first, shape or ()))
    return tuple(first) if same else None


def _set_attribute(attribute: AttributeProto, given: Any) -> None:
    if isinstance(given, str):
        attribute.type, attribute.s = AttributeProto.STRING, given.encode()
    elif isinstance(given, (bool, int)):
        attribute.type, attribute.i = AttributeProto.INT, int(given)
    elif isinstance(given, float):
        attribute.type, attribute.f = AttributeProto.FLOAT, given
    elif isinstance(given, TensorProto):
        attribute.type = AttributeProto.TENSOR
        attribute.t.CopyFrom(given)
    elif all(isinstance(item, int) for item in given):
        attribute.type = AttributeProto.INTS
        attribute.ints.extend(given)
    else:
        attribute.type = AttributeProto.FLOATS
        attribute.floats.extend(given)
