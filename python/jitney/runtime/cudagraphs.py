# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""CUDA graphs for a while: the mode of the process, and a scope for one model."""
from __future__ import annotations

import enum
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from .. import _jitney
from .config_scope import set_cuda_graph_strategy
from .targets import Target, engines_of


class CudaGraphsMode(enum.IntEnum):
    """How this process uses CUDA graphs beyond what the settings of single engines say."""

    STANDARD = 0  # each engine does what its settings say
    SUBGRAPH_CUDAGRAPHS = 1  # every engine captures what it launches
    WHOLE_GRAPH_CUDAGRAPHS = 2  # a wrapper captures a whole model


def set_cudagraphs_mode(mode: bool | CudaGraphsMode) -> None:
    """The mode of the process outside of all enable_cudagraphs(): True is SUBGRAPH_CUDAGRAPHS, False STANDARD."""
    if isinstance(mode, bool):
        mode = CudaGraphsMode.SUBGRAPH_CUDAGRAPHS if mode else CudaGraphsMode.STANDARD
    _jitney.set_cudagraphs_mode(CudaGraphsMode(mode))


def get_cudagraphs_mode() -> bool:
    """Whether every engine captures what it launches."""
    return _jitney.cudagraphs_mode() == CudaGraphsMode.SUBGRAPH_CUDAGRAPHS


def get_whole_cudagraphs_mode() -> bool:
    """Whether wrappers capture whole models."""
    return _jitney.cudagraphs_mode() == CudaGraphsMode.WHOLE_GRAPH_CUDAGRAPHS


class cudagraphs_mode_scope:
    """The mode of the process until the block ends; scopes may end in any order."""

    def __init__(self, mode: CudaGraphsMode) -> None:
        self._mode = CudaGraphsMode(mode)
        self._entered: list[_jitney.CudaGraphsModeScope] = []

    def __enter__(self) -> None:
        self._entered.append(_jitney.CudaGraphsModeScope(self._mode))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._entered.pop().end()


# wrap(target) gives a context manager that captures the whole model and yields what stands in for it, or None where
# engines alone do: (whether there is more than engines in the model) is what only the layer above knows.
_wrappers: list[Callable[[Any], Any]] = []


def register_whole_graph_wrapper(wrap: Callable[[Any], Any]) -> None:
    """For the layer that knows models with code between their engines. `wrap(target)` gives None for a target that it
    does not know or that needs no wrapper, else a context manager whose __enter__ gives the wrapped model and whose
    __exit__ takes the wrapper down. It is entered with the mode WHOLE_GRAPH_CUDAGRAPHS in force."""
    _wrappers.append(wrap)


class enable_cudagraphs:
    """`with enable_cudagraphs(model) as model:` CUDA graphs until the block ends. A model with other code between its
    engines is captured as a whole, one without gets a graph for each engine. `cuda_graph_strategy` is set first and
    restored last."""

    def __init__(self, target: Target, *, cuda_graph_strategy: str | None = None) -> None:
        self._target = target
        self._strategy = (None if cuda_graph_strategy is None
                          else set_cuda_graph_strategy(target, cuda_graph_strategy))
        self._entered: list[ExitStack] = []

    def __enter__(self) -> Any:
        with ExitStack() as stack:
            if self._strategy is not None:
                stack.enter_context(self._strategy)
            model = self._target
            for wrap in reversed(_wrappers):
                wrapper = wrap(self._target)
                if wrapper is not None:
                    stack.enter_context(cudagraphs_mode_scope(CudaGraphsMode.WHOLE_GRAPH_CUDAGRAPHS))
                    model = stack.enter_context(wrapper)
                    break
            else:
                engines_of(self._target)  # says what is wrong with the target
                stack.enter_context(cudagraphs_mode_scope(CudaGraphsMode.SUBGRAPH_CUDAGRAPHS))
            self._entered.append(stack.pop_all())
            return model

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._entered.pop().close()
