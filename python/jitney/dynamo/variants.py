# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""A graph whose weights are constants of its engines, for each set of weights that it is called with."""
from __future__ import annotations

import copy
import logging
import operator
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch._subclasses.fake_tensor import unset_fake_temporarily
from torch.fx import GraphModule

from .compiler import compile_graph
from .direct_call import as_function, picker
from .runtime import library
from .settings import CompilationSettings

_logger = logging.getLogger("jitney.dynamo")
_MOST_VARIANTS = 8  # sets of weights that one graph is compiled for
_version_of = operator.attrgetter("_version")
_pointer_of = torch.Tensor.data_ptr


class Variants:
    """A functional graph whose first inputs are weights: compiled for each set of them, and anew when one was written.
    Safe to call from many threads; two that bring new weights at once both compile."""

    def __init__(self, graph: GraphModule, weights: Sequence[torch.Tensor], written: Iterable[int], places: Sequence[int],
                 settings: CompilationSettings) -> None:
        """weights: of the first call. written: numbers of those that the graph itself writes, which stay inputs.
        places: where each input of the graph is among the values that run() gets."""
        self._graph, self._places, self._settings = graph, list(places), settings
        self._frozen = [i for i in range(len(weights)) if i not in set(written)]
        self._weight_places = [self._places[i] for i in self._frozen]
        self._made = [self._compile(tuple(weights[i] for i in self._frozen))]

    def run(self, *values: Any) -> Sequence[Any]:
        for variant in self._made:
            if variant.is_for(values):
                return variant.function(*values)
        if len(self._made) >= _MOST_VARIANTS:
            warnings.warn(f"jitney: a graph was called with more than {_MOST_VARIANTS} sets of weights; the rest runs "
                          f"in PyTorch", stacklevel=2)
            return self._graph(*[values[place] for place in self._places])
        made = self._compile(tuple(values[place] for place in self._weight_places))
        self._made.append(made)
        return made.function(*values)

    def _compile(self, weights: tuple[torch.Tensor, ...]) -> _Variant:
        # Versions first: what is written while it compiles is another set.
        variant = _Variant(weights, self._weight_places)
        with unset_fake_temporarily(), torch.no_grad():
            graph = copy.deepcopy(self._graph)
            kept = _freeze(graph, {i: weight.detach() for i, weight in zip(self._frozen, weights)})
            result, report = compile_graph(graph, self._settings)
        _logger.info("%s", report)
        variant.function = as_function(result, [self._places[i] for i in kept])
        return variant


class _Variant:
    """What was compiled for these weights, while they hold what they held."""

    function: Callable[..., Sequence[Any]]

    def __init__(self, weights: tuple[torch.Tensor, ...], places: Sequence[int]) -> None:
        with unset_fake_temporarily(), torch.no_grad():
            calls = library.calls()
            kept = _Weights(weights, places) if calls is None else calls.Weights(weights, places)
        self._weights = weights  # which are told from others by being the same objects
        self.is_for: Callable[[tuple[Any, ...]], bool] = kept.are_in


class _Weights:
    """jitney._torch_calls.Weights where that module is not."""

    def __init__(self, weights: tuple[torch.Tensor, ...], places: Sequence[int]) -> None:
        self._weights, self._pick = weights, picker(places)
        self._memory = [weight.detach() for weight in weights]  # which nobody else gets while it is looked for
        self._versions = self._sum_of_versions()
        self._pointers = tuple(map(_pointer_of, weights))

    def are_in(self, values: tuple[Any, ...]) -> bool:
        # For each call and each weight, so in C. Versions only grow: an equal sum means that all are equal. A parameter
        # that was given other `data` has its old version, in another place.
        return (all(map(operator.is_, self._pick(values), self._weights)) and self._sum_of_versions() == self._versions
                and tuple(map(_pointer_of, self._weights)) == self._pointers)

    def _sum_of_versions(self) -> int:
        return sum(map(_version_of, self._weights))


def _freeze(graph: GraphModule, constants: dict[int, torch.Tensor]) -> list[int]:
    """Placeholders with a constant become attributes. Which ones are left."""
    kept = []
    for i, node in enumerate(graph.graph.find_nodes(op="placeholder")):
        if i not in constants:
            kept.append(i)
            continue
        name = f"_frozen_{i}"
        graph.register_buffer(name, constants[i])
        with graph.graph.inserting_after(node):
            attribute = graph.graph.get_attr(name)
        attribute.meta = dict(node.meta)
        node.replace_all_uses_with(attribute)
        graph.graph.erase_node(node)
    # Attributes may stand between placeholders, which must come first.
    first = next((node for node in graph.graph.nodes if node.op not in ("placeholder",)), None)
    for node in reversed(graph.graph.find_nodes(op="placeholder")):
        if first is not None:
            first.prepend(node)
            first = node
    graph.recompile()
    return kept
