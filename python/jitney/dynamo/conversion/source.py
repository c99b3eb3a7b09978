# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""What to call a node in a message: its operator and the line of the program that it comes from."""
from __future__ import annotations

import re
from typing import Any

import torch
from torch.fx import Node

_FRAME = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+), in (?P<function>\S+)')


def operator_name(target: Any) -> str:
    """"aten.add.Tensor", or a function's name."""
    if isinstance(target, torch._ops.OpOverload):
        return str(target)
    return getattr(target, "__name__", str(target))


def source_line(node: Node) -> str:
    """"model.py:12" of the innermost line of the program, "" where it is not known."""
    frames = _FRAME.findall(node.meta.get("stack_trace") or node.stack_trace or "")
    return f"{frames[-1][0]}:{frames[-1][1]}" if frames else ""


def describe(node: Node) -> str:
    line = source_line(node)
    return f"operator '{operator_name(node.target)}' ('{node.name}'{' at ' + line if line else ''})"
