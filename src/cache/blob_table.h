// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "cache/runtime_cache.h"

namespace jitney::cache {

/// The part of a cache that is in memory: blobs by full key, and the counters. Thread-safe.
class BlobTable {
 public:
  /// The blob, counted as a hit; null, not counted, when there is none.
  std::shared_ptr<const Blob> find(const Key& key);
  void insert(const Key& key, std::shared_ptr<const Blob> blob);
  /// Keeps what was read from disk and counts a hit. When another thread was faster its blob wins, so that all
  /// callers share one.
  std::shared_ptr<const Blob> insert_hit(const Key& key, std::shared_ptr<const Blob> blob);

  void count_miss(Miss reason);
  void count_publish(bool reached_disk_or_needs_none);
  Stats stats() const;

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<const Blob>> blobs_;
  Stats stats_;
};

}  // namespace jitney::cache
