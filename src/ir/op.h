// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace jitney::ir {

/// What an operator computes. One row of ops.def each.
enum class Op : std::uint16_t {
#define JITNEY_OP(name, family, min_in, max_in, attrs) name,
#include "ir/ops.def"
#undef JITNEY_OP
};

enum class OpFamily : std::uint8_t {
  unary,
  binary,
  ternary,
  cast,
  source,
  view,
  movement,
  reduce,
  scan,
  normalize,
  contract,
  region,
  hosted
};

/// One row of ops.def.
struct OpInfo {
  Op op;
  std::string_view name;
  OpFamily family;
  int min_inputs;
  int max_inputs;  ///< -1: any number
  std::string_view attributes;
};

const OpInfo& info(Op op);
std::optional<Op> op_from_string(std::string_view name);
int op_count();

/// unary, binary, ternary or cast: one output element from one element of each input.
bool is_elementwise(Op op);
/// Run by the runtime between compiled stages (ir/hosted.h).
bool is_hosted(Op op);
/// equal, not_equal, less, less_equal, is_nan, logical_*: output is boolean.
bool gives_boolean(Op op);

}  // namespace jitney::ir
