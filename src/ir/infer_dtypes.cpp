// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "ir/infer_context.h"

namespace jitney::ir {
namespace {

enum class Accepts { any, numeric, floating, boolean, integer, bits };

Accepts accepts(Op op, std::size_t input) {
  switch (op) {
    case Op::neg:
    case Op::abs:
    case Op::sign:
    case Op::floor:
    case Op::ceil:
    case Op::round:
    case Op::relu:
    case Op::add:
    case Op::sub:
    case Op::mul:
    case Op::div:
    case Op::mod:
    case Op::fmod:
    case Op::pow:
    case Op::reduce_sum:
    case Op::reduce_mean:
    case Op::reduce_prod:
    case Op::cumsum:
    case Op::top_k:
    case Op::matmul:
    case Op::conv:
    case Op::conv_transpose:
    case Op::max_pool: return Accepts::numeric;
    case Op::logical_not:
    case Op::logical_and:
    case Op::logical_or:
    case Op::logical_xor: return Accepts::boolean;
    case Op::bitwise_not:
    case Op::bitwise_and:
    case Op::bitwise_or:
    case Op::bitwise_xor: return Accepts::bits;
    case Op::shift_left:
    case Op::shift_right: return Accepts::integer;
    case Op::where: return input == 0 ? Accepts::boolean : Accepts::any;
    case Op::attention:
    case Op::avg_pool: return Accepts::floating;
    default: break;
  }
  switch (info(op).family) {
    case OpFamily::unary:
    case OpFamily::normalize: return Accepts::floating;
    default: return Accepts::any;
  }
}

/// Whether what an element means does not matter to op.
bool moves_bits(Op op) {
  switch (op) {
    case Op::bitcast:
    case Op::where:
    case Op::region: return true;
    case Op::top_k:
    case Op::scatter_elements:
    case Op::scatter_nd: return false;
    default: return info(op).family == OpFamily::view || info(op).family == OpFamily::movement;
  }
}

}  // namespace

bool is_index(Op op, std::size_t input) {
  switch (op) {
    case Op::gather:
    case Op::gather_elements:
    case Op::gather_nd:
    case Op::scatter_elements:
    case Op::scatter_nd: return input == 1;
    case Op::gather_grid: return input >= 1;
    default: return false;
  }
}

bool accepts_dtype(Op op, std::size_t input, DType t) {
  if (is_index(op, input)) return t == DType::i32 || t == DType::i64;
  if (is_storage_only(t)) return moves_bits(op);
  switch (accepts(op, input)) {
    case Accepts::any: return true;
    case Accepts::numeric: return t != DType::boolean;
    case Accepts::floating: return is_floating(t);
    case Accepts::boolean: return t == DType::boolean;
    case Accepts::integer: return is_integer(t);
    case Accepts::bits: return is_integer(t) || t == DType::boolean;
  }
  return false;
}

std::string_view accepted_dtypes(Op op, std::size_t input) {
  if (is_index(op, input)) return "int32 or int64";
  switch (accepts(op, input)) {
    case Accepts::any: return "any dtype";
    case Accepts::numeric: return "a number dtype";
    case Accepts::floating: return "a floating point dtype";
    case Accepts::boolean: return "bool";
    case Accepts::integer: return "an integer dtype";
    case Accepts::bits: return "an integer dtype or bool";
  }
  return "";
}

}  // namespace jitney::ir
