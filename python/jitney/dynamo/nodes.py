# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""What a node of an FX graph is, by what tracing says of it."""
from __future__ import annotations

import torch
from torch.fx import Node


def is_number(node: Node) -> bool:
    """Whether it gives a number, known or symbolic, rather than tensors."""
    return isinstance(node.meta.get("val"), (int, float, bool, torch.SymInt, torch.SymFloat, torch.SymBool))


def is_view(node: Node) -> bool:
    """Whether it moves no data, by PyTorch's own word for its operator."""
    if not isinstance(node.target, torch._ops.OpOverload):
        return False
    schema = node.target._schema
    given = schema.arguments[0].alias_info if schema.arguments else None
    return (len(schema.returns) == 1 and given is not None and not given.is_write
            and schema.returns[0].alias_info is not None)
