// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cache/memory_cache.h"

#include "util/trace.h"

namespace jitney::cache {

tl::expected<std::shared_ptr<const Blob>, Miss> MemoryCache::lookup(const Key& key) {
  TraceSpan span("cache", "lookup");
  if (span) span.text("key", key.hash());
  auto blob = table_.find(key);
  const Miss reason = refusal_.empty() ? Miss::absent : Miss::refused_place;
  span.text("result", blob ? "memory" : to_string(reason));
  if (blob) return blob;
  table_.count_miss(reason);
  return tl::unexpected(reason);
}

void MemoryCache::publish(const Key& key, Blob blob) {
  TraceSpan span("cache", "publish");
  if (span) span.text("key", key.hash());
  span.number("bytes", static_cast<std::int64_t>(blob.size()));
  table_.insert(key, std::make_shared<const Blob>(std::move(blob)));
  table_.count_publish(refusal_.empty());
}

std::string MemoryCache::describe() const {
  return refusal_.empty() ? "memory" : fmt::format("memory (refused {})", refusal_);
}

std::shared_ptr<RuntimeCache> make_memory_cache() { return std::make_shared<MemoryCache>(); }

}  // namespace jitney::cache
