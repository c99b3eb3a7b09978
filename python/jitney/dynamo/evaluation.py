# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Models as they run after eval(), for as long as they are traced."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def evaluating(module: torch.nn.Module) -> Iterator[torch.nn.Module]:
    """The module in evaluation mode. Afterwards each of its modules is in the mode that it was in: some may be frozen
    while others train."""
    before = [(each, each.training) for each in module.modules()]
    module.eval()
    try:
        yield module
    finally:
        for each, training in before:
            each.training = training
