# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Graph modules with engines in them."""
from __future__ import annotations

from typing import Any

import torch
from torch.fx import GraphModule

from ...runtime.settings import RuntimeSettings
from ...runtime.targets import engines_of
from .module import JitneyModule


class CompiledModule:
    """What a compiled GraphModule is besides: `runtime_settings` of every engine inside at once. Kept by copies and
    pickles, as far as modules keep settings."""

    @property
    def runtime_settings(self) -> RuntimeSettings:
        """Of all engines; RuntimeError that lists them when they differ."""
        found = {engine.name: engine.runtime_settings for engine in engines_of(self)}
        if not found:
            raise RuntimeError("there is no engine in this module, and so there are no runtime settings")
        first, *others = found.values()
        if any(other != first for other in others):
            each = "; ".join(f"'{name}': {settings.to_str()}".replace("\n", ", ") for name, settings in found.items())
            raise RuntimeError(f"the engines of this module have different runtime settings: {each}")
        return first

    @runtime_settings.setter
    def runtime_settings(self, settings: RuntimeSettings) -> None:
        for module in self.modules():  # type: ignore[attr-defined]
            if isinstance(module, JitneyModule):
                module.runtime_settings = settings

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return compiled(super().__deepcopy__(memo))  # type: ignore[misc]

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (super().__reduce__(),)


def compiled(module: GraphModule) -> GraphModule:
    """The module itself, with what CompiledModule adds. Each GraphModule has a class of its own, so nobody else's
    changes."""
    if not isinstance(module, CompiledModule):
        own = type(module)
        module.__class__ = type(own.__name__, (CompiledModule, own), {})
    return module


def _rebuild(reduced: tuple[Any, ...]) -> GraphModule:
    module = reduced[0](*reduced[1])
    if len(reduced) > 2 and reduced[2] is not None:
        module.__setstate__(reduced[2])
    return compiled(module)


_OPERATORS = ("execute_record", "execute_engine")


def with_modules(module: GraphModule) -> GraphModule:
    """Operators that run engines, as torch.export writes them, become children _run_on_acc_N again. Changes the module."""
    from . import operators

    made: dict[Any, str] = {}
    for node in list(module.graph.nodes):
        if node.op != "call_function" or getattr(node.target, "namespace", "") != "jitney" or \
                node.target._schema.name.removeprefix("jitney::") not in _OPERATORS:
            continue
        inputs, constant = node.args[0], node.args[1]
        value: Any = module
        for part in constant.target.split("."):
            value = getattr(value, part)
        if constant.target not in made:
            child = JitneyModule()
            child._take(operators.engine_of_record(value) if isinstance(value, torch.Tensor)
                        else operators.engine_of_handle(value))
            made[constant.target] = f"_run_on_acc_{len(made)}"
            module.add_submodule(made[constant.target], child)
        bound = module.get_submodule(made[constant.target]).bound
        with module.graph.inserting_before(node):
            call = module.graph.call_module(made[constant.target], tuple(inputs))
            call.meta = dict(node.meta)
        if len(bound.shown_outputs) == 1:
            for user in list(node.users):
                user.replace_all_uses_with(call)
                module.graph.erase_node(user)
        node.replace_all_uses_with(call)
        module.graph.erase_node(node)
    module.graph.eliminate_dead_code()
    module.delete_all_unused_submodules()
    for target in made:
        holder, _, name = target.rpartition(".")
        owner = module.get_submodule(holder)
        if not any(node.op == "get_attr" and node.target == target for node in module.graph.nodes) and hasattr(owner, name):
            delattr(owner, name)
    module.recompile()
    return compiled(module)

