// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <jitney/runtime_cache.h>
#include <torch/custom_class.h>

#include <memory>
#include <string>

namespace jitney::torch_runtime {

/// torch.classes.jitney.RuntimeCacheHandle: a jitney::RuntimeCache, by identity. Thread-safe. Methods throw
/// jitney::Error.
class RuntimeCacheHandle : public torch::CustomClassHolder {
 public:
  /// Touches no file; never saves by itself.
  explicit RuntimeCacheHandle(std::string path) : cache(std::make_shared<RuntimeCache>(std::move(path))) {}
  explicit RuntimeCacheHandle(std::shared_ptr<RuntimeCache> c) : cache(std::move(c)) {}
  /// Of a cache that another part of this process has made, by its number (jitney/registry.h). Throws where there is
  /// none.
  static c10::intrusive_ptr<RuntimeCacheHandle> find(std::int64_t id);

  /// uint8, rank 1.
  at::Tensor serialize() const;
  void deserialize(const at::Tensor& bytes) const;
  std::int64_t id() const;

  const std::shared_ptr<RuntimeCache> cache;
};

}  // namespace jitney::torch_runtime
