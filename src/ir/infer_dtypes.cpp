// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "ir/infer_context.h"

namespace jitney::ir {
namespace {

enum class Accepts { any, numeric, floating, boolean, integer, bits, index };

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
    case Op::gather: return input == 1 ? Accepts::index : Accepts::any;
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

}  // namespace

bool accepts_dtype(Op op, std::size_t input, DType t) {
  switch (accepts(op, input)) {
    case Accepts::any: return true;
    case Accepts::numeric: return t != DType::boolean;
    case Accepts::floating: return is_floating(t);
    case Accepts::boolean: return t == DType::boolean;
    case Accepts::integer: return is_integer(t);
    case Accepts::bits: return is_integer(t) || t == DType::boolean;
    case Accepts::index: return t == DType::i32 || t == DType::i64;
  }
  return false;
}

std::string_view accepted_dtypes(Op op, std::size_t input) {
  switch (accepts(op, input)) {
    case Accepts::any: return "any dtype";
    case Accepts::numeric: return "a number dtype";
    case Accepts::floating: return "a floating point dtype";
    case Accepts::boolean: return "bool";
    case Accepts::integer: return "an integer dtype";
    case Accepts::bits: return "an integer dtype or bool";
    case Accepts::index: return "int32 or int64";
  }
  return "";
}

}  // namespace jitney::ir
