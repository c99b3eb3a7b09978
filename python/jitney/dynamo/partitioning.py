# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Which operators run in engines and which stay in PyTorch, and why."""
from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.fx import GraphModule, Node
from torch.fx.node import map_arg

from .conversion import find_converter
from .conversion.shapes import is_symbolic
from .conversion.source import operator_name, source_line
from .conversion.values import ELEMENT_TYPES
from .lowering.results import is_of_result
from .nodes import is_number
from .settings import CompilationSettings

_DATA_DEPENDENT = "its extents follow from data"


@dataclass(frozen=True)
class Stayed:
    """An operator that stays in PyTorch: its node, its name, why, and the program's line ("" if not known)."""

    node: str
    operator: str
    reason: str
    line: str


@dataclass
class Report:
    """What a compile does with each operator. str() is a table for people."""

    engines: list[list[str]] = field(default_factory=list)  # operators of each
    stayed: list[Stayed] = field(default_factory=list)

    @property
    def compiled(self) -> int:
        return sum(map(len, self.engines))

    def __str__(self) -> str:
        total = self.compiled + len(self.stayed)
        lines = [f"{self.compiled} of {total} operators in {len(self.engines)} engines"]
        for number, names in enumerate(self.engines):
            lines.append(f"engine {number}: " + ", ".join(f"{name} x{count}" for name, count in
                                                          sorted(Counter(names).items())))
        for (name, reason), count in Counter((entry.operator, entry.reason) for entry in self.stayed).items():
            places = sorted({entry.line for entry in self.stayed if (entry.operator, entry.reason) == (name, reason)})
            where = ", ".join(place for place in places if place)
            lines.append(f"stays in PyTorch: {name} x{count}: {reason}" + (f" ({where})" if where else ""))
        return "\n".join(lines)


@dataclass
class Partition:
    """Nodes that run together, in order."""

    in_engine: bool
    nodes: list[Node]


def is_outside(node: Node) -> bool:
    """Whether a node is part of no partition: inputs and constants, numbers, how results lie in memory, and what writes
    results back."""
    if node.op != "call_function" or is_of_result(node):
        return True
    return is_number(node) or writes_back(node)


def writes_back(node: Node) -> bool:
    """`copy_` into a buffer or an input: what is left of mutations after functionalization."""
    return node.target == torch.ops.aten.copy_.default and isinstance(node.args[0], Node) \
        and node.args[0].op in ("placeholder", "get_attr")


def reason_against(node: Node, settings: CompilationSettings, constants: Mapping[str, Any]) -> str | None:
    """Why a node cannot be in an engine; None if it can. `constants`: what get_attr nodes read, by target."""
    if settings.stays_in_torch(node.target):
        return "it is among torch_executed_ops"
    row = find_converter(node.target)
    if row is None:
        return "there is no converter for it"
    tensors = _tensors(node, constants)
    for tensor in tensors:
        if tensor.is_complex():
            return "complex numbers are not supported"
        if tensor.layout != torch.strided:
            return f"sparse tensors ({tensor.layout}) are not supported"
        if tensor.dtype not in ELEMENT_TYPES:
            return f"there are no engines for {tensor.dtype}"
        if not row.dynamic_shapes and any(is_symbolic(extent) for extent in tensor.shape):
            return "its converter needs extents that are numbers"
    for tensor in _tensors(node, constants, results=False):
        if tensor.dtype not in row.dtypes:
            return f"its converter does not take {tensor.dtype}"
    devices = {tensor.device for tensor in tensors if tensor.dim() > 0}
    if len(devices) > 1:
        return f"its tensors are on several devices ({', '.join(sorted(map(str, devices)))})"
    if _has_new_symbols(node):
        return _DATA_DEPENDENT
    if row.check is not None:
        return row.check(node)
    return None


def _tensors(node: Node, constants: Mapping[str, Any], results: bool = True) -> list[torch.Tensor]:
    found: list[torch.Tensor] = []

    def add(value: Any) -> None:
        if isinstance(value, torch.Tensor):
            found.append(value)
        elif isinstance(value, (list, tuple)):
            for item in value:
                add(item)

    for source in node.all_input_nodes:
        add(constants.get(str(source.target)) if source.op == "get_attr" else source.meta.get("val"))
    if results:
        add(node.meta.get("val"))
    return found


def _has_new_symbols(node: Node) -> bool:
    value = node.meta.get("val")
    tensors = value if isinstance(value, (list, tuple)) else [value]
    for tensor in tensors:
        if isinstance(tensor, torch.Tensor):
            for extent in tensor.shape:
                if is_symbolic(extent) and any(str(s).startswith(("u", "i")) and not str(s).startswith("s")
                                               for s in extent.node.expr.free_symbols):
                    return True
    return False


def partition(module: GraphModule, settings: CompilationSettings, excluded: Mapping[str, str]) \
        -> tuple[list[Partition], Report]:
    """Divides the operators of a functional graph into partitions, in an order in which they can run. `excluded` are
    nodes by name that must stay in PyTorch, with the reason."""
    constants = {str(node.target): _attribute(module, str(node.target)) for node in module.graph.nodes
                 if node.op == "get_attr"}
    reasons: dict[Node, str] = {}
    for node in module.graph.nodes:
        if is_outside(node) or node.target is operator.getitem:
            continue
        reason = excluded.get(node.name) or reason_against(node, settings, constants)
        if reason is not None:
            reasons[node] = reason
    while True:
        stages = _stages(module, reasons)
        groups: dict[int, list[Node]] = {}
        for node, stage in stages.items():
            groups.setdefault(stage, []).append(node)
        small = [nodes for stage, nodes in groups.items()
                 if stage % 2 == 0 and sum(_counts(node) for node in nodes) < settings.min_block_size]
        if not small:
            break
        for nodes in small:
            for node in nodes:
                if node.target is not operator.getitem:
                    reasons[node] = (f"its block has {sum(map(_counts, nodes))} operators; min_block_size is "
                                     f"{settings.min_block_size}")
    partitions = [Partition(stage % 2 == 0, groups[stage]) for stage in sorted(groups)]
    report = Report()
    for part in partitions:
        named = [node for node in part.nodes if node.target is not operator.getitem]
        if part.in_engine:
            report.engines.append([operator_name(node.target) for node in named])
        else:
            report.stayed += [Stayed(node.name, operator_name(node.target), reasons[node], source_line(node))
                              for node in named]
    return partitions, report


def _counts(node: Node) -> bool:
    return node.target is not operator.getitem


def _stages(module: GraphModule, reasons: Mapping[Node, str]) -> dict[Node, int]:
    """Even stages are engines, odd ones PyTorch; a node's inputs are of its own or an earlier stage. So whatever is in
    one stage can run as one piece."""
    stages: dict[Node, int] = {}
    depth: dict[Node, int] = {}  # of every node, those outside included

    def of_inputs(node: Node) -> list[Node]:
        found: list[Node] = []
        map_arg((node.args, node.kwargs), found.append)
        return found

    for node in module.graph.nodes:
        inputs = of_inputs(node)
        if is_outside(node):
            # A number that is computed from a tensor is there after the tensor's stage.
            depth[node] = max((depth[source] for source in inputs), default=-1)
            continue
        if node.target is operator.getitem:
            stage = stages[node.args[0]]
        else:
            kind = int(node in reasons)
            stage = kind
            for source in inputs:
                before = depth[source]
                if before < 0:
                    continue
                same = before % 2 == kind and (source in stages or _is_extent(source, module))
                stage = max(stage, before if same else before + (1 if before % 2 != kind else 2))
        stages[node] = depth[node] = stage
    return stages


def _is_extent(node: Node, module: GraphModule) -> bool:
    """A number that an engine computes for itself, from shapes of what it has."""
    value = node.meta.get("val")
    return is_symbolic(value) and all(str(s).startswith("s") for s in value.node.expr.free_symbols)


def _attribute(module: Any, path: str) -> Any:
    for part in path.split("."):
        module = getattr(module, part)
    return module
