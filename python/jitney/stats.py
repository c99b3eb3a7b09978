# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""What Engine.stats() and Engine.compile_status() give."""
from __future__ import annotations

from typing import TypedDict


class Stats(TypedDict):
    """What happened so far in one engine. Counts only grow."""

    kernels: int  # launches in one run of the last shape
    library_calls: int  # of these, done by a vendor library
    distinct_kernels: int  # different sources among them
    compiled: int
    from_cache: int
    precompiled: int  # that the engine brought
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
    cache_publish_failures: int  # kept in memory only
    cache_loaded: int  # entries read from packed files and streams
    cache_damaged: int  # of those, not used
    cache_evicted: int  # entries removed to keep the bound
    cache_waited: int  # entries that another thread or process made meanwhile
    cache_misses: dict[str, int]  # by reason
    precompiled_misses: dict[str, int]  # why kernels that the engine brought did not serve
    cache_path: str
    cache_description: str
    graphs_captured: int
    graph_replays: int
    graph_updates: int  # replays that were given other addresses first
    graph_fallbacks: int  # runs in order although graphs were asked for
    graphs_lent: int  # runs that were recorded into somebody else's graph
    arena_bytes: int  # intermediate values of the last shape
    device_bytes: int  # held on the device by this process, weights included


class CompileStatus(TypedDict):
    """How far the specialization of one engine's shapes has come."""

    waiting: int  # shapes in the queue
    running: int  # shapes that are being compiled
    kernels_done: int  # of the shape that is being compiled
    kernels_total: int
    shapes: int  # that have specialized kernels now
    specialized: int  # shapes that ever had them
    evicted: int  # shapes that lost them to ones used more lately
    failed: int  # shapes for which not every kernel could be had
    dropped: int  # requests cancelled, or driven out of a full queue
    compiled: int  # kernels
    from_cache: int
    precompiled: int
    seconds: float  # spent compiling and looking up


class CacheStats(TypedDict):
    """What happened so far through one RuntimeCache. Counts only grow."""

    hits: int
    published: int  # entries (a packed file: saves) that reached their place
    publish_failures: int
    loaded: int  # entries read from packed files, other stores and streams
    damaged: int  # of those, not used
    evicted: int
    waited: int  # kernels that another thread or process compiled meanwhile
    misses: dict[str, int]  # by reason
    entries: int  # in memory now


class CacheEntry(TypedDict):
    """One entry of a RuntimeCache."""

    id: str  # digits that name it
    key: str  # its whole key as text
    fields: dict[str, str]  # the key taken apart: "kind", "target", "compiler", "source", ...
    creator: str  # version of the Jitney that made it; "" when it was made here
    bytes: int  # on disk, or in memory when it never was there
    blob_bytes: int  # of what is cached; 0: not known
    last_used: int  # seconds since 1970
    is_signed: bool
