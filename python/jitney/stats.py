# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""What Engine.stats() gives."""
from __future__ import annotations

from typing import TypedDict


class Stats(TypedDict):
    """What happened so far in one engine. Counts only grow."""

    kernels: int  # launches in one run of the last shape
    library_calls: int  # of these, done by a vendor library
    distinct_kernels: int  # different sources among them
    compiled: int
    from_cache: int
    failed: int  # compiles that gave nothing, even unoptimized
    interpreted: int  # steps that the reference interpreter runs
    interpreted_operators: int  # operators that it has run so far
    plans: int  # shapes seen
    stages: int  # of an engine whose extents or control flow follow from data: pieces compiled by themselves
    stage_runs: int  # of these, so far
    hosted_runs: int  # of what runs between them
    host_copies: int  # between device and host, for what runs between stages
    host_copied_bytes: int
    workers_started: int  # compiler processes
    compile_seconds: float  # wall time of waiting for kernels
    cache_hits: int
    cache_published: int
    cache_misses: dict[str, int]  # by reason
    cache_path: str
    cache_description: str
    graphs_captured: int
    graph_replays: int
    graph_fallbacks: int  # runs in order although graphs were asked for
    arena_bytes: int  # intermediate values of the last shape
    device_bytes: int  # held on the device by this process, weights included
