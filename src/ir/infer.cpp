// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "ir/infer_context.h"

namespace jitney::ir {

std::string InferContext::shapes() const {
  std::string text;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (i != 0) text += i + 1 == inputs.size() ? " and " : ", ";
    text += has(i) ? to_string(shape(i)) : "none";
  }
  return text;
}

Status InferContext::equal(const Dim& a, const Dim& b, const std::string& what) const {
  const auto difference = (a - b).constant();
  if (difference && *difference != 0) {
    return user_error("{} must have one extent {}, and has {} and {} (inputs: {})", who(), what, a.to_string(),
                      b.to_string(), shapes());
  }
  if (!difference) {
    guards.push_back({Guard::Relation::equal, a, b, fmt::format("inputs of '{}' must have one extent {}", node, what)});
  }
  return {};
}

Status InferContext::at_most(const Dim& a, const Dim& b, const std::string& what) const {
  const auto room = (b - a).constant();
  if (room && *room < 0)
    return user_error("{} has {} {}; at most {} is allowed (inputs: {})", who(), a.to_string(), what, b.to_string(),
                      shapes());
  if (!room && !a.is(0))
    guards.push_back({Guard::Relation::less_equal, a, b, fmt::format("'{}' has too many {}", node, what)});
  return {};
}

Expected<std::size_t> InferContext::axis(std::size_t rank) const {
  const std::int64_t value = integer("axis");
  if (value < 0 || value >= static_cast<std::int64_t>(rank)) {
    return user_error("axis {} of {} is not in [0, {}) (inputs: {})", value, who(), rank, shapes());
  }
  return static_cast<std::size_t>(value);
}

namespace {

Status check_inputs(const InferContext& c) {
  const OpInfo& row = info(c.op);
  const auto count = static_cast<int>(c.inputs.size());
  if (count < row.min_inputs || (row.max_inputs >= 0 && count > row.max_inputs)) {
    return user_error("{} has {} inputs; {} to {} are allowed", c.who(), count, row.min_inputs,
                      row.max_inputs < 0 ? "any number" : std::to_string(row.max_inputs));
  }
  const std::size_t first = c.op == Op::where ? 1 : 0;  // decides the dtype
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    if (!c.has(i)) {
      if (static_cast<int>(i) < row.min_inputs) return user_error("{} lacks input {}", c.who(), i);
      continue;
    }
    if (!accepts_dtype(c.op, i, c.dtype(i))) {
      return user_error("input {} of {} is {}; it must be {}", i, c.who(), to_string(c.dtype(i)),
                        accepted_dtypes(c.op, i));
    }
    const bool own_dtype = (c.op == Op::where && i == 0) || is_index(c.op, i);
    if (!own_dtype && c.has(first) && c.dtype(i) != c.dtype(first)) {
      return user_error("inputs of {} have dtypes {} and {}; they must be equal", c.who(), to_string(c.dtype(first)),
                        to_string(c.dtype(i)));
    }
  }
  return {};
}

Expected<Inferred> infer_elementwise(const InferContext& c) {
  const std::size_t data = c.op == Op::where ? 1 : 0;
  Inferred out{gives_boolean(c.op) ? DType::boolean : c.dtype(data), c.shape(0)};
  for (std::size_t i = 1; i < c.inputs.size(); ++i) {
    JITNEY_TRY(out.shape, broadcast(out.shape, c.shape(i), c.node, c.guards));
  }
  return out;
}

Expected<Inferred> infer_reduce(const InferContext& c) {
  const bool arg = c.op == Op::arg_max || c.op == Op::arg_min;
  const auto& axes = c.integers("axes");
  const Shape& x = c.shape(0);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] < 0 || axes[i] >= static_cast<std::int64_t>(x.size())) {
      return user_error("axis {} of {} is not in [0, {}) (input: {})", axes[i], c.who(), x.size(), to_string(x));
    }
    if (i != 0 && axes[i] <= axes[i - 1]) {
      return user_error("axes of {} must be sorted and different, and have {} after {}", c.who(), axes[i], axes[i - 1]);
    }
  }
  if (arg && axes.size() != 1) return user_error("{} has {} axes; it must have one", c.who(), axes.size());
  Inferred out{arg ? DType::i64 : c.dtype(0), {}};
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!std::binary_search(axes.begin(), axes.end(), static_cast<std::int64_t>(i))) {
      out.shape.push_back(x[i]);
    } else if (c.integer("keepdims") != 0) {
      out.shape.push_back(1);
    }
  }
  return out;
}

}  // namespace

Expected<Inferred> infer_normalize(const InferContext& c) {
  const Shape& x = c.shape(0);
  if (c.op == Op::batch_norm) {
    if (x.size() < 2) return user_error("{} needs an input of rank 2 at least, and has {}", c.who(), to_string(x));
    for (std::size_t i = 1; i < c.inputs.size(); ++i) {
      if (c.shape(i).size() != 1)
        return user_error("input {} of {} must have rank 1 (inputs: {})", i, c.who(), c.shapes());
      JITNEY_CHECK(c.equal(x[1], c.shape(i)[0], "for the channels"));
    }
    return Inferred{c.dtype(0), x};
  }
  JITNEY_TRY(const std::size_t axis, c.axis(x.size()));
  for (std::size_t i = 1; i < c.inputs.size(); ++i) {  // layer_norm's scale and bias
    if (!c.has(i)) continue;
    const Shape& s = c.shape(i);
    if (s.size() > x.size() - axis) {
      return user_error("input {} of {} has more axes than are normalized (inputs: {})", i, c.who(), c.shapes());
    }
    for (std::size_t k = 0; k < s.size(); ++k) {
      const std::size_t at = x.size() - s.size() + k;
      if (!s[k].is(1)) JITNEY_CHECK(c.equal(x[at], s[k], fmt::format("along axis {}", at)));
    }
  }
  return Inferred{c.dtype(0), x};
}

Expected<Inferred> infer(Op op, std::string_view node_name, const std::vector<const Value*>& inputs,
                         const Attributes& attributes, std::vector<Guard>& guards) {
  const InferContext c{op, node_name, inputs, attributes, guards};
  JITNEY_CHECK(check_inputs(c));
  switch (op) {
    case Op::cast:
    case Op::bitcast:
    case Op::dims:
    case Op::iota:
    case Op::reshape:
    case Op::expand:
    case Op::slice:
    case Op::pad:
    case Op::top_k:
    case Op::max_pool:
    case Op::avg_pool:
    case Op::region: return internal_error("{} has its type from whoever builds it; it cannot be inferred", c.who());
    default: break;
  }
  if (is_hosted(op)) return internal_error("{} has its type from whoever builds it; it cannot be inferred", c.who());
  switch (info(op).family) {
    case OpFamily::unary:
    case OpFamily::binary:
    case OpFamily::ternary: return infer_elementwise(c);
    case OpFamily::reduce: return infer_reduce(c);
    case OpFamily::normalize: return infer_normalize(c);
    case OpFamily::scan: JITNEY_CHECK(c.axis(c.shape(0).size())); return Inferred{c.dtype(0), c.shape(0)};
    case OpFamily::contract: return infer_contract(c);
    default: return infer_movement(c);
  }
}

}  // namespace jitney::ir
