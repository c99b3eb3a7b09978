// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <mutex>

#include "backend/backend.h"
#include "backend/registry.h"
#include "compiler/compiler.h"
#include "compiler/prelude_cuda.h"
#include "util/env.h"

namespace jitney::backend {

/// Services with a compiler and a cache in memory.
class CompilingServices final : public PlanServices {
 public:
  explicit CompilingServices(std::vector<std::string> options) : options_(std::move(options)) {}

  /// For the first CUDA device that there is.
  static CompilingServices& of_cuda() {
    static CompilingServices services([] {
      const auto backend = load_backend("cuda");
      const auto info = backend ? (*backend)->device_info(0) : tl::unexpected(backend.error());
      return info ? info->compiler_options : std::vector<std::string>{};
    }());
    return services;
  }

  Expected<std::vector<std::byte>> compile(const std::string& name, const std::string& source) override {
    const std::lock_guard lock(mutex_);
    if (const auto known = binaries_.find(source); known != binaries_.end()) return known->second;
    static auto compiler = compiler::make_compiler({.language = SourceLanguage::cuda});
    auto outcome = compiler->compile({.language = SourceLanguage::cuda,
                                      .name = name,
                                      .source = std::string(compiler::prelude_cuda()) + source,
                                      .options = options_});
    if (!outcome) return environment_error("{}", outcome.error().message);
    return binaries_[source] = outcome->binary;
  }
  std::optional<std::string> recall(const std::string& key) override {
    const std::lock_guard lock(mutex_);
    const auto known = kept_.find(key);
    return known == kept_.end() ? std::nullopt : std::optional(known->second);
  }
  void keep(const std::string& key, const std::string& value) override {
    const std::lock_guard lock(mutex_);
    kept_[key] = value;
  }
  /// As JITNEY_TACTICS says.
  bool times_tactics() const override { return env_string("JITNEY_TACTICS") == "timed"; }

 private:
  const std::vector<std::string> options_;
  std::mutex mutex_;
  std::map<std::string, std::vector<std::byte>> binaries_;
  std::map<std::string, std::string> kept_;
};

}  // namespace jitney::backend
