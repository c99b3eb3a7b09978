# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""What tracing leaves in a graph and no engine needs."""
from __future__ import annotations

import torch
from torch.fx import GraphModule

aten = torch.ops.aten
_CHECKS = {
    aten._assert_scalar.default, aten._assert_tensor_metadata.default, aten._assert_async.msg,
    aten._assert_async.default, aten.sym_constrain_range.default, aten.sym_constrain_range_for_size.default,
    torch._check, torch._check_is_size,
}
_SAME = {aten.alias.default, aten.detach.default, aten.lift_fresh_copy.default, aten.lift_fresh.default}


def clean(module: GraphModule) -> None:
    """Drops checks of what tracing assumed (the engine has its own), aliases between operators, and dead code. In
    place."""
    for node in list(module.graph.nodes):
        if node.op == "call_module" and str(node.target) == "_guards_fn":
            module.graph.erase_node(node)
        elif node.op == "call_function" and node.target in _CHECKS and not node.users:
            module.graph.erase_node(node)
        elif node.op == "get_attr" and "val" not in node.meta:
            node.meta["val"] = _attribute(module, str(node.target))
    for node in list(module.graph.nodes):
        if node.op == "call_function" and node.target in _SAME and len(node.args) == 1:
            source = node.args[0]
            # A result of its own must not be the input or the buffer itself.
            kept = [user for user in node.users if user.op == "output" or user.target == aten.copy_.default]
            if source.op == "call_function" or not kept:
                node.replace_all_uses_with(source)
                module.graph.erase_node(node)
    module.graph.eliminate_dead_code()
    module.recompile()


def _attribute(module: object, path: str) -> object:
    for part in path.split("."):
        module = getattr(module, part)
    return module
