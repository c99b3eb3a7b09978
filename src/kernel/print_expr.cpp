// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "kernel/print_expr.h"

#include <cmath>

namespace jitney::kernel {

using ir::Op;

const char* storage_type(DType t) {
  static constexpr const char* kNames[] = {"f32", "f64", "f16", "bf16", "i8",  "i16", "i32",
                                           "i64", "u8",  "u16", "u32",  "u64", "b8"};
  return kNames[static_cast<int>(t)];
}

const char* compute_type(DType t) {
  static constexpr const char* kNames[] = {"f32", "f64", "f32", "f32", "i32", "i32", "i32",
                                           "i64", "u32", "u32", "u32", "u64", "i32"};
  return kNames[static_cast<int>(t)];
}

namespace {

bool is_narrow(DType t) { return t == DType::i8 || t == DType::i16 || t == DType::u8 || t == DType::u16; }

std::string call(std::string_view name, const std::vector<std::string>& args) {
  std::string s = "jt_" + std::string(name) + "(";
  for (std::size_t i = 0; i < args.size(); ++i) s += (i ? ", " : "") + args[i];
  return s + ")";
}

std::string cast(DType to, DType from, const std::string& x) {
  if (to == from) return x;
  if (from == DType::boolean) {
    // A mask is -1 or 0.
    return compute_type(to) == std::string("i32") ? "(" + x + " & 1)"
                                                  : call(std::string("to_") + compute_type(to), {"(" + x + " & 1)"});
  }
  if (to == DType::boolean) return call("to_mask", {x});
  if (is_narrow(to)) return call(std::string("to_") + storage_type(to), {x});
  if (std::string(compute_type(to)) == compute_type(from)) return x;  // f16, bf16 and f32; widened integers
  return call(std::string("to_") + compute_type(to), {x});
}

/// Through unsigned integers of the same size.
std::string bitcast(DType to, DType from, std::string x) {
  const auto bits_of = [](DType t) {
    return size_of(t) == 8 ? DType::u64 : size_of(t) == 4 ? DType::u32 : size_of(t) == 2 ? DType::u16 : DType::u8;
  };
  if (to == from) return x;
  if (is_floating(from)) {
    x = call(std::string("bits_") + storage_type(from), {x});
    from = bits_of(from);
  }
  if (!is_floating(to)) return cast(to, from, x);
  return call(std::string("of_bits_") + storage_type(to), {cast(bits_of(to), from, x)});
}

}  // namespace

std::string print_operation(const Expr& e, const std::vector<std::string>& a, const std::vector<DType>& types) {
  auto infix = [&](const char* op) { return a[0] + " " + op + " " + a[1]; };
  std::string s;
  if (types[0] == DType::boolean) {  // true is -1 in a mask, which integer comparison takes for the smaller one
    switch (e.op) {
      case Op::less: return "~" + a[0] + " & " + a[1];
      case Op::less_equal: return "~" + a[0] + " | " + a[1];
      case Op::min: return infix("&");
      case Op::max: return infix("|");
      default: break;
    }
  }
  switch (e.op) {
    case Op::add: s = infix("+"); break;
    case Op::sub: s = infix("-"); break;
    case Op::mul: s = infix("*"); break;
    case Op::neg: s = "-" + a[0]; break;
    case Op::cast: return cast(e.dtype, types[0], a[0]);
    case Op::bitcast: return bitcast(e.dtype, types[0], a[0]);
    case Op::logical_and:
    case Op::bitwise_and: return infix("&");
    case Op::logical_or:
    case Op::bitwise_or: return infix("|");
    case Op::logical_xor:
    case Op::bitwise_xor: return infix("^");
    case Op::logical_not: return "~" + a[0];
    case Op::bitwise_not: s = "~" + a[0]; break;
    case Op::is_nan: return call("not_equal", {a[0], a[0]});
    case Op::floor:
    case Op::ceil:
    case Op::round:
      if (!is_floating(e.dtype)) return a[0];
      return call(info(e.op).name, a);
    default: s = call(info(e.op).name, a); break;
  }
  // Narrow integers are computed in 32 bits and wrap.
  return is_narrow(e.dtype) ? call(std::string("to_") + storage_type(e.dtype), {s}) : s;
}

std::string print_literal(const Expr& e) {
  if (e.dtype == DType::boolean) return (e.integer != 0 || e.literal != 0) ? "-1" : "0";
  if (!is_floating(e.dtype)) {
    if (e.integer == INT64_MIN) return "(-9223372036854775807ll - 1)";
    if (e.dtype == DType::u64) return fmt::format("{}ull", static_cast<std::uint64_t>(e.integer));
    if (e.dtype == DType::u32) return fmt::format("{}u", static_cast<std::uint32_t>(e.integer));
    return e.dtype == DType::i64 ? fmt::format("{}ll", e.integer) : fmt::format("({})", e.integer);
  }
  const bool single = e.dtype != DType::f64;
  const char* suffix = single ? "f" : "";
  if (std::isnan(e.literal)) return fmt::format("__builtin_nan{}(\"\")", suffix);
  if (std::isinf(e.literal)) return fmt::format("({}__builtin_inf{}())", e.literal < 0 ? "-" : "", suffix);
  double v = single ? static_cast<double>(static_cast<float>(e.literal)) : e.literal;
  std::string s = single ? fmt::format("{}", static_cast<float>(v)) : fmt::format("{}", v);
  if (s.find_first_of(".e") == std::string::npos) s += ".0";
  return e.literal < 0 || std::signbit(e.literal) ? "(" + s + suffix + ")" : s + suffix;
}

namespace {

Reduction::Kind fold_kind(const Reduction& r) {
  if (r.dtype == DType::boolean && r.kind == Reduction::Kind::max) return Reduction::Kind::min;
  if (r.dtype == DType::boolean && r.kind == Reduction::Kind::min) return Reduction::Kind::max;
  return r.kind;
}

}  // namespace

const char* fold_name(const Reduction& r) {
  static constexpr const char* kNames[] = {"sum", "product", "max", "min"};
  return kNames[static_cast<int>(fold_kind(r))];
}

std::string print_combined(const Reduction& r, const std::string& a, const std::string& b) {
  switch (fold_kind(r)) {
    case Reduction::Kind::sum: return a + " + " + b;
    case Reduction::Kind::product: return a + " * " + b;
    default: return call(fold_name(r), {a, b});
  }
}

std::string print_identity(const Reduction& r, const std::string& lowest, const std::string& highest) {
  if (r.kind == Reduction::Kind::sum) return "0";
  if (r.kind == Reduction::Kind::product) return "1";
  const bool upper = r.kind == Reduction::Kind::min;
  if (is_floating(r.dtype)) return upper ? highest : lowest;
  switch (r.dtype) {
    case DType::i8: return upper ? "127" : "-128";
    case DType::i16: return upper ? "32767" : "-32768";
    case DType::i32: return upper ? "2147483647" : "(-2147483647 - 1)";
    case DType::i64: return upper ? "9223372036854775807ll" : "(-9223372036854775807ll - 1)";
    case DType::u8: return upper ? "255" : "0";
    case DType::u16: return upper ? "65535" : "0";
    default: return upper ? "-1" : "0";  // all bits set, which is true, too
  }
}

}  // namespace jitney::kernel
