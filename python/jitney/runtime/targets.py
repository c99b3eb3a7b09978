# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Which engines a scope is about."""
from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..engine import Engine

Target = Any  # an Engine, a list or tuple of targets, an object with modules() or _jitney_engines_()


def engines_of(target: Target) -> tuple[Engine, ...]:
    """The engines under a target, each once, in the order in which they are found.

    A target is a list or tuple of targets; an object with `_jitney_engines_()`, which gives the engines that it is or
    holds itself (an Engine gives itself); or an object with `modules()` (a torch.nn.Module: it gives itself and its
    submodules at any depth), of which those with `_jitney_engines_()` count. TypeError for anything else.
    """
    found: dict[int, Engine] = {}
    for engine in _walk(target):
        found.setdefault(id(engine), engine)
    return tuple(found.values())


def _walk(target: Target) -> Iterator[Engine]:
    if isinstance(target, (list, tuple)):
        for each in target:
            yield from _walk(each)
    elif callable(getattr(target, "modules", None)):
        for module in target.modules():
            yield from _own(module)
    elif hasattr(target, "_jitney_engines_"):
        yield from _own(target)
    else:
        raise TypeError(f"a target is an Engine, a module, or a list or tuple of these, found {type(target).__name__}")


def _own(module: object) -> Iterable[Engine]:
    own = getattr(module, "_jitney_engines_", None)
    return own() if own is not None else ()
