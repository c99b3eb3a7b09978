// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "cache/blob_table.h"

namespace jitney::cache {

/// A cache that ends with the process: by choice, or because its place was refused (`refusal` says which and why,
/// and misses are then counted as refused_place).
class MemoryCache final : public RuntimeCache {
 public:
  explicit MemoryCache(std::string refusal = "") : refusal_(std::move(refusal)) {}

  tl::expected<std::shared_ptr<const Blob>, Miss> lookup(const Key& key) override;
  void publish(const Key& key, Blob blob) override;
  Stats stats() const override { return table_.stats(); }
  std::string path() const override { return ""; }
  std::string describe() const override;

 private:
  BlobTable table_;
  std::string refusal_;
};

}  // namespace jitney::cache
