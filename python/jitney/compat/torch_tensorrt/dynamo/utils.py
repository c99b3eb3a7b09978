# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""What programs and tests compare results with."""
from __future__ import annotations

from typing import Any

import torch

COSINE_THRESHOLD = 0.99
DYNAMIC_DIM = -1


def cosine_similarity(expected: torch.Tensor, found: torch.Tensor) -> float:
    """Of two tensors as vectors, in float64: 1 where they point the same way. Two that are all zero agree; where only
    one is, or something is not finite in one place only, they do not."""
    a, b = expected.detach().double().flatten().cpu(), found.detach().double().flatten().cpu()
    if a.numel() != b.numel() or not torch.equal(torch.isfinite(a), torch.isfinite(b)):
        return 0.0
    finite = torch.isfinite(a)
    if not torch.equal(a[~finite].nan_to_num(3.0, 1.0, 2.0), b[~finite].nan_to_num(3.0, 1.0, 2.0)):
        return 0.0
    a, b = a[finite], b[finite]
    norms = float(a.norm()), float(b.norm())
    if norms[0] == 0 or norms[1] == 0:
        return 1.0 if norms[0] == norms[1] else 0.0
    return float((a / norms[0]).dot(b / norms[1]))


def check_output_equal(expected: Any, found: Any, rtol: float = 1e-3, atol: float = 1e-3) -> bool:
    """Whether two results have the same structure and close numbers."""
    if isinstance(expected, torch.Tensor):
        return (isinstance(found, torch.Tensor) and expected.shape == found.shape and expected.dtype == found.dtype
                and torch.allclose(expected.cpu(), found.cpu(), rtol=rtol, atol=atol, equal_nan=True))
    if isinstance(expected, dict):
        return (isinstance(found, dict) and expected.keys() == found.keys()
                and all(check_output_equal(expected[key], found[key], rtol, atol) for key in expected))
    if isinstance(expected, (list, tuple)):
        return (isinstance(found, (list, tuple)) and len(expected) == len(found)
                and all(check_output_equal(a, b, rtol, atol) for a, b in zip(expected, found)))
    return bool(expected == found)


def prepare_inputs(inputs: Any) -> Any:
    """Tensors become Inputs of their shape and dtype, at any depth."""
    from .... import Input

    if isinstance(inputs, (list, tuple)):
        return type(inputs)(prepare_inputs(each) for each in inputs)
    if isinstance(inputs, dict):
        return {key: prepare_inputs(each) for key, each in inputs.items()}
    if isinstance(inputs, torch.Tensor):
        return Input(tuple(inputs.shape), dtype=inputs.dtype)
    return inputs
