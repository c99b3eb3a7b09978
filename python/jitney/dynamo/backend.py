# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""torch.compile(model, backend="jitney", options={...})."""
from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import torch
import torch._functorch.config
from functorch.compile import make_boxed_func
from torch._functorch.aot_autograd import aot_module_simplified
from torch._guards import TracingContext, tracing
from torch.fx import GraphModule, Node

from .conversion import ConversionError
from .direct_call import is_function
from .lowering.decompositions import composites_kept_whole
from .settings import CompilationSettings
from .variants import Variants


def jitney_backend(module: GraphModule, inputs: Sequence[Any], *, options: dict[str, Any] | None = None,
                   **keywords: Any) -> Callable[..., Any]:
    """A Dynamo graph as engines and PyTorch parts. Parameters and buffers become constants of the engines; when other
    ones come, or new values in them, the graph is compiled for those too. A graph whose inputs require gradients stays
    in PyTorch, with a warning; one whose parameters alone do becomes engines, with a warning that outputs have none."""
    settings = CompilationSettings.of({**(options or {}), **keywords})
    if torch.is_grad_enabled() and any(_wants_gradient(value) for value in inputs):
        message = "an input of the graph requires a gradient, which engines do not have"
        if settings.require_full_compilation:
            raise ValueError(f"{message}; call the model under torch.no_grad()")
        warnings.warn(f"jitney: {message}: the graph stays in PyTorch", stacklevel=2)
        return module.forward
    if torch.is_grad_enabled() and any(isinstance(value, torch.nn.Parameter) and value.requires_grad for value in inputs):
        warnings.warn("jitney: parameters require gradients, and outputs of engines have none; call the model under "
                      "torch.no_grad() or torch.inference_mode(), or train it without Jitney", stacklevel=2)
    return _compile(module, list(inputs), settings)


def _wants_gradient(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.requires_grad and not isinstance(value, torch.nn.Parameter)


def _is_static(node: Node, value: Any) -> bool:
    """Parameters and buffers of the model, which become constants. Not those that were made in inference mode: they count
    no versions, so that nobody sees when they are written."""
    if not isinstance(value, torch.Tensor) or value.is_inference() or value.layout != torch.strided:
        return False
    kept = node.meta.get("tensor_dict") or {}
    return isinstance(value, torch.nn.Parameter) or bool(kept.get("_dynamo_static_input_type"))


def _compile(module: GraphModule, inputs: list[Any], settings: CompilationSettings) -> Callable[..., Any]:
    """The Dynamo graph as a function of its inputs."""
    nodes = module.graph.find_nodes(op="placeholder")
    static = [i for i, (node, value) in enumerate(zip(nodes, inputs)) if _is_static(node, value)]
    order = [*static, *(i for i in range(len(inputs)) if i not in set(static))]
    reordered = _reorder(module, [nodes[i] for i in order])
    whole: list[Variants] = []  # in place of what AOTAutograd does around the graph, where that is nothing

    def compiler(graph: GraphModule, examples: Sequence[Any]) -> Callable[..., Any]:
        metadata = TracingContext.get().fw_metadata
        infos = metadata.input_info
        written = [i for i in range(len(static)) if infos[i].mutates_data or infos[i].mutates_metadata]
        weights = [inputs[i] for i in static]
        if len(examples) == len(order) and is_function(metadata):
            whole.append(Variants(graph, weights, written, order, settings))
            return make_boxed_func(graph.forward)  # nobody calls it
        return make_boxed_func(Variants(graph, weights, written, range(len(examples)), settings).run)

    # AOTAutograd says there what the graph writes. Dynamo has one, and cleans up after it itself.
    with nullcontext() if TracingContext.try_get() is not None else tracing(TracingContext(None)):
        context = TracingContext.get()
        examples = [_example(inputs[i], context) for i in order]
        # Engines of a model that is compiled once more are ordered by tokens: made in the graph, which would else have
        # them as inputs in front of its own.
        # In the mode of the caller, for which the graph was made: torch.func.grad in it turns nothing on by itself. No
        # example requires gradients.
        with composites_kept_whole(module) as table, torch._functorch.config.patch(unlift_effect_tokens=True):
            compiled = aot_module_simplified(reordered, examples, fw_compiler=compiler, inference_compiler=compiler,
                                             bw_compiler=compiler, decompositions=table)
    if len(whole) == 1:
        # A method rather than the object: Dynamo wraps what is no function of Python once more.
        return whole[0].run

    def call(*values: Any) -> Any:
        with torch.no_grad():
            return compiled(*[values[i] for i in order])

    return call


def _example(value: Any, context: TracingContext) -> Any:
    """What is traced in a value's place. Dynamo knows parameters themselves, not what is detached from them: without
    its shapes being said to be fixed they would become symbols that come from nowhere."""
    if not isinstance(value, torch.nn.Parameter):
        return value
    mode = context.fake_mode
    return value.detach() if mode is None else mode.from_tensor(value.detach(), static_shapes=True)


def _reorder(module: GraphModule, order: list[Node]) -> GraphModule:
    """The graph with its placeholders in another order."""
    graph = torch.fx.Graph()
    values = {node: graph.node_copy(node) for node in order}
    for node in module.graph.nodes:
        if node.op != "placeholder":
            values[node] = graph.node_copy(node, values.__getitem__)
    return GraphModule(module, graph)


__all__ = ["ConversionError", "jitney_backend"]
