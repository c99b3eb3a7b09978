// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "ir/graph.h"

namespace jitney::onnx {

using Symbols = std::map<std::string, ir::SymbolInfo>;

/// A number that the expression is never below, given the ranges of its symbols (0 and up for unknown ones); INT64_MIN
/// when nothing is known. Sound, not tight.
std::int64_t lower_bound(const ir::Dim& dim, const Symbols& symbols);

/// a >= b for all values of the symbols, as far as it can be proved.
bool proves_at_least(const ir::Dim& a, const ir::Dim& b, const Symbols& symbols);

/// a == b: true or false where it is decided for all values of the symbols, else nothing.
std::optional<bool> decide_equal(const ir::Dim& a, const ir::Dim& b, const Symbols& symbols);

/// min and max without the function where one side is provably the answer.
ir::Dim min_of(const ir::Dim& a, const ir::Dim& b, const Symbols& symbols);
ir::Dim max_of(const ir::Dim& a, const ir::Dim& b, const Symbols& symbols);

}  // namespace jitney::onnx
