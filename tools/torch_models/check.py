# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""One model compiled and compared with eager at several sizes."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

import jitney.dynamo

from .zoo import MODELS


@dataclass
class Result:
    """What one model came to. `flops_share` is of the operations that PyTorch counts, those in engines."""

    name: str
    engines: int
    operators: int
    stayed: list[str]
    flops_share: float
    cosine: float  # the least of all outputs and sizes
    steps: int  # kernels and library calls in one run


def cosine(a: torch.Tensor, b: torch.Tensor) -> float:
    a, b = a.double().flatten(), b.double().flatten()
    if not torch.isfinite(a).all():
        return 0.0
    return float(torch.nn.functional.cosine_similarity(a, b, dim=0)) if float(b.norm()) > 0 else 1.0


def _flops(module: Any, inputs: Any) -> int:
    with FlopCounterMode(display=False) as counter:
        module(*inputs)
    return counter.get_total_flops()


def check(name: str) -> Result:
    """Raises whatever compiling and running raise; says nothing of what is good enough."""
    torch.manual_seed(0)
    model = MODELS[name]()
    module = model.module.eval()
    with torch.no_grad():
        program = torch.export.export(module, model.inputs(*model.sizes[0]), dynamic_shapes=model.dynamic, strict=False)
        compiled = jitney.dynamo.compile(program)
        least = 1.0
        for size in model.sizes:
            inputs = model.inputs(*size)
            found, wanted = tree_leaves(compiled(*inputs)), tree_leaves(module(*inputs))
            assert len(found) == len(wanted)
            for a, b in zip(found, wanted):
                assert a.shape == b.shape and a.dtype == b.dtype, (a.shape, b.shape, a.dtype, b.dtype)
                least = min(least, cosine(a, b))
        whole, left = _flops(module, inputs), _flops(compiled, inputs)
    engines = [child for child_name, child in compiled.named_children() if child_name.startswith("_run_on_acc_")]
    stats = [engine.engine.stats() for engine in engines]
    stayed = sorted({f"{entry.operator} ({entry.reason})" for entry in compiled.report.stayed})
    return Result(name, len(engines), compiled.report.compiled, stayed, 1 - left / max(whole, 1), least,
                  sum(s["kernels"] + s["library_calls"] for s in stats))
