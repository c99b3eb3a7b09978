// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "bindings/stats.h"

#include <nanobind/stl/map.h>
#include <nanobind/stl/string.h>

#include "bindings/file_paths.h"

namespace jitney::python {

namespace nb = nanobind;

nb::dict to_dict(const ContextStats& s) {
  nb::dict d;
  d["kernels"] = s.kernels;
  d["library_calls"] = s.library_calls;
  d["distinct_kernels"] = s.distinct_kernels;
  d["compiled"] = s.compiled;
  d["from_cache"] = s.from_cache;
  d["precompiled"] = s.precompiled;
  d["failed"] = s.failed;
  d["interpreted"] = s.interpreted;
  d["interpreted_operators"] = s.interpreted_operators;
  d["plans"] = s.plans;
  d["stages"] = s.stages;
  d["stage_runs"] = s.stage_runs;
  d["hosted_runs"] = s.hosted_runs;
  d["host_copies"] = s.host_copies;
  d["host_copied_bytes"] = s.host_copied_bytes;
  d["workers_started"] = s.workers_started;
  d["compile_seconds"] = s.compile_seconds;
  d["cache_hits"] = s.cache_hits;
  d["cache_published"] = s.cache_published;
  d["cache_publish_failures"] = s.cache_publish_failures;
  d["cache_loaded"] = s.cache_loaded;
  d["cache_damaged"] = s.cache_damaged;
  d["cache_evicted"] = s.cache_evicted;
  d["cache_waited"] = s.cache_waited;
  d["cache_misses"] = s.cache_misses;
  d["precompiled_misses"] = s.precompiled_misses;
  d["cache_path"] = path_text(s.cache_path);
  d["cache_description"] = text(s.cache_description);
  d["graphs_captured"] = s.graphs_captured;
  d["graph_replays"] = s.graph_replays;
  d["graph_updates"] = s.graph_updates;
  d["graph_fallbacks"] = s.graph_fallbacks;
  d["graphs_lent"] = s.graphs_lent;
  d["arena_bytes"] = s.arena_bytes;
  d["device_bytes"] = s.device_bytes;
  return d;
}

nb::dict to_dict(const CompileStatus& s) {
  nb::dict d;
  d["waiting"] = s.waiting;
  d["running"] = s.running;
  d["kernels_done"] = s.kernels_done;
  d["kernels_total"] = s.kernels_total;
  d["shapes"] = s.shapes;
  d["specialized"] = s.specialized;
  d["evicted"] = s.evicted;
  d["failed"] = s.failed;
  d["dropped"] = s.dropped;
  d["compiled"] = s.compiled;
  d["from_cache"] = s.from_cache;
  d["precompiled"] = s.precompiled;
  d["seconds"] = s.seconds;
  return d;
}

}  // namespace jitney::python
