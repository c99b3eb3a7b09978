# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Outputs that are sequences in the model: an engine has their tensors as outputs of their own."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class OutputStructure:
    """How an engine's outputs become the model's: "- 3" says a tensor, and a sequence of three."""

    def __init__(self, metadata: Mapping[str, str], names: Sequence[str]) -> None:
        self._groups: list[tuple[str, int | None]] = []  # the model's name, and of how many a sequence is
        words = metadata.get("sequence_outputs", "").split()
        counts = [None if word == "-" else int(word) for word in words] or [None] * len(names)
        if sum(1 if count is None else count for count in counts) != len(names):
            raise ValueError(f"the engine's {len(names)} outputs are no '{' '.join(words)}'")
        at = 0
        for count in counts:
            self._groups.append((names[at] if count is None else names[at].removesuffix(".0"), count))
            at += 1 if count is None else count
        self.has_sequences = bool(words)

    def restore(self, values: Sequence[Any]) -> dict[str, Any]:
        """{name: array, or list of arrays}, in the model's order."""
        result: dict[str, Any] = {}
        at = 0
        for name, count in self._groups:
            result[name] = values[at] if count is None else list(values[at:at + count])
            at += 1 if count is None else count
        return result
