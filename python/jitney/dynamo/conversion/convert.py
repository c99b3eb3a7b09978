# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""From a functional FX graph of ATen operators to an ONNX model, its weights beside it."""
from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy
import torch
from torch.fx import GraphModule, Node

from .registry import find_converter
from .shapes import expression, is_symbolic, text
from .source import describe
from .values import ELEMENT_TYPES, Unsupported, Value
from .writer import GraphWriter


@dataclass(frozen=True)
class Model:
    """What jitney.build() takes: the bytes of a model, and the weights that it leaves out, by name."""

    bytes: bytes
    weights: Mapping[str, torch.Tensor]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


class ConversionError(ValueError):
    """A node that no model can say: the message names operator, reason and the line of the program. `node` is it."""

    def __init__(self, node: Node, reason: str) -> None:
        super().__init__(f"{describe(node)}: {reason}")
        self.node, self.reason = node, reason


def convert(module: GraphModule, name: str = "graph") -> Model:
    """Tensor placeholders become the model's inputs, what `output` names its outputs, in order; get_attr its constants.
    Raises ConversionError."""
    writer = GraphWriter(name)
    results = write(writer, module, writer_inputs(writer, module))
    outputs = []
    names = _output_names(module)
    for value, output in zip(results, names):
        outputs.append(writer.output(value, output))
    inputs = tuple(entry.name for entry in writer.graph.input)
    return Model(writer.serialize(), writer.weights, inputs, tuple(outputs))


def writer_inputs(writer: GraphWriter, module: GraphModule) -> dict[Node, Any]:
    """Declares the placeholders."""
    placeholders = module.graph.find_nodes(op="placeholder")
    tensors = [node for node in placeholders if isinstance(node.meta.get("val"), torch.Tensor)]
    plain: set[sympy.Symbol] = set()
    for node in tensors:
        plain |= {expr for expr in map(expression, node.meta["val"].shape) if expr.is_Symbol}
    values: dict[Node, Any] = {}
    for node in placeholders:
        found = node.meta.get("val")
        if isinstance(found, torch.Tensor):
            _refuse_tensor(node, found)
            values[node] = writer.input(node.name, found.dtype, found.shape, [_extent(e, plain) for e in found.shape])
            writer.extents.learn(values[node])
        elif is_symbolic(found) or isinstance(found, (int, float, bool, str, type(None))):
            values[node] = found
        else:
            raise ConversionError(node, f"an input is a {type(found).__name__}, not a tensor")
    return values


def write(writer: GraphWriter, module: GraphModule, values: dict[Node, Any]) -> list[Value]:
    """Adds the nodes of a graph whose placeholders have `values`; gives what it returns."""
    for node in module.graph.nodes:
        if node.op == "placeholder":
            continue
        if node.op == "output":
            returned = node.args[0]
            flat = [returned] if isinstance(returned, Node) else list(returned)
            for entry in flat:
                if not isinstance(entry, Node) or not isinstance(values[entry], Value):
                    raise ConversionError(node, f"it returns {entry}, which is no tensor")
            return [values[entry] for entry in flat]
        values[node] = _write_node(writer, module, node, values)
    return []


def _write_node(writer: GraphWriter, module: GraphModule, node: Node, values: dict[Node, Any]) -> Any:
    found = node.meta.get("val")
    if node.op == "get_attr":
        target = _attribute(module, str(node.target))
        if not isinstance(target, torch.Tensor):
            raise ConversionError(node, f"it reads '{node.target}', a {type(target).__name__} and no tensor")
        _refuse_tensor(node, target)
        return writer.constant(target, node.name)
    if node.target is operator.getitem:
        sequence, index = node.args
        item = values[sequence][index]
        if item is None:
            raise ConversionError(node, f"result {index} of '{sequence.name}' is not computed")
        return item
    if is_symbolic(found) and writer.extents.knows(found):
        return found
    if isinstance(found, (int, float, bool)) and not isinstance(found, torch.Tensor):
        return found
    row = find_converter(node.target)
    if row is None:
        raise ConversionError(node, "there is no converter for it")
    writer.node, writer.node_name = node, node.name

    def value_of(argument: Node) -> Any:
        value = values[argument]
        if isinstance(value, (list, tuple)) and any(item is None for item in value):
            raise ConversionError(node, f"a result of '{argument.name}' is not computed")
        return value

    try:
        args = torch.fx.node.map_arg(node.args, value_of)
        kwargs = torch.fx.node.map_arg(node.kwargs, value_of)
        result = row.convert(writer, *args, **kwargs)
        return _labelled(writer, node, result)
    except Unsupported as error:
        raise ConversionError(node, str(error)) from None


def _labelled(writer: GraphWriter, node: Node, result: Any) -> Any:
    """Results with the shapes that PyTorch found, and its dtypes."""
    found = node.meta.get("val")
    if is_symbolic(found):
        writer.extents.learn_scalar(found, result)
        return found
    if isinstance(result, (list, tuple)):
        return [None if value is None else _one(writer, node, value, entry) for value, entry in zip(result, found)]
    return _one(writer, node, result, found)


def _one(writer: GraphWriter, node: Node, value: Value, found: Any) -> Value:
    if not isinstance(found, torch.Tensor):
        raise ConversionError(node, "it does not give a tensor")
    if value.dtype != found.dtype:
        value = writer.Cast(value, found.dtype)
    labelled = Value(value.name, value.dtype, tuple(found.shape))
    for axis, extent in enumerate(found.shape):
        if is_symbolic(extent) and not writer.extents.knows(extent):
            writer.extents.learn(labelled)
    return labelled


def _extent(extent: Any, plain: set[sympy.Symbol]) -> int | str | None:
    if not is_symbolic(extent):
        return int(extent)
    expr = expression(extent)
    # An expression over symbols that no input has as they are could not be solved for them.
    return text(expr) if expr.free_symbols <= plain else None


def _attribute(module: GraphModule, path: str) -> Any:
    found: Any = module
    for part in path.split("."):
        found = getattr(found, part)
    return found


def _refuse_tensor(node: Node, tensor: torch.Tensor) -> None:
    if tensor.layout != torch.strided:
        raise ConversionError(node, f"'{node.name}' is a sparse tensor ({tensor.layout})")
    if tensor.is_complex():
        raise ConversionError(node, f"'{node.name}' is complex ({tensor.dtype})")
    if tensor.dtype not in ELEMENT_TYPES:
        raise ConversionError(node, f"'{node.name}' has dtype {tensor.dtype}")


def _output_names(module: GraphModule) -> Sequence[str]:
    node = next(iter(reversed(module.graph.nodes)))
    returned = node.args[0]
    entries = [returned] if isinstance(returned, Node) else list(returned)
    return [f"output{i}" for i in range(len(entries))]
