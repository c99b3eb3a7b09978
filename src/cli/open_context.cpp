// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cli/open_context.h"

#include <fmt/format.h>

namespace jitney::cli {

ExecutionContext open_context(const Engine& engine, const ContextOptions& options) {
  try {
    return ExecutionContext(engine, options);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::environment || options.device.type == Device::Type::cpu) throw;
    throw Error(error.kind(), fmt::format("{}; '--device cpu' needs no such device", error.what()));
  }
}

}  // namespace jitney::cli
