# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""A timeline of everything, and numbers for monitoring."""
from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from . import _jitney
from .engine import Engine


@contextmanager
def trace(path: str | os.PathLike[str]) -> Iterator[None]:
    """One timeline of what this process does with Jitney until the block ends, for ui.perfetto.dev: loading, compiling,
    cache look-ups, runs and their steps. It is written to `path` ("%p" becomes the process id) at the end."""
    _jitney.start_trace(path)
    try:
        yield
    finally:
        _jitney.stop_trace()


@contextmanager
def correlation_id(id: str) -> Iterator[None]:
    """What this thread does until the block ends bears `id` in the trace, and so do compiles that it waits for."""
    scope = _jitney.CorrelationId(id)
    try:
        yield
    finally:
        scope.end()


@contextmanager
def trace_scope(name: str) -> Iterator[None]:
    """A span of the caller's own on the timeline."""
    scope = _jitney.TraceScope(name)
    try:
        yield
    finally:
        scope.end()


def _labelled(engines: tuple[Engine, ...]) -> list[_jitney.Metric]:
    """Of the process, then of the engines, told apart by label where there are several."""
    metrics = _jitney.process_metrics()
    for number, engine in enumerate(engines):
        labels = {"engine": engine.name or str(number)}
        if len({each.name for each in engines}) != len(engines):
            labels["number"] = str(number)
        metrics += engine._metrics(labels)
    return metrics


def metrics(*engines: Engine) -> dict[str, float]:
    """Numbers of the process and of these engines: {'jitney_log_lines_total{level="errors"}': 0.0, ...}."""
    return {metric.key: metric.value for metric in _labelled(engines)}


def prometheus(*engines: Engine) -> str:
    """The same as Prometheus' text format 0.0.4."""
    return _jitney.to_prometheus(_labelled(engines))
