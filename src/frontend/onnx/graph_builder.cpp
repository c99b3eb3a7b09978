// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "frontend/onnx/graph_builder.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "ir/element.h"
#include "ir/read_dims.h"
#include "util/half.h"

namespace jitney::onnx {

using ir::Attributes;
using ir::Dim;
using ir::Guard;
using ir::kNoValue;
using ir::Op;
using ir::Shape;
using ir::ValueId;

namespace {

template <class T>
Tensor tensor_of(DType dtype, T number) {
  Tensor tensor(dtype, {});
  std::memcpy(tensor.data(), &number, sizeof(T));
  return tensor;
}

bool has_absent(const std::vector<ValueId>& inputs) {
  for (const ValueId id : inputs) {
    if (id == kNoValue) return true;
  }
  return false;
}

}  // namespace

Tensor make_scalar(double number, DType dtype) {
  switch (dtype) {
    case DType::f32: return tensor_of(dtype, static_cast<float>(number));
    case DType::f64: return tensor_of(dtype, number);
    case DType::f16: return tensor_of(dtype, f32_to_f16(static_cast<float>(number)));
    case DType::bf16: return tensor_of(dtype, f32_to_bf16(static_cast<float>(number)));
    case DType::i8: return tensor_of(dtype, ir::store<std::int8_t>(number));
    case DType::i16: return tensor_of(dtype, ir::store<std::int16_t>(number));
    case DType::i32: return tensor_of(dtype, ir::store<std::int32_t>(number));
    case DType::i64: return tensor_of(dtype, ir::store<std::int64_t>(number));
    case DType::u8: return tensor_of(dtype, ir::store<std::uint8_t>(number));
    case DType::u16: return tensor_of(dtype, ir::store<std::uint16_t>(number));
    case DType::u32: return tensor_of(dtype, ir::store<std::uint32_t>(number));
    case DType::u64: return tensor_of(dtype, ir::store<std::uint64_t>(number));
    case DType::boolean: return tensor_of(dtype, static_cast<std::uint8_t>(number != 0));
    default: break;
  }
  return tensor_of(dtype, ir::store<std::uint8_t>(number));  // only stored: its bits
}

GraphBuilder GraphBuilder::inside(const GraphBuilder& outer) {
  GraphBuilder inner;
  inner.graph.symbols = outer.graph.symbols;
  inner.symbol_counter_ = outer.symbol_counter_;
  inner.open_ = outer.open_;
  return inner;
}

void GraphBuilder::begin_node(std::string node_name, std::string value_stem) {
  node_name_ = std::move(node_name);
  value_stem_ = std::move(value_stem);
  next_value_ = 0;
}

Status GraphBuilder::status() const {
  if (failure_) return tl::unexpected(*failure_);
  return {};
}

void GraphBuilder::fail(Failure failure) {
  if (!failure_) failure_ = std::move(failure);
}

const Shape& GraphBuilder::shape(ValueId id) const {
  static const Shape none;
  return id == kNoValue ? none : graph.value(id).shape;
}

std::string GraphBuilder::unique(std::string name) {
  if (name.empty()) name = "value";
  if (!reserved_.contains(name) && names_.insert(name).second) return name;
  for (;;) {
    std::string candidate = fmt::format("{}.{}", name, ++name_counts_[name]);
    if (!reserved_.contains(candidate) && names_.insert(candidate).second) return candidate;
  }
}

std::string GraphBuilder::claim(const std::string& name) {
  reserved_.erase(name);
  return unique(name);
}

bool GraphBuilder::rename(ValueId id, const std::string& name) {
  if (id == kNoValue || !named_.insert(id).second) return false;
  graph.value(id).name = claim(name);
  return true;
}

ValueId GraphBuilder::typed_node(Op op, std::vector<ValueId> inputs, DType dtype, Shape shape, Attributes attributes) {
  if (!ok()) return kNoValue;
  const ValueId id = graph.add_node(op, node_name_, std::move(inputs), dtype, std::move(shape), std::move(attributes));
  graph.value(id).name = unique(fmt::format("{}.{}", value_stem_, ++next_value_));
  return id;
}

ValueId GraphBuilder::node(Op op, std::vector<ValueId> inputs, Attributes attributes) {
  if (!ok()) return kNoValue;
  std::vector<const ir::Value*> values;
  for (const ValueId id : inputs) values.push_back(id == kNoValue ? nullptr : &graph.value(id));
  auto inferred = ir::infer(op, node_name_, values, attributes, graph.guards);
  if (!inferred) {
    fail(std::move(inferred).error());
    return kNoValue;
  }
  return typed_node(op, std::move(inputs), inferred->dtype, std::move(inferred->shape), std::move(attributes));
}

ValueId GraphBuilder::cast(ValueId x, DType to) {
  if (!ok() || x == kNoValue || dtype(x) == to) return x;
  // Only the operator Cast takes those, by their bits (storage_cast.h).
  for (const DType stored : {dtype(x), to})
    if (is_storage_only(stored)) {
      fail({ErrorKind::user, fmt::format("node '{}' computes with {}, which can only be stored and cast", node_name_,
                                         to_string(stored))});
      return kNoValue;
    }
  return typed_node(Op::cast, {x}, to, shape(x));
}

ValueId GraphBuilder::bitcast(ValueId x, DType to) {
  if (!ok() || x == kNoValue || dtype(x) == to) return x;
  return typed_node(Op::bitcast, {x}, to, shape(x));
}

ValueId GraphBuilder::reshape(ValueId x, Shape to) {
  if (!ok() || x == kNoValue || shape(x) == to) return x;
  require(Guard::Relation::equal, ir::product(shape(x)), ir::product(to),
          fmt::format("'{}' reshapes {} to {}, which must have as many elements", node_name_, ir::to_string(shape(x)),
                      ir::to_string(to)));
  if (!ok()) return kNoValue;
  return typed_node(Op::reshape, {x}, dtype(x), std::move(to));
}

ValueId GraphBuilder::expand(ValueId x, Shape to) {
  if (!ok() || x == kNoValue || shape(x) == to) return x;
  return typed_node(Op::expand, {x}, dtype(x), std::move(to));
}

ValueId GraphBuilder::permute(ValueId x, const std::vector<std::int64_t>& perm) {
  if (!ok() || has_absent({x})) return kNoValue;
  std::vector<std::int64_t> identity(perm.size());
  std::iota(identity.begin(), identity.end(), 0);
  if (perm == identity) return x;
  Shape to;
  for (const std::int64_t axis : perm) to.push_back(shape(x)[static_cast<std::size_t>(axis)]);
  return typed_node(Op::permute, {x}, dtype(x), std::move(to), {{"perm", perm}});
}

ValueId GraphBuilder::slice(ValueId x, std::vector<Dim> starts, std::vector<std::int64_t> steps, Shape to) {
  if (!ok() || has_absent({x})) return kNoValue;
  const bool whole = shape(x) == to && steps == std::vector<std::int64_t>(steps.size(), 1);
  if (whole) return x;
  return typed_node(Op::slice, {x}, dtype(x), std::move(to),
                    {{"starts", std::move(starts)}, {"steps", std::vector<Dim>(steps.begin(), steps.end())}});
}

ValueId GraphBuilder::reduce(Op op, ValueId x, std::vector<std::int64_t> axes, bool keepdims) {
  return node(op, {x}, {{"axes", std::move(axes)}, {"keepdims", static_cast<std::int64_t>(keepdims)}});
}

ValueId GraphBuilder::scalar(double number, DType dtype) {
  if (!ok()) return kNoValue;
  if (std::isnan(number)) return constant("nan", make_scalar(number, dtype));
  // -0.0 and 0.0 compare equal, but are not the same constant.
  const auto key =
      std::pair(std::signbit(number) && number == 0 ? -std::numeric_limits<double>::denorm_min() : number, dtype);
  const auto [entry, added] = scalars_.try_emplace(key, kNoValue);
  if (added) entry->second = constant(fmt::format("const_{}", number), make_scalar(number, dtype));
  return entry->second;
}

ValueId GraphBuilder::constant(const std::string& name, Tensor tensor) {
  const ValueId id = graph.add_constant(claim(name), std::move(tensor));
  named_.insert(id);
  return id;
}

ValueId GraphBuilder::iota(Shape shape, int axis) {
  return typed_node(Op::iota, {}, DType::i64, std::move(shape), {{"axis", static_cast<std::int64_t>(axis)}});
}

Dim GraphBuilder::new_symbol(std::int64_t most) {
  std::string name = value_stem_;
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_' && c != '.') c = '_';
  }
  if (name.empty() || std::isalpha(static_cast<unsigned char>(name.front())) == 0) name.insert(0, 1, 'v');
  // The number makes it another's than any in the graphs around, whose builders share the counter.
  do {
    name = fmt::format("{}:{}", name.substr(0, name.find(':')), ++*symbol_counter_);
  } while (graph.symbols.contains(name));
  graph.symbols.emplace(name, ir::SymbolInfo{0, most});
  return Dim::symbol(name);
}

std::vector<ValueId> GraphBuilder::hosted(Op op, std::vector<ValueId> inputs,
                                          const std::vector<std::pair<DType, Shape>>& outputs, std::vector<Dim> symbols,
                                          Attributes attributes) {
  if (!ok()) return std::vector<ValueId>(outputs.size(), kNoValue);
  attributes["symbols"] = std::move(symbols);
  ir::Node node{op, node_name_, std::move(inputs), {}, std::move(attributes)};
  for (const auto& [type, shape] : outputs) {
    node.outputs.push_back(graph.add_value(unique(fmt::format("{}.{}", value_stem_, ++next_value_)), type, shape));
  }
  graph.nodes.push_back(std::move(node));
  return graph.nodes.back().outputs;
}

std::vector<Dim> GraphBuilder::read_dims(const std::string& rule, std::vector<ValueId> operands, std::vector<Dim> given,
                                         std::size_t count) {
  std::vector<Dim> symbols;
  for (std::size_t i = 0; i < count; ++i) symbols.push_back(new_symbol());
  for (const ValueId id : operands) {
    if (!ok() || ir::is_operand(rule, dtype(id))) continue;
    fail({ErrorKind::user, fmt::format("node '{}' takes extents from '{}', which cannot be {}", node_name_,
                                       graph.value(id).name, to_string(dtype(id)))});
  }
  hosted(Op::read_dims, std::move(operands), {{DType::i64, {Dim(static_cast<std::int64_t>(count))}}}, symbols,
         {{"rule", rule}, {"given", std::move(given)}});
  return symbols;
}

namespace {

/// Whether the relation holds for all values of the symbols; nothing if that depends on them.
std::optional<bool> decide(Guard::Relation relation, const Dim& a, const Dim& b, const Symbols& symbols) {
  switch (relation) {
    case Guard::Relation::equal: return decide_equal(a, b, symbols);
    case Guard::Relation::less_equal:
      if (proves_at_least(b, a, symbols)) return true;
      if (proves_at_least(a - Dim(1), b, symbols)) return false;
      return std::nullopt;
    case Guard::Relation::divides:
      if (const auto ca = a.constant(), cb = b.constant(); ca && cb) return *ca != 0 && *cb % *ca == 0;
      if (Dim::divide_exactly(b, a)) return true;
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

void GraphBuilder::require(Guard::Relation relation, const Dim& a, const Dim& b, std::string reason) {
  const auto decided = decide(relation, a, b, graph.symbols);
  if (decided == false) fail({ErrorKind::user, std::move(reason)});
  if (!decided) graph.guards.push_back({relation, a, b, std::move(reason)});
}

Status GraphBuilder::settle_guards() {
  const auto before = [](const Guard* x, const Guard* y) {
    if (x->relation != y->relation) return x->relation < y->relation;
    const int a = Dim::compare(x->a, y->a);
    return a != 0 ? a < 0 : Dim::compare(x->b, y->b) < 0;
  };
  std::set<const Guard*, decltype(before)> seen(before);
  std::vector<Guard> kept;
  for (const Guard& guard : graph.guards) {
    const auto decided = decide(guard.relation, guard.a, guard.b, graph.symbols);
    if (decided == false)
      return user_error("{}; found {} and {}", guard.reason, guard.a.to_string(), guard.b.to_string());
    if (!decided && seen.insert(&guard).second) kept.push_back(guard);
  }
  graph.guards = std::move(kept);
  return {};
}

void GraphBuilder::add_output(ValueId id, const std::string& name) {
  if (!ok() || id == kNoValue) return;
  const auto& outputs = graph.outputs;
  const bool taken = std::find(outputs.begin(), outputs.end(), id) != outputs.end();
  if (taken || graph.value(id).name != name) {
    const bool computed = std::any_of(graph.nodes.begin(), graph.nodes.end(), [id](const ir::Node& node) {
      return std::find(node.outputs.begin(), node.outputs.end(), id) != node.outputs.end();
    });
    if (taken || !computed) id = typed_node(Op::reshape, {id}, dtype(id), shape(id));
    graph.value(id).name = claim(name);
    named_.insert(id);
  }
  graph.outputs.push_back(id);
  graph.output_names.push_back(name);
}

ValueId GraphBuilder::materialize(ModelValue& value) {
  if (!ok()) return kNoValue;
  if (value.id != kNoValue) return value.id;
  if (value.constant != nullptr) {
    const auto [found, is_new] = constants_.try_emplace(value.constant, kNoValue);
    if (is_new) found->second = constant(value.name, *value.constant);
    value.id = found->second;
  } else if (value.known) {
    value.id = materialize_known(value);
  }
  return value.id;
}

ValueId GraphBuilder::materialize_known(ModelValue& value) {
  const ShapeTensor& known = *value.known;
  if (const auto numbers = known.constants()) {
    Tensor tensor(value.dtype, known.shape);
    for (std::size_t i = 0; i < numbers->size(); ++i) {
      const std::int64_t number = (*numbers)[i];
      if (value.dtype == DType::i64) tensor.as<std::int64_t>()[i] = number;
      if (value.dtype == DType::i32) tensor.as<std::int32_t>()[i] = static_cast<std::int32_t>(number);
      if (value.dtype == DType::boolean) tensor.as<std::uint8_t>()[i] = number != 0;
    }
    return constant(value.name, std::move(tensor));
  }
  const Shape flat = known.shape.empty() ? Shape{} : Shape{Dim(static_cast<std::int64_t>(known.values.size()))};
  ValueId id = typed_node(Op::dims, {}, DType::i64, flat, {{"values", known.values}});
  id = cast(reshape(id, value.shape), value.dtype);
  rename(id, value.name);
  return id;
}

}  // namespace jitney::onnx
