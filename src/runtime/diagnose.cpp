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

struct Trial {
  backend::SourceLanguage language;
  const char* backend;  ///< whose first device it compiles for
  const char* source;
};
constexpr Trial kClang{backend::SourceLanguage::c, "cpu", "int jitney_doctor(int x) { return x + 1; }"};
constexpr Trial kNvrtc{backend::SourceLanguage::cuda, "cuda", "extern \"C\" __global__ void jitney_doctor() {}"};

/// Starts the compiler and compiles one function: the only proof that it works.
std::string try_compiler(const Trial& trial) {
  const auto name = compiler::worker_of(trial.language);
  auto worker = compiler::find_worker("", name.variable, name.program);
  if (!worker) return "no: " + worker.error().message;
  auto compiler = compiler::make_compiler({.language = trial.language, .max_workers = 1});
  auto identity = compiler->identity();
  if (!identity) return fmt::format("no: {} ({})", identity.error().message, *worker);
  auto backend = backend::load_backend(trial.backend);
  if (!backend) return fmt::format("{} ({}), untried: {}", *identity, *worker, backend.error().message);
  auto device = (*backend)->device_info(0);
  if (!device) return fmt::format("{} ({}), untried: {}", *identity, *worker, device.error().message);
  auto result = compiler->compile(
      {.language = trial.language, .name = "doctor", .source = trial.source, .options = device->compiler_options});
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
  lines.push_back("compiler clang: " + try_compiler(kClang));
  // Of interest only where the backend that it serves is installed.
  if (backend::load_backend(kNvrtc.backend)) lines.push_back("compiler nvrtc: " + try_compiler(kNvrtc));
  lines.push_back("cache: " + cache::open_cache(runtime_cache)->describe());
  return lines;
}

}  // namespace jitney
