// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cache/blob_table.h"

namespace jitney::cache {

std::shared_ptr<const Blob> BlobTable::find(const Key& key) {
  std::lock_guard lock(mutex_);
  const auto found = blobs_.find(key.text());
  if (found == blobs_.end()) return nullptr;
  ++stats_.hits;
  return found->second;
}

void BlobTable::insert(const Key& key, std::shared_ptr<const Blob> blob) {
  std::lock_guard lock(mutex_);
  blobs_.insert_or_assign(key.text(), std::move(blob));
}

std::shared_ptr<const Blob> BlobTable::insert_hit(const Key& key, std::shared_ptr<const Blob> blob) {
  std::lock_guard lock(mutex_);
  ++stats_.hits;
  return blobs_.try_emplace(key.text(), std::move(blob)).first->second;
}

void BlobTable::count_miss(Miss reason) {
  std::lock_guard lock(mutex_);
  ++stats_.misses[reason];
}

void BlobTable::count_publish(bool reached_disk_or_needs_none) {
  std::lock_guard lock(mutex_);
  ++(reached_disk_or_needs_none ? stats_.published : stats_.publish_failures);
}

Stats BlobTable::stats() const {
  std::lock_guard lock(mutex_);
  return stats_;
}

}  // namespace jitney::cache
