// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "cache/runtime_cache.h"
#include "runtime/kernel_set.h"

namespace jitney::runtime {

/// Where the kernels came from that a backend brought itself for library calls. Thread-safe.
class OwnKernelCounts {
 public:
  /// The first time decides.
  void add(const std::string& source, KernelOrigin origin) {
    const std::lock_guard lock(mutex_);
    origins_.emplace(source, origin);
  }
  std::uint64_t of(KernelOrigin origin) const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::uint64_t>(
        std::ranges::count_if(origins_, [&](const auto& known) { return known.second == origin; }));
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, KernelOrigin> origins_;  ///< by source
};

/// What a backend asks of core while it plans library calls: its own kernels compiled and cached like generated ones,
/// and a place in the cache for what it measured.
class CachedPlanServices final : public backend::PlanServices {
 public:
  struct Options {
    bool may_compile = true;         ///< what neither the engine brings nor the cache has may be compiled
    bool times_tactics = false;      ///< a library's algorithms are timed
    std::size_t constant_bytes = 0;  ///< of the model
    EngineBrings brings{};
    std::shared_ptr<OwnKernelCounts> counts = std::make_shared<OwnKernelCounts>();
  };
  CachedPlanServices(Target target, std::shared_ptr<cache::RuntimeCache> cache, compiler::Compiler& compiler,
                     Options options)
      : target_(std::move(target)), compiler_(compiler), options_(std::move(options)), cache_(std::move(cache)) {}

  /// From now on it is this one.
  void use_cache(std::shared_ptr<cache::RuntimeCache> cache) {
    const std::lock_guard lock(mutex_);
    cache_ = std::move(cache);
  }

  /// Of all that the backend had compiled or kept.
  std::vector<cache::Key> keys() const {
    const std::lock_guard lock(mutex_);
    return keys_;
  }

  Expected<std::vector<std::byte>> compile(const std::string& name, const std::string& source) override;
  std::optional<std::string> recall(const std::string& key) override;
  void keep(const std::string& key, const std::string& value) override;
  bool times_tactics() const override { return options_.times_tactics; }
  std::size_t constant_bytes() const override { return options_.constant_bytes; }

 private:
  cache::Key key_of(const std::string& key) const;

  std::shared_ptr<cache::RuntimeCache> cache() const {
    const std::lock_guard lock(mutex_);
    return cache_;
  }

  void remember(const cache::Key& key) {
    const std::lock_guard lock(mutex_);
    keys_.push_back(key);
  }

  const Target target_;
  compiler::Compiler& compiler_;
  const Options options_;
  mutable std::mutex mutex_;
  std::shared_ptr<cache::RuntimeCache> cache_;
  std::vector<cache::Key> keys_;
};

}  // namespace jitney::runtime
