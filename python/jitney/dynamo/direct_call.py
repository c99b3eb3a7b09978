# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""A compiled graph as a plain function: what AOTAutograd and modules wrap around it costs more than a small engine."""
from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch._functorch._aot_autograd.schemas import OutputType, PlainTensorMeta, ViewAndMutationMeta
from torch.fx import GraphModule, Node

from .lowering.results import is_of_result
from .runtime import JitneyModule

_AS_GIVEN = (OutputType.non_alias, OutputType.unsafe_view_alias)


def is_function(metadata: ViewAndMutationMeta) -> bool:
    """Whether a graph's outputs are what its function gives and nothing else happens: no input is written, no output
    shares memory with an input or with another, no subclasses, no ordered effects, and no autocast to switch off."""
    if metadata.tokens or metadata.num_intermediate_bases or torch._C._is_any_autocast_enabled():
        return False
    return (not any(info.mutates_data or info.mutates_metadata for info in metadata.input_info)
            and all(info.output_type in _AS_GIVEN for info in metadata.output_info)
            and all(isinstance(meta, PlainTensorMeta) for meta in metadata.subclass_inp_meta))


def as_function(module: GraphModule, kept: Sequence[int]) -> Callable[..., Sequence[Any]]:
    """`module` of the inputs numbered `kept`, as a function of all of them."""
    alone = _engine_alone(module, kept)
    if alone is None:
        pick, forward = picker(kept), module.forward
        return lambda *values: forward(*pick(values))
    engine, taken, given = alone
    pick = picker(taken)
    is_one = len(engine.output_binding_names) == 1
    if any(order is not None for _, order in given):
        def permuted(*values: Any) -> Sequence[Any]:
            results = engine.forward(*pick(values))
            results = (results,) if is_one else results
            return tuple(results[i] if order is None else results[i].permute(order) for i, order in given)
        return permuted
    if is_one:
        return lambda *values: (engine.forward(*pick(values)),) * len(given)
    choose = picker([i for i, _ in given])
    return lambda *values: choose(engine.forward(*pick(values)))


def picker(places: Sequence[int]) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    """The values at these places."""
    if len(places) > 1:
        return operator.itemgetter(*places)
    if not places:
        return lambda values: ()
    place = places[0]
    return lambda values: (values[place],)


_Given = list[tuple[int, list[int] | None]]


def _engine_alone(module: GraphModule, kept: Sequence[int]) -> tuple[JitneyModule, list[int], _Given] | None:
    """Where all of a graph is one engine: that, its inputs' places among all, its outputs' places among its own and the
    order of their axes where it is another one."""
    places: dict[Node, int] = {}
    call: Node | None = None
    picked: dict[Node, int] = {}
    orders: dict[Node, tuple[Node, list[int]]] = {}
    for node in module.graph.nodes:
        if node.op == "placeholder":
            places[node] = kept[len(places)]
        elif node.op == "call_module" and call is None:
            call = node
        elif node.op == "call_function" and node.target is operator.getitem and node.args[0] is call:
            picked[node] = node.args[1]
        elif node.target == torch.ops.aten.permute.default and is_of_result(node):
            orders[node] = node.args
        elif node.op != "output":
            return None
    results = module.graph.output_node().args[0]
    if call is None or not isinstance(results, (tuple, list)) or call.kwargs:
        return None
    engine = module.get_submodule(str(call.target))
    if not isinstance(engine, JitneyModule) or any(value not in places for value in call.args):
        return None
    if len(engine.output_binding_names) == 1:
        picked = {call: 0}
    from_engine = [orders.get(result, (result, None)) for result in results]
    if any(result not in picked for result, _ in from_engine):
        return None
    return engine, [places[value] for value in call.args], [(picked[result], order) for result, order in from_engine]
