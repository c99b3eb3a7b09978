// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/plan_services.h"

#include "runtime/kernel_build.h"
#include "util/log.h"

namespace jitney::runtime {

Expected<std::vector<std::byte>> CachedPlanServices::compile(const std::string& name, const std::string& source) {
  const auto held = cache();
  compiler::EmittedKernel kernel;
  kernel.language = target_.info.language;
  kernel.code = source;
  if (options_.brings.kernels) {
    for (const auto& by : options_.brings.kernels->compilers(target_.info.target_key))
      if (const auto blob = options_.brings.kernels->find(kernel_key(kernel, target_.info, by))) {
        options_.counts->add(source, KernelOrigin::precompiled);
        return **blob;
      }
  }
  JITNEY_TRY(const std::string identity, identify(compiler_, *held));
  const cache::Key key = kernel_key(kernel, target_.info, identity);
  remember(key);
  if (const auto blob = held->lookup(key)) {
    options_.counts->add(source, KernelOrigin::cached);
    return **blob;
  }
  if (!options_.may_compile)
    return environment_error("kernel '{}' would have to be compiled, which is forbidden", name);
  auto outcome = compiler_.compile({target_.info.language, name, kernel.source(), target_.info.compiler_options, true});
  if (!outcome) return environment_error("{}", outcome.error().message);
  log_debug("kernel '{}': {:.1f} ms in the compiler, {} bytes", name, outcome->compile_seconds * 1e3,
            outcome->binary.size());
  held->publish(key, outcome->binary);
  options_.counts->add(source, KernelOrigin::compiled);
  return std::move(outcome->binary);
}

cache::Key CachedPlanServices::key_of(const std::string& key) const {
  cache::Key k;
  k.add("kind", "tactic").add("device", target_.info.name).add("target", target_.info.target_key).add("call", key);
  return k;
}

std::optional<std::string> CachedPlanServices::recall(const std::string& key) {
  const cache::Key full = key_of(key);
  const auto blob = cache()->lookup(full);
  if (!blob) return std::nullopt;
  remember(full);
  return std::string(reinterpret_cast<const char*>((*blob)->data()), (*blob)->size());
}

void CachedPlanServices::keep(const std::string& key, const std::string& value) {
  const auto* bytes = reinterpret_cast<const std::byte*>(value.data());
  remember(key_of(key));
  cache()->publish(key_of(key), cache::Blob(bytes, bytes + value.size()));
}

}  // namespace jitney::runtime
