// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "passes/rewrite.h"

#include <cmath>
#include <limits>

#include "util/half.h"

namespace jitney::passes {

using ir::kNoValue;
using ir::ValueId;

Rewriter::Rewriter(const ir::Graph& source) : from(source), map_(source.values.size(), kNoValue) {
  to.name = from.name;
  to.guards = from.guards;
  to.symbols = from.symbols;
  to.metadata = from.metadata;
  for (std::size_t i = 0; i < from.outputs.size(); ++i) to.output_names.push_back(from.output_name(i));
  for (ValueId id : from.inputs) {
    const auto& v = from.value(id);
    ValueId now = to.add_value(v.name, v.dtype, v.shape);
    to.inputs.push_back(now);
    replace(id, now);
  }
}

ValueId Rewriter::operator()(ValueId old) {
  if (old == kNoValue) return kNoValue;
  ValueId& now = map_[static_cast<std::size_t>(old)];
  if (now == kNoValue && from.is_constant(old)) now = to.add_constant(from.value(old).name, *from.value(old).constant);
  return now;
}

std::vector<ValueId> Rewriter::operator()(const std::vector<ValueId>& old) {
  std::vector<ValueId> now;
  now.reserve(old.size());
  for (ValueId id : old) now.push_back((*this)(id));
  return now;
}

void Rewriter::copy(const ir::Node& node) {
  ir::Node n = node;
  n.inputs = (*this)(node.inputs);
  for (ValueId& out : n.outputs) {
    const auto& v = from.value(out);
    ValueId now = to.add_value(v.name, v.dtype, v.shape);
    replace(out, now);
    out = now;
  }
  to.nodes.push_back(std::move(n));
}

std::string Rewriter::fresh(const std::string& base) {
  if (taken_.empty())
    for (const auto& v : from.values) taken_.insert(v.name);
  for (;; ++fresh_) {
    std::string name = fmt::format("{}~{}", base.substr(0, base.find('~')), fresh_);
    if (taken_.insert(name).second) return name;
  }
}

ValueId Rewriter::emit(ir::Op op, const std::string& name, std::vector<ValueId> inputs, DType dtype, ir::Shape shape,
                       ir::Attributes attributes) {
  ValueId out = to.add_value(fresh(name), dtype, std::move(shape));
  to.nodes.push_back(ir::Node{op, name, std::move(inputs), {out}, std::move(attributes)});
  return out;
}

ValueId Rewriter::scalar(DType dtype, double value) {
  Tensor t(dtype, {});
  store_scalar(dtype, value, t.data());
  return to.add_constant(fresh("scalar"), std::move(t));
}

ir::Graph Rewriter::finish() {
  for (ValueId id : from.outputs) to.outputs.push_back((*this)(id));
  return std::move(to);
}

namespace {
template <class T>
void store_integer(double v, void* to) {
  // Saturates: the behaviour of ir::Op::cast from floating point.
  constexpr double lo = static_cast<double>(std::numeric_limits<T>::min());
  constexpr double hi = static_cast<double>(std::numeric_limits<T>::max());
  T t = std::isnan(v) ? T(0)
        : v <= lo     ? std::numeric_limits<T>::min()
        : v >= hi     ? std::numeric_limits<T>::max()
                      : static_cast<T>(v);
  *static_cast<T*>(to) = t;
}
}  // namespace

void store_scalar(DType dtype, double v, void* to) {
  switch (dtype) {
    case DType::f32: *static_cast<float*>(to) = static_cast<float>(v); break;
    case DType::f64: *static_cast<double*>(to) = v; break;
    case DType::f16: *static_cast<std::uint16_t*>(to) = f32_to_f16(static_cast<float>(v)); break;
    case DType::bf16: *static_cast<std::uint16_t*>(to) = f32_to_bf16(static_cast<float>(v)); break;
    case DType::i8: store_integer<std::int8_t>(v, to); break;
    case DType::i16: store_integer<std::int16_t>(v, to); break;
    case DType::i32: store_integer<std::int32_t>(v, to); break;
    case DType::i64: store_integer<std::int64_t>(v, to); break;
    case DType::u8: store_integer<std::uint8_t>(v, to); break;
    case DType::u16: store_integer<std::uint16_t>(v, to); break;
    case DType::u32: store_integer<std::uint32_t>(v, to); break;
    case DType::u64: store_integer<std::uint64_t>(v, to); break;
    case DType::boolean: *static_cast<std::uint8_t*>(to) = v != 0; break;
    default: store_integer<std::uint8_t>(v, to); break;  // only stored: its bits
  }
}

double load_scalar(DType dtype, const void* p) {
  switch (dtype) {
    case DType::f32: return *static_cast<const float*>(p);
    case DType::f64: return *static_cast<const double*>(p);
    case DType::f16: return f16_to_f32(*static_cast<const std::uint16_t*>(p));
    case DType::bf16: return bf16_to_f32(*static_cast<const std::uint16_t*>(p));
    case DType::i8: return *static_cast<const std::int8_t*>(p);
    case DType::i16: return *static_cast<const std::int16_t*>(p);
    case DType::i32: return *static_cast<const std::int32_t*>(p);
    case DType::i64: return static_cast<double>(*static_cast<const std::int64_t*>(p));
    case DType::boolean:
    default: return *static_cast<const std::uint8_t*>(p);
    case DType::u16: return *static_cast<const std::uint16_t*>(p);
    case DType::u32: return *static_cast<const std::uint32_t*>(p);
    case DType::u64: return static_cast<double>(*static_cast<const std::uint64_t*>(p));
  }
  return 0;
}

std::optional<double> scalar_constant(const ir::Graph& graph, ValueId id) {
  if (!graph.is_constant(id)) return std::nullopt;
  const Tensor& t = *graph.value(id).constant;
  if (t.num_elements() != 1) return std::nullopt;
  return load_scalar(t.dtype(), t.data());
}

}  // namespace jitney::passes
