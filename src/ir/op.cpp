// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "ir/op.h"

#include <iterator>

namespace jitney::ir {
namespace {

constexpr OpInfo kOps[] = {
#define JITNEY_OP(name, family, min_in, max_in, attrs) {Op::name, #name, OpFamily::family, min_in, max_in, attrs},
#include "ir/ops.def"
#undef JITNEY_OP
};

}  // namespace

const OpInfo& info(Op op) { return kOps[static_cast<std::size_t>(op)]; }

std::optional<Op> op_from_string(std::string_view name) {
  for (const OpInfo& row : kOps) {
    if (row.name == name) return row.op;
  }
  return std::nullopt;
}

int op_count() { return static_cast<int>(std::size(kOps)); }

bool is_elementwise(Op op) {
  switch (info(op).family) {
    case OpFamily::unary:
    case OpFamily::binary:
    case OpFamily::ternary:
    case OpFamily::cast: return true;
    default: return false;
  }
}

bool is_hosted(Op op) {
  return static_cast<int>(op) < op_count() && info(op).family == OpFamily::hosted;  // also of what is no operator
}

bool gives_boolean(Op op) {
  switch (op) {
    case Op::equal:
    case Op::not_equal:
    case Op::less:
    case Op::less_equal:
    case Op::is_nan:
    case Op::logical_not:
    case Op::logical_and:
    case Op::logical_or:
    case Op::logical_xor: return true;
    default: return false;
  }
}

}  // namespace jitney::ir
