# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""How many bytes of weights stay in memory between the calls that read them."""
from __future__ import annotations

import warnings
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Generic, TypeVar

from ... import UserError
from ...engine import Engine
from ...runtime.targets import engines_of

T = TypeVar("T")


class WeightStreamingError(UserError, RuntimeError):
    """Of a module without weights that can be streamed, and of a budget below 0."""


class weight_streaming(Generic[T]):
    """`with weight_streaming(module) as context:` until the block ends, `context.device_budget` says how many bytes of
    the module's weights stay between the calls that read them, and may be set; then each engine has what it had before.

    What can be streamed are weights that a library reads in a layout of its own, on a CPU: those beyond the budget are
    packed anew for each call and go after it. Results are the same. WeightStreamingError, which is a RuntimeError and a
    ValueError, where there is nothing to stream.
    """

    def __init__(self, target: T) -> None:
        self._target: Any = target
        self._entered: list[list[tuple[Engine, int]]] = []

    def __enter__(self) -> weight_streaming[T]:
        engines = engines_of(self._target)
        if not sum(engine.streamable_weight_bytes for engine in engines):
            raise WeightStreamingError("weight_streaming() needs engines with streamable weights, and those of this module "
                                       f"have 0 streamable bytes: {[engine.name for engine in engines]}")
        self._entered.append([(engine, engine.weight_budget) for engine in engines])
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        for engine, before in self._entered.pop():
            if not engine._is_closed:
                engine.weight_budget = before

    @property
    def _engines(self) -> list[Engine]:
        if not self._entered:
            raise WeightStreamingError("a budget can be read and set inside of the `with` block only")
        return [engine for engine, _ in self._entered[-1]]

    @property
    def total_device_budget(self) -> int:
        """The bytes of all weights that can be streamed."""
        return sum(engine.streamable_weight_bytes for engine in self._engines)

    @property
    def device_budget(self) -> int:
        """How many of them stay."""
        return sum(engine.weight_budget for engine in self._engines)

    @device_budget.setter
    def device_budget(self, budget: int) -> None:
        if not isinstance(budget, int) or isinstance(budget, bool):
            raise TypeError(f"device_budget must be an int, found {type(budget).__name__}")
        if budget < 0:
            raise WeightStreamingError(f"device_budget must be 0 bytes or more, found {budget}")
        total = self.total_device_budget
        if budget > total:
            warnings.warn(f"device_budget {budget} is more than the {total} bytes that can be streamed: it is {total} now",
                          stacklevel=2)
            budget = total
        engines = self._engines
        for engine, share in zip(engines, split(budget, [engine.streamable_weight_bytes for engine in engines])):
            engine.weight_budget = share

    def get_automatic_weight_streaming_budget(self) -> int:
        """What this machine has room for; sets nothing."""
        return sum(engine.automatic_weight_budget for engine in self._engines)


def split(budget: int, sizes: Sequence[int]) -> list[int]:
    """In proportion to the sizes, to the byte: the shares' sum is the budget, and none is larger than its size."""
    total, given, passed = sum(sizes), 0, 0
    shares = []
    for size in sizes:
        passed += size
        share = budget * passed // total - given
        given += share
        shares.append(share)
    return shares
