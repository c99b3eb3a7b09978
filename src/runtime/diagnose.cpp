// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <jitney/execution_context.h>

#include <set>

#include <fmt/format.h>

#include "backend/registry.h"
#include "cache/runtime_cache.h"
#include "compiler/compiler.h"
#include "compiler/find_worker.h"

namespace jitney {

namespace {

/// Starts the compiler and compiles one function: the only proof that it works.
std::string try_compiler() {
  auto worker = compiler::find_worker("", "JITNEY_COMPILER_CLANG", "jitney-compiler-clang");
  if (!worker) return "no: " + worker.error().message;
  auto compiler = compiler::make_compiler({.max_workers = 1});
  auto identity = compiler->identity();
  if (!identity) return fmt::format("no: {} ({})", identity.error().message, *worker);
  auto backend = backend::load_backend("cpu");
  if (!backend) return fmt::format("{} ({}), untried: {}", *identity, *worker, backend.error().message);
  auto device = (*backend)->device_info(0);
  if (!device) return fmt::format("{} ({}), untried: {}", *identity, *worker, device.error().message);
  auto result = compiler->compile(
      {.name = "doctor", .source = "int jitney_doctor(int x) { return x + 1; }", .options = device->compiler_options});
  if (!result) return fmt::format("no: {} ({})", result.error().message, *worker);
  return fmt::format("works: {} ({})", *identity, *worker);
}

}  // namespace

std::vector<std::string> diagnose(const std::string& runtime_cache) {
  std::vector<std::string> lines{fmt::format("jitney {}", JITNEY_VERSION)};
  for (const auto& b : backend::available_backends()) {
    if (!b.backend) {
      lines.push_back(fmt::format("device {}: not there: {}", b.name, b.problem));
      continue;
    }
    for (int d = 0; d < b.backend->device_count(); ++d) {
      auto info = b.backend->device_info(d);
      if (!info) {
        lines.push_back(fmt::format("device {}:{}: not usable: {}", b.name, d, info.error().message));
        continue;
      }
      lines.push_back(fmt::format("device {}:{}: works: {}, {} parallel units, {} MiB, target {}", b.name, d,
                                  info->name, info->parallel_units, info->memory_bytes >> 20, info->target_key));
    }
    for (const auto& l : b.backend->diagnose()) lines.push_back("  " + l);
  }
  lines.push_back("compiler clang: " + try_compiler());
  lines.push_back("cache: " + cache::open_cache(runtime_cache)->describe());
  return lines;
}

}  // namespace jitney
