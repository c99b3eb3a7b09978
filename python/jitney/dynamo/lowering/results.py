# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Results as eager PyTorch gives them: views of what they are views of, and strides as they were traced. What runs after
the graph may write into one result and look at another, or take them apart by their strides."""
from __future__ import annotations

import math
import operator
from collections import Counter
from typing import Any

import torch
from torch.fx import GraphModule, Node
from torch.fx.node import map_arg

from ..nodes import is_view

aten = torch.ops.aten
_KEPT = "is_of_result"
_VIEWS_OF_SIZE = {aten.view.default, aten._unsafe_view.default, aten._reshape_alias.default}


def is_of_result(node: Node) -> bool:
    """Whether a node only says how a result lies in memory. It moves nothing, and is part of no engine."""
    return _KEPT in node.meta


def keep_results(module: GraphModule) -> None:
    """Views that are results become operators of their own behind all others, where memory that they share can be seen:
    an input's, another result's. Results whose axes lie in another order come out of engines in that order. In place."""
    output = module.graph.output_node()
    results: list[Node] = []
    map_arg(output.args, results.append)
    shared = _shared_bases(module, results)
    made: dict[Node, Node] = {}
    with module.graph.inserting_before(output):
        for result in dict.fromkeys(results):
            if _base_of(result) in shared:
                made[result] = _view_again(module, result, made)
            elif (order := _order_in_memory(result)) is not None:
                made[result] = _permuted(module, result, order)
    output.args = map_arg(output.args, lambda node: made.get(node, node))
    module.graph.eliminate_dead_code()
    module.recompile()


def _shared_bases(module: GraphModule, results: list[Node]) -> set[Node]:
    """Of views among the results, those bases whose memory somebody else sees: inputs and constants, results, and what is
    written into an input."""
    seen = {node for node in results if _viewed(node) is None}
    bases = Counter(_base_of(node) for node in dict.fromkeys(results) if _viewed(node) is not None)
    for node in module.graph.nodes:
        if node.op == "call_function" and node.target == aten.copy_.default and isinstance(node.args[1], Node):
            seen.add(node.args[1])
    return {base for base, views in bases.items() if base.op != "call_function" or base in seen or views > 1}


def _viewed(node: Node) -> Node | None:
    """What a node is a view of, by PyTorch's own word for its operators; None for what has memory of its own."""
    if node.op != "call_function" or not node.args or not isinstance(node.args[0], Node):
        return None
    if node.target is operator.getitem:
        source = node.args[0]
        return source.args[0] if is_view(source) and isinstance(source.args[0], Node) else None
    return node.args[0] if is_view(node) and isinstance(node.meta.get("val"), torch.Tensor) else None


def _base_of(node: Node) -> Node:
    while (source := _viewed(node)) is not None:
        node = source
    return node


def _view_again(module: GraphModule, node: Node, made: dict[Node, Node]) -> Node:
    """The chain of views that leads to a node, once more, from its base."""
    if node in made:
        return made[node]
    source = _viewed(node)
    if source is None:
        # Strides are kept from the base on.
        order = _order_in_memory(node)
        made[node] = node if order is None else _permuted(module, node, order)
        return made[node]
    base = _view_again(module, source, made)
    if node.target is operator.getitem:
        several = made.get(node.args[0])
        if several is None:
            several = made[node.args[0]] = module.graph.node_copy(node.args[0], lambda n: base if n is source else n)
            several.meta[_KEPT] = True
        again = module.graph.call_function(operator.getitem, (several, node.args[1]))
        again.meta = dict(node.meta)
    else:
        again = module.graph.node_copy(node, lambda n: base if n is source else n)
        if node.target in _VIEWS_OF_SIZE:  # which is a copy where inputs lie otherwise than they did when it was traced
            again.target, again.args = aten.reshape.default, again.args[:2]
    again.meta[_KEPT] = True
    made[node] = again
    return again


def _permuted(module: GraphModule, node: Node, order: list[int]) -> Node:
    """The same, computed with its axes in this order, so that they lie so in memory."""
    value = node.meta["val"]
    there = module.graph.call_function(aten.permute.default, (node, order))
    there.meta = {**node.meta, "val": value.permute(order)}
    back = module.graph.call_function(aten.permute.default, (there, [order.index(axis) for axis in range(len(order))]))
    back.meta = {**node.meta, _KEPT: True}
    return back


def _order_in_memory(node: Node) -> list[int] | None:
    """The axes of what an operator computes, the outermost in memory first; None where that is their order, or where they
    do not fill their memory."""
    value = node.meta.get("val")
    if node.op != "call_function" or not isinstance(value, torch.Tensor) or value.layout != torch.strided:
        return None
    sizes, strides = _numbers(value.shape), _numbers(value.stride())
    if sizes is None or strides is None or 0 in sizes:
        return None
    order = sorted(range(len(sizes)), key=lambda axis: -strides[axis])
    # Where an axis with one element lies is no matter: it stays where it is among those that have more.
    long = [axis for axis in order if sizes[axis] > 1]
    if long == sorted(long) or any(strides[axis] != math.prod(sizes[later] for later in long[place + 1:])
                                   for place, axis in enumerate(long)):
        return None
    places = iter(long)
    return [next(places) if sizes[axis] > 1 else axis for axis in range(len(sizes))]


def _numbers(values: Any) -> list[int] | None:
    """Extents as they were when the graph was traced; no guard comes of it."""
    found = []
    for value in values:
        number = value.node.hint if isinstance(value, torch.SymInt) else value
        if number is None:
            return None
        found.append(int(number))
    return found
