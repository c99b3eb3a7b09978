// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// What the runtime relies on when it runs hosted operators: dtypes, ranks and counts. Extents are checked when known.
#include <set>

#include "ir/hosted.h"
#include "ir/read_dims.h"
#include "ir/verify_internal.h"

namespace jitney::ir {
namespace {

class HostedVerifier {
 public:
  HostedVerifier(const Graph& graph, const Node& node) : g_(graph), node_(node) {}

  Status run() {
    if (node_.op != Op::stage) JITNEY_CHECK(symbols());
    switch (node_.op) {
      case Op::nonzero: return nonzero();
      case Op::compress: return compress();
      case Op::unique: return unique();
      case Op::non_max_suppression: return non_max_suppression();
      case Op::read_dims: return read_dims();
      case Op::branch: return branch();
      case Op::loop: return loop();
      case Op::stage: return stage();
      default: return internal_error("it is no hosted operator");
    }
  }

 private:
  const Value& in(std::size_t i) const { return g_.value(node_.inputs[i]); }
  const Value& out(std::size_t i) const { return g_.value(node_.outputs[i]); }
  bool has(std::size_t i) const { return i < node_.inputs.size() && node_.inputs[i] != kNoValue; }

  Status symbols() const {
    std::set<std::string> seen;
    for (const Dim& d : node_.dims("symbols")) {
      const auto name = d.symbol_name();
      if (!name || !seen.insert(*name).second) return internal_error("'{}' is no new symbol", d.to_string());
    }
    return {};
  }

  Status outputs(std::size_t count) const {
    if (node_.outputs.size() == count) return {};
    return internal_error("it has {} outputs; {} were expected", node_.outputs.size(), count);
  }
  static Status type(const Value& v, DType dtype, std::size_t rank) {
    if (v.dtype == dtype && v.shape.size() == rank) return {};
    return internal_error("'{}' is {}{}; {} of rank {} was expected", v.name, to_string(v.dtype), to_string(v.shape),
                          to_string(dtype), rank);
  }
  /// A scalar, or one element in any number of axes.
  static Status one_element(const Value& v, DType dtype) {
    if (v.dtype == dtype && !differ(product(v.shape), 1)) return {};
    return internal_error("'{}' is {}{}; one {} was expected", v.name, to_string(v.dtype), to_string(v.shape),
                          to_string(dtype));
  }

  Status nonzero() const {
    JITNEY_CHECK(outputs(1));
    return type(out(0), DType::i64, 2);
  }

  Status axis() const {
    const std::int64_t axis = node_.integer("axis");
    if (axis >= 0 && axis < std::ssize(in(0).shape)) return {};
    return internal_error("axis {} is not in [0, {})", axis, in(0).shape.size());
  }

  Status compress() const {
    JITNEY_CHECK(outputs(1));
    JITNEY_CHECK(axis());
    JITNEY_CHECK(type(in(1), DType::boolean, 1));
    return type(out(0), in(0).dtype, in(0).shape.size());
  }

  Status unique() const {
    JITNEY_CHECK(outputs(4));
    JITNEY_CHECK(axis());
    JITNEY_CHECK(type(out(0), in(0).dtype, in(0).shape.size()));
    for (std::size_t i = 1; i < 4; ++i) JITNEY_CHECK(type(out(i), DType::i64, 1));
    return {};
  }

  Status non_max_suppression() const {
    JITNEY_CHECK(outputs(1));
    JITNEY_CHECK(type(in(0), DType::f32, 3));
    JITNEY_CHECK(type(in(1), DType::f32, 3));
    if (has(2)) JITNEY_CHECK(one_element(in(2), DType::i64));
    if (has(3)) JITNEY_CHECK(one_element(in(3), DType::f32));
    if (has(4)) JITNEY_CHECK(one_element(in(4), DType::f32));
    return type(out(0), DType::i64, 2);
  }

  Status read_dims() const {
    JITNEY_CHECK(outputs(1));
    const std::string& rule = node_.text("rule");
    if (!is_rule(rule, node_.inputs.size(), node_.dims("given").size()))
      return internal_error("there is no rule '{}' for {} operands and {} given extents", rule, node_.inputs.size(),
                            node_.dims("given").size());
    for (std::size_t i = 0; i < node_.inputs.size(); ++i) {
      if (!is_operand(rule, in(i).dtype)) return internal_error("operand {} is {}", i, to_string(in(i).dtype));
    }
    const auto count = static_cast<std::int64_t>(node_.dims("symbols").size());
    if (is_test(rule) && count == 0) return type(out(0), DType::boolean, 0);
    if (out(0).dtype == DType::i64 && out(0).shape == Shape{Dim(count)}) return {};
    return internal_error("'{}' is {}{}; {} numbers were expected", out(0).name, to_string(out(0).dtype),
                          to_string(out(0).shape), count);
  }

  static Status same_type(const Value& a, const Value& b, const std::string& what) {
    if (a.dtype == b.dtype && a.shape.size() == b.shape.size()) return {};
    return internal_error("{} is {}{} and {}{}", what, to_string(a.dtype), to_string(a.shape), to_string(b.dtype),
                          to_string(b.shape));
  }

  Status branch() const {
    JITNEY_CHECK(one_element(in(0), DType::boolean));
    for (const char* key : {"then", "else"}) {
      const Graph& body = node_.graph(key);
      if (body.inputs.size() + 1 != node_.inputs.size() || body.outputs.size() != node_.outputs.size())
        return internal_error("its {} has {} inputs and {} outputs", key, body.inputs.size(), body.outputs.size());
      for (std::size_t i = 0; i < body.inputs.size(); ++i)
        JITNEY_CHECK(same_type(in(i + 1), body.value(body.inputs[i]), fmt::format("input {} of its {}", i, key)));
      for (std::size_t i = 0; i < body.outputs.size(); ++i)
        JITNEY_CHECK(same_type(out(i), body.value(body.outputs[i]), fmt::format("output {} of its {}", i, key)));
    }
    return {};
  }

  Status loop() const {
    const Graph& body = node_.graph("body");
    const std::int64_t given = node_.integer("carried");
    if (given < 0 || given > std::ssize(node_.outputs) || given + 2 > std::ssize(node_.inputs))
      return internal_error("it cannot carry {} values", given);
    const auto carried = static_cast<std::size_t>(given);
    if (body.inputs.size() != node_.inputs.size() || body.outputs.size() != node_.outputs.size() + 1)
      return internal_error("its body has {} inputs and {} outputs", body.inputs.size(), body.outputs.size());
    JITNEY_CHECK(one_element(in(0), DType::i64));
    JITNEY_CHECK(one_element(in(1), DType::boolean));
    JITNEY_CHECK(type(body.value(body.inputs[0]), DType::i64, 0));
    JITNEY_CHECK(type(body.value(body.inputs[1]), DType::boolean, 0));
    JITNEY_CHECK(one_element(body.value(body.outputs[0]), DType::boolean));
    for (std::size_t i = 2; i < body.inputs.size(); ++i)
      JITNEY_CHECK(same_type(in(i), body.value(body.inputs[i]), fmt::format("input {}", i)));
    for (std::size_t i = 0; i < node_.outputs.size(); ++i) {
      const Value& inner = body.value(body.outputs[i + 1]);
      if (i < carried) {
        JITNEY_CHECK(same_type(in(i + 2), inner, fmt::format("carried value {}", i)));
        JITNEY_CHECK(same_type(out(i), inner, fmt::format("output {}", i)));
      } else {
        JITNEY_CHECK(type(out(i), inner.dtype, inner.shape.size() + 1));
      }
    }
    return {};
  }

  Status stage() const {
    const Graph& body = node_.graph("body");
    if (body.inputs.size() != node_.inputs.size() || body.outputs.size() != node_.outputs.size())
      return internal_error("its body has {} inputs and {} outputs", body.inputs.size(), body.outputs.size());
    for (std::size_t i = 0; i < body.inputs.size(); ++i)
      JITNEY_CHECK(same_type(in(i), body.value(body.inputs[i]), fmt::format("input {}", i)));
    for (std::size_t i = 0; i < body.outputs.size(); ++i)
      JITNEY_CHECK(same_type(out(i), body.value(body.outputs[i]), fmt::format("output {}", i)));
    return {};
  }

  const Graph& g_;
  const Node& node_;
};

}  // namespace

Status verify_hosted(const Graph& graph, const Node& node) { return HostedVerifier(graph, node).run(); }

}  // namespace jitney::ir
