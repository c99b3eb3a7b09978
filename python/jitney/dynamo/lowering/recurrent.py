# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""nn.LSTM broken up, with the states that eager gives: PyTorch's own decomposition leaves an axis too many in them
wherever a batch has not exactly one sequence."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch._decomp import decomposition_table

aten = torch.ops.aten


def _lstm(input: torch.Tensor, hx: Sequence[torch.Tensor], *rest: Any) -> tuple[torch.Tensor, ...]:
    out, h, c = decomposition_table[aten.lstm.input](input, hx, *rest)
    return out, h.reshape(hx[0].shape), c.reshape(hx[1].shape)


DECOMPOSITIONS: dict[Any, Callable[..., Any]] = {aten.lstm.input: _lstm}
