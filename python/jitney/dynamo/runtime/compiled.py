# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Graph modules with engines in them."""
from __future__ import annotations

from typing import Any

import torch
from torch.fx import GraphModule

from ...runtime.settings import RuntimeSettings
from ...runtime.targets import engines_of
from . import operators
from .module import JitneyModule


def compiled(module: GraphModule) -> GraphModule:
    """The module itself, with a property `runtime_settings`: of every engine inside at once. Each GraphModule has a class
    of its own, so nobody else's changes. Copies and pickles have it, too; engines keep settings as modules do."""
    own: Any = type(module)
    if "_jitney_compiled" in own.__dict__:
        return module
    own._jitney_compiled = True
    own.runtime_settings = property(_settings_of, _set_settings_of)
    own.__deepcopy__ = lambda self, memo: compiled(GraphModule.__deepcopy__(self, memo))
    own.__reduce__ = lambda self: (_rebuild, (GraphModule.__reduce__(self),))
    return module


def _settings_of(module: GraphModule) -> RuntimeSettings:
    """Of all engines; RuntimeError that lists them when they differ."""
    found = {engine.name: engine.runtime_settings for engine in engines_of(module)}
    if not found:
        raise RuntimeError("there is no engine in this module, and so there are no runtime settings")
    first, *others = found.values()
    if any(other != first for other in others):
        each = "; ".join(f"'{name}': {settings.to_str()}".replace("\n", ", ") for name, settings in found.items())
        raise RuntimeError(f"the engines of this module have different runtime settings: {each}")
    return first


def _set_settings_of(module: GraphModule, settings: RuntimeSettings) -> None:
    for child in module.modules():
        if isinstance(child, JitneyModule):
            child.runtime_settings = settings


def _rebuild(reduced: tuple[Any, ...]) -> GraphModule:
    return compiled(reduced[0](*reduced[1]))


_OPERATORS = ("jitney::execute_record", "jitney::execute_engine")


def _calls(module: GraphModule) -> list[Any]:
    return [node for node in module.graph.nodes if node.op == "call_function"
            and isinstance(node.target, torch._ops.OpOverload) and node.target._schema.name in _OPERATORS]


def with_modules(module: GraphModule) -> GraphModule:
    """Operators that run engines, as torch.export writes them, become children _run_on_acc_N again. Changes the module."""
    children: dict[str, JitneyModule] = {}
    for node in _calls(module):
        constant = node.args[1]
        child = children.setdefault(constant.target, JitneyModule())
        if child._bound is None:
            owner, _, attribute = constant.target.rpartition(".")
            value = getattr(module.get_submodule(owner), attribute)
            child._take(operators.engine_of_record(value) if isinstance(value, torch.Tensor)
                        else operators.engine_of_handle(value))
        name = f"_run_on_acc_{list(children).index(constant.target)}"
        with module.graph.inserting_before(node):
            call = module.graph.create_node("call_module", name, tuple(node.args[0]))
            call.meta = dict(node.meta)
        if len(child.bound.shown_outputs) == 1:  # a module gives a single output itself
            for user in list(node.users):
                user.replace_all_uses_with(call)
                module.graph.erase_node(user)
        node.replace_all_uses_with(call)
        module.graph.erase_node(node)
        if not constant.users:
            module.graph.erase_node(constant)
    for target in children:
        owner, _, attribute = target.rpartition(".")
        delattr(module.get_submodule(owner), attribute)
    for index, child in enumerate(children.values()):
        module.add_submodule(f"_run_on_acc_{index}", child)
    module.delete_all_unused_submodules()
    module.recompile()
    return compiled(module)
