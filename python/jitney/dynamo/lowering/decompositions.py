# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Which operators are broken up before conversion: all that have no converter and that PyTorch can break up."""
from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.export.exported_program import (_override_composite_implicit_decomp,
                                           _split_decomp_table_to_cia_and_python_decomp)
from torch.fx import GraphModule

from ..conversion import converters
from . import encoder_layer, recurrent

_TRANSFORMS = ("_grad_increment_nesting", "_jvp_increment_nesting")
Table = dict[Any, Callable[..., Any]]


def decompositions() -> Table:
    """Core ATen, without what is converted whole. For ExportedProgram.run_decompositions(); a new one each time."""
    table = torch.export.default_decompositions()
    table.update(encoder_layer.DECOMPOSITIONS)
    table.update(recurrent.DECOMPOSITIONS)
    for target in converters():
        table.pop(target, None)
    return table


@contextlib.contextmanager
def composites_kept_whole(graph: GraphModule | None = None) -> Iterator[Table]:
    """For tracing outside of torch.export: composite operators that decompositions() lacks are not traced into, and
    the result is the table for make_fx and AOTAutograd. All are traced into where `graph` differentiates: gradients are
    known of what they consist of."""
    composites, others = _split_decomp_table_to_cia_and_python_decomp(decompositions())
    with (contextlib.nullcontext() if graph is not None and _differentiates(graph)
          else _override_composite_implicit_decomp(composites)):
        yield others


def _differentiates(graph: GraphModule) -> bool:
    """Whether torch.func.grad and its kin are in a graph of Dynamo's, also in those that it calls."""
    return any(getattr(node.target, "__name__", "") in _TRANSFORMS
               for part in graph.modules() if isinstance(part, GraphModule) for node in part.graph.nodes
               if node.op == "call_function")
