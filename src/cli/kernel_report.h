// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "ir/dim.h"
#include "runtime/kernel_report.h"

namespace jitney::cli {

/// Values of the model's symbols, from --shape where it gave them.
struct Extents {
  ir::SymbolValues values;
  std::map<std::string, std::int64_t> assumed;  ///< of these, the ones that nobody gave
};

/// Several lines a step, then the summary of the fusion. Bytes are expressions, and numbers where the symbols in them
/// have values.
std::string to_text(const runtime::KernelReport& report, const Extents& extents);
/// One JSON object; no byte count but has "expression" and "value", null where a symbol has no value.
std::string to_json(const runtime::KernelReport& report, const Extents& extents);

}  // namespace jitney::cli
