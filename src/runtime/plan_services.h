// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "cache/runtime_cache.h"
#include "runtime/kernel_set.h"

namespace jitney::runtime {

/// What a backend asks of core while it plans library calls: its own kernels compiled and cached like generated ones,
/// and a place in the cache for what it measured.
class CachedPlanServices final : public backend::PlanServices {
 public:
  CachedPlanServices(Target target, std::shared_ptr<cache::RuntimeCache> cache, compiler::Compiler& compiler)
      : target_(std::move(target)), cache_(std::move(cache)), compiler_(compiler) {}

  Expected<std::vector<std::byte>> compile(const std::string& name, const std::string& source) override;
  std::optional<std::string> recall(const std::string& key) override;
  void keep(const std::string& key, const std::string& value) override;

 private:
  cache::Key key_of(const std::string& key) const;

  const Target target_;
  const std::shared_ptr<cache::RuntimeCache> cache_;
  compiler::Compiler& compiler_;
};

}  // namespace jitney::runtime
