// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/sum_stats.h"

#include <algorithm>

namespace jitney::runtime {
namespace {

constexpr int ContextStats::* kGrowing[] = {&ContextStats::compiled,    &ContextStats::from_cache,
                                            &ContextStats::precompiled, &ContextStats::failed,
                                            &ContextStats::plans,       &ContextStats::workers_started};
constexpr std::uint64_t ContextStats::* kGrowingLong[] = {
    &ContextStats::interpreted_operators, &ContextStats::stage_runs,
    &ContextStats::hosted_runs,           &ContextStats::host_copies,
    &ContextStats::host_copied_bytes,     &ContextStats::graphs_captured,
    &ContextStats::graph_replays,         &ContextStats::graph_updates,
    &ContextStats::graph_fallbacks,       &ContextStats::graphs_lent};
constexpr int ContextStats::* kNow[] = {&ContextStats::kernels, &ContextStats::library_calls,
                                        &ContextStats::distinct_kernels, &ContextStats::interpreted,
                                        &ContextStats::stages};
constexpr std::uint64_t ContextStats::* kCache[] = {
    &ContextStats::cache_hits,   &ContextStats::cache_published, &ContextStats::cache_publish_failures,
    &ContextStats::cache_loaded, &ContextStats::cache_damaged,   &ContextStats::cache_evicted,
    &ContextStats::cache_waited};

template <class Combine>
void combine_caches(ContextStats& to, const ContextStats& other, Combine combine) {
  for (const auto field : kCache) to.*field = combine(to.*field, other.*field);
  for (const auto& [why, count] : other.cache_misses) to.cache_misses[why] = combine(to.cache_misses[why], count);
  if (other.cache_description.empty()) return;
  to.cache_path = other.cache_path;
  to.cache_description = other.cache_description;
}

}  // namespace

void add_history(ContextStats& to, const ContextStats& other) {
  for (const auto field : kGrowing) to.*field += other.*field;
  for (const auto field : kGrowingLong) to.*field += other.*field;
  for (const auto& [why, count] : other.precompiled_misses) to.precompiled_misses[why] += count;
  to.compile_seconds += other.compile_seconds;
}

void add_counts(ContextStats& to, const ContextStats& other) {
  add_history(to, other);
  for (const auto field : kNow) to.*field += other.*field;
  to.arena_bytes += other.arena_bytes;
  to.device_bytes = std::max(to.device_bytes, other.device_bytes);
}

void add_cache_counts(ContextStats& to, const ContextStats& other) {
  combine_caches(to, other, [](std::uint64_t a, std::uint64_t b) { return a + b; });
}

void latest_cache_counts(ContextStats& to, const ContextStats& other) {
  combine_caches(to, other, [](std::uint64_t a, std::uint64_t b) { return std::max(a, b); });
}

}  // namespace jitney::runtime
