// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cli/settings_options.h"

#include <jitney/error.h>

#include <string>

#include "cli/wrap.h"

namespace jitney::cli {

void SettingsOptions::add_to(CLI::App& command) {
  for (const auto& row : runtime_settings_table()) {
    command
        .add_option_function<std::string>(
            std::string(row.flag),
            [this, &row](const std::string& value) {
              RuntimeSettings probe;
              try {
                row.set(probe, value);
              } catch (const Error& e) {
                throw CLI::ValidationError(e.what());
              }
              given_.push_back([&row, value](RuntimeSettings& s) { row.set(s, value); });
            },
            wrapped(row.doc) + "\n(default: " + std::string(row.fallback) + ", or " + std::string(row.variable) + ")")
        ->type_name(std::string(row.values));
  }
}

RuntimeSettings SettingsOptions::settings() const {
  RuntimeSettings s = default_runtime_settings();
  for (const auto& set : given_) set(s);
  return s;
}

void SettingsOptions::apply(ContextOptions& options) const {
  const RuntimeSettings s = settings();
  options.dynamic_shapes_kernel_specialization_strategy = s.dynamic_shapes_kernel_specialization_strategy;
  options.cuda_graph_strategy = s.cuda_graph_strategy;
  options.runtime_cache = s.runtime_cache.is_memory() ? "none" : s.runtime_cache.path();
}

}  // namespace jitney::cli
