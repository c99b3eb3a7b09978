# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""A graph as a graph of its partitions: children `_run_on_acc_N` for engines, `_run_on_gpu_N` for PyTorch."""
from __future__ import annotations

import operator
from typing import Any

import torch
from torch.fx import Graph, GraphModule, Node
from torch.fx.node import map_arg

from .conversion.builder import Builder
from .conversion.shapes import Extents, is_symbolic
from .conversion.values import Value
from .nodes import is_number
from .partitioning import Partition, is_outside, writes_back


def split(module: GraphModule, partitions: list[Partition]) -> GraphModule:
    """A module that does the same, with one child a partition. Children are functional GraphModules whose placeholders
    have the names of the values that they take; those of engines take tensors alone. `copy_` into buffers and inputs,
    and computations with extents, stay in the module itself."""
    return _Splitter(module, partitions).run()


class _Splitter:
    def __init__(self, module: GraphModule, partitions: list[Partition]) -> None:
        self.module, self.partitions = module, partitions
        self.place = {node: i for i, part in enumerate(partitions) for node in part.nodes}
        self.mutated = {node.args[0] for node in module.graph.nodes if writes_back(node)}
        self.mutated_names = {str(node.target) for node in self.mutated if node.op == "get_attr"}
        self.graph = Graph()
        self.root = _copy_of_root(module)
        self.new: dict[Node, Node] = {}  # what stands in the new graph for a value of the old one

    def run(self) -> GraphModule:
        for node in self.module.graph.nodes:
            if node.op == "placeholder":
                self.new[node] = self.graph.node_copy(node)
        inputs = [self._inputs(part) for part in self.partitions]
        wanted = self._wanted(inputs)
        for number, part in enumerate(self.partitions):
            self._add(number, part, inputs[number], [node for node in part.nodes if node in wanted])
        for node in self.module.graph.nodes:
            if writes_back(node):
                self.graph.node_copy(node, self._outer)
            elif node.op == "output":
                self.graph.node_copy(node, self._outer)
        self.graph._codegen = self.module.graph._codegen
        # Takes what the graph reads and calls: constants that only engines need are not held twice.
        result = GraphModule(self.root, self.graph, class_name=type(self.module).__name__)
        result.graph.lint()
        result.train(False)
        for name in ("_in_spec", "_out_spec"):
            if hasattr(self.module, name):
                setattr(result, name, getattr(self.module, name))
        return result

    def _outer(self, node: Node) -> Node:
        """The value in the new graph; numbers and constants are put there when something needs them."""
        if node not in self.new:
            assert is_outside(node), f"'{node.name}' is not computed yet"
            map_arg((node.args, node.kwargs), self._outer)
            self.new[node] = self.graph.node_copy(node, self._outer)
        return self.new[node]

    def _is_own_constant(self, node: Node) -> bool:
        """A constant that lives in each partition that reads it. A buffer that is written lives outside."""
        return node.op == "get_attr" and str(node.target) not in self.mutated_names

    def _inputs(self, part: Partition) -> list[Node]:
        own = set(part.nodes)
        found: dict[Node, None] = {}
        for node in part.nodes:
            map_arg((node.args, node.kwargs), lambda source: found.setdefault(source, None)
                    if source not in own and not self._is_own_constant(source) else None)
        return list(found)

    def _wanted(self, inputs: list[list[Node]]) -> set[Node]:
        """Values of partitions that something outside of their own needs."""
        wanted: set[Node] = set()

        def need(node: Node) -> None:
            if node in wanted:
                return
            wanted.add(node)
            if is_outside(node):
                map_arg((node.args, node.kwargs), need)

        for part, sources in zip(self.partitions, inputs):
            for source in sources:
                if not (part.in_engine and is_number(source)):
                    need(source)
                elif source.meta.get("val") is not None and not self._follows(source, sources):
                    need(source)
        for node in self.module.graph.nodes:
            if writes_back(node) or node.op == "output":
                map_arg((node.args, node.kwargs), need)
        return wanted

    @staticmethod
    def _follows(number: Node, sources: list[Node]) -> bool:
        """Whether an engine with these inputs can compute the number from their shapes."""
        value = number.meta["val"]
        if not is_symbolic(value):
            return True
        extents = Extents(Builder())
        for source in sources:
            tensor = source.meta.get("val")
            if isinstance(tensor, torch.Tensor):
                extents.learn(Value(source.name, tensor.dtype, tuple(tensor.shape)))
        return isinstance(value, torch.SymInt) and extents.knows(value)

    def _add(self, number: int, part: Partition, sources: list[Node], outputs: list[Node]) -> None:
        name = f"_run_on_{'acc' if part.in_engine else 'gpu'}_{number}"
        graph, inner, given = Graph(), {}, []
        late: list[tuple[Node, Node]] = []
        for source in sources:
            if part.in_engine and is_number(source):
                if self._follows(source, sources):
                    continue
                late.append((source, graph.placeholder(source.name)))
                given.append(self._as_tensor(source))
                continue
            placeholder = graph.placeholder(source.name)
            placeholder.meta = dict(source.meta)
            inner[source] = placeholder
            given.append(self._outer(source))
        for source, placeholder in late:
            placeholder.meta["val"] = torch.empty((), dtype=torch.int64, device="meta")
            inner[source] = graph.call_function(torch.ops.aten._local_scalar_dense.default, (placeholder,))
            inner[source].meta["val"] = source.meta["val"]

        def value_of(source: Node) -> Any:
            if source in inner:
                return inner[source]
            if source.op == "get_attr":
                copy = graph.get_attr(str(source.target))
                copy.meta = dict(source.meta)
                inner[source] = copy
                return copy
            if is_number(source):
                return self._symbol(graph, inner, source)
            raise AssertionError(f"'{source.name}' is no input of '{name}'")

        for node in part.nodes:
            inner[node] = graph.node_copy(node, value_of)
        graph.output(inner[outputs[0]] if len(outputs) == 1 else tuple(inner[node] for node in outputs))
        child = GraphModule(self.module, graph, class_name=name)
        self.root.add_module(name, child)
        call = self.graph.call_module(name, tuple(given))
        if len(outputs) == 1:
            self.new[outputs[0]] = call
            call.meta["val"] = outputs[0].meta.get("val")
            return
        for index, node in enumerate(outputs):
            self.new[node] = self.graph.call_function(operator.getitem, (call, index))
            self.new[node].meta["val"] = node.meta.get("val")

    @staticmethod
    def _symbol(graph: Graph, inner: dict[Node, Node], source: Node) -> Node:
        """A number that the engine knows by itself: a node that only has its value."""
        first = next(iter(graph.nodes), None)
        with graph.inserting_before(first) if first is not None else graph.inserting_after():
            node = graph.create_node("placeholder", source.name, name=source.name)
        node.meta = {"val": source.meta["val"], "is_extent": True}
        inner[source] = node
        return node

    def _as_tensor(self, source: Node) -> Node:
        return self.graph.call_function(torch.ops.aten.scalar_tensor.default, (self._outer(source),),
                                        {"dtype": torch.int64})


def _copy_of_root(module: GraphModule) -> torch.nn.Module:
    root = torch.nn.Module()
    for name, value in module._parameters.items():
        root.register_parameter(name, value)
    for name, value in module._buffers.items():
        root.register_buffer(name, value, persistent=name not in module._non_persistent_buffers_set)
    for name, value in module._modules.items():
        root.add_module(name, value)
    for name, value in vars(module).items():
        if isinstance(value, torch.Tensor):
            setattr(root, name, value)
    return root
