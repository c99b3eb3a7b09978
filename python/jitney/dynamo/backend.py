# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""torch.compile(model, backend="jitney", options={...})."""
from __future__ import annotations

import logging
import operator
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch._functorch.config
from functorch.compile import make_boxed_func
from torch._functorch.aot_autograd import aot_module_simplified
from torch._guards import TracingContext
from torch._subclasses.fake_tensor import unset_fake_temporarily
from torch.fx import GraphModule, Node

from .compiler import compile_graph
from .conversion import ConversionError
from .direct_call import as_function, is_function, picker
from .lowering.decompositions import composites_kept_whole
from .settings import CompilationSettings

_logger = logging.getLogger("jitney.dynamo")
_MOST_VARIANTS = 8  # sets of weights that one graph is compiled for
_version_of = operator.attrgetter("_version")


def jitney_backend(module: GraphModule, inputs: Sequence[Any], *, options: dict[str, Any] | None = None,
                   **keywords: Any) -> Callable[..., Any]:
    """A Dynamo graph as engines and PyTorch parts. Parameters and buffers become constants of the engines; when other
    ones come, or new values in them, the graph is compiled for those too. A graph whose inputs require gradients stays
    in PyTorch, with a warning."""
    settings = CompilationSettings.of({**(options or {}), **keywords})
    if torch.is_grad_enabled() and any(_wants_gradient(value) for value in inputs):
        message = "an input of the graph requires a gradient, which engines do not have"
        if settings.require_full_compilation:
            raise ValueError(f"{message}; call the model under torch.no_grad()")
        warnings.warn(f"jitney: {message}: the graph stays in PyTorch", stacklevel=2)
        return module.forward
    # A method rather than the object: Dynamo wraps what is no function of Python once more.
    return _Variants(module, list(inputs), settings).run


def _wants_gradient(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.requires_grad and not isinstance(value, torch.nn.Parameter)


class _Variants:
    """One Dynamo graph, compiled for each set of weights that it is called with."""

    def __init__(self, module: GraphModule, inputs: list[Any], settings: CompilationSettings) -> None:
        self._module, self._settings = module, settings
        nodes = module.graph.find_nodes(op="placeholder")
        self._static = [i for i, (node, value) in enumerate(zip(nodes, inputs)) if _is_static(node, value)]
        self._pick_static = picker(self._static)
        self._made: list[_Variant] = []
        self._changing: set[int] = set()  # static inputs that the graph itself writes
        self._add(inputs)

    def run(self, *inputs: Any) -> Any:
        static = self._pick_static(inputs)
        for variant in self._made:
            if variant.is_for(static):
                return variant.compiled(*inputs)
        if len(self._made) >= _MOST_VARIANTS:
            warnings.warn(f"jitney: a graph was called with more than {_MOST_VARIANTS} sets of weights; the rest runs "
                          f"in PyTorch", stacklevel=2)
            return self._module(*inputs)
        return self._add(list(inputs))(*inputs)

    def _add(self, inputs: list[Any]) -> Callable[..., Any]:
        static = self._pick_static(inputs)
        compiled, written = _compile(self._module, inputs, self._static, self._settings)
        self._changing |= {self._static[i] for i in written}
        unchanging = [tensor for i, tensor in zip(self._static, static) if i not in self._changing]
        self._made.append(_Variant(static, unchanging, compiled))
        return compiled


class _Variant:
    """What was compiled for these weights, while they hold what they held."""

    def __init__(self, static: tuple[Any, ...], unchanging: list[torch.Tensor], compiled: Callable[..., Any]) -> None:
        self.compiled = compiled
        self._static = static
        # Those of inference mode count no versions, and cannot be written outside it.
        self._watched = [tensor for tensor in unchanging if not tensor.is_inference()]
        self._versions = self._sum_of_versions()

    def is_for(self, static: tuple[Any, ...]) -> bool:
        # For each call and each weight, so in C. Versions only grow: an equal sum means that all are equal.
        return all(map(operator.is_, static, self._static)) and self._sum_of_versions() == self._versions

    def _sum_of_versions(self) -> int:
        return sum(map(_version_of, self._watched))


def _is_static(node: Node, value: Any) -> bool:
    """Parameters and buffers of the model."""
    if isinstance(value, torch.nn.Parameter):
        return True
    kept = node.meta.get("tensor_dict") or {}
    return isinstance(value, torch.Tensor) and bool(kept.get("_dynamo_static_input_type"))


def _compile(module: GraphModule, inputs: list[Any], static: list[int], settings: CompilationSettings) \
        -> tuple[Callable[..., Any], list[int]]:
    """A function of the graph's inputs, and which of the static ones it writes."""
    order = [*static, *(i for i in range(len(inputs)) if i not in set(static))]
    nodes = module.graph.find_nodes(op="placeholder")
    reordered = _reorder(module, [nodes[i] for i in order])
    count = len(static)
    written: list[int] = []
    plain: list[Callable[..., Any]] = []  # the same without what AOTAutograd does around it, where that is nothing
    constants = [value.detach() if isinstance(value, torch.Tensor) else value for value in (inputs[i] for i in static)]

    def compiler(graph: GraphModule, examples: Sequence[Any]) -> Callable[..., Any]:
        context = TracingContext.try_get()
        metadata = context.fw_metadata if context is not None else None
        infos = metadata.input_info if metadata is not None else []
        mutated = {i for i, info in enumerate(infos) if info.mutates_data or info.mutates_metadata}
        written.extend(i for i in range(count) if i in mutated)
        is_whole = len(examples) == len(order) and is_function(metadata)
        frozen = {i: constants[i] for i in range(count) if i not in mutated and isinstance(constants[i], torch.Tensor)}
        kept = _freeze(graph, frozen)
        with unset_fake_temporarily():
            result, report = compile_graph(graph, settings)
        _logger.info("%s", report)
        if is_whole and not settings.dryrun:
            plain.append(as_function(result, [order[i] for i in kept]))

        def run(*values: Any) -> Any:
            return result(*[values[i] for i in kept])

        return make_boxed_func(run)

    examples = [_example(inputs[i]) for i in order]
    # Engines of a model that is compiled once more are ordered by tokens: made in the graph, which would else have them
    # as inputs in front of its own.
    with torch.no_grad(), composites_kept_whole() as table, torch._functorch.config.patch(unlift_effect_tokens=True):
        compiled = aot_module_simplified(reordered, examples, fw_compiler=compiler, inference_compiler=compiler,
                                         bw_compiler=compiler, decompositions=table)

    def call(*values: Any) -> Any:
        with torch.no_grad():
            return compiled(*[values[i] for i in order])

    return plain[0] if len(plain) == 1 else call, written


def _example(value: Any) -> Any:
    """What is traced in a value's place. Dynamo knows parameters themselves, not what is detached from them: without
    its shapes being said to be fixed they would become symbols that come from nowhere."""
    if not isinstance(value, torch.nn.Parameter):
        return value
    context = TracingContext.try_get()
    mode = context.fake_mode if context is not None else None
    return value.detach() if mode is None else mode.from_tensor(value.detach(), static_shapes=True)


def _reorder(module: GraphModule, order: list[Node]) -> GraphModule:
    """The graph with its placeholders in another order."""
    graph = torch.fx.Graph()
    values = {node: graph.node_copy(node) for node in order}
    for node in module.graph.nodes:
        if node.op != "placeholder":
            values[node] = graph.node_copy(node, values.__getitem__)
    return GraphModule(module, graph)


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


__all__ = ["ConversionError", "jitney_backend"]
