# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Which operators are broken up before conversion: all that have no converter and that PyTorch can break up."""
from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.export.exported_program import (_override_composite_implicit_decomp,
                                           _split_decomp_table_to_cia_and_python_decomp)

from ..conversion import converters
from . import encoder_layer

Table = dict[Any, Callable[..., Any]]


def decompositions() -> Table:
    """Core ATen, without what is converted whole. For ExportedProgram.run_decompositions(); a new one each time."""
    table = torch.export.default_decompositions()
    table.update(encoder_layer.DECOMPOSITIONS)
    for target in converters():
        table.pop(target, None)
    return table


@contextlib.contextmanager
def composites_kept_whole() -> Iterator[Table]:
    """For tracing outside of torch.export: composite operators that decompositions() lacks are not traced into, and
    the result is the table for make_fx and AOTAutograd."""
    composites, others = _split_decomp_table_to_cia_and_python_decomp(decompositions())
    with _override_composite_implicit_decomp(composites):
        yield others
