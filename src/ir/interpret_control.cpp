// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "ir/hosted.h"
#include "ir/interpret_internal.h"

namespace jitney::ir {
namespace {

using Tensors = std::vector<Tensor>;

Expected<Tensors> run_body(const Graph& body, const std::vector<const Tensor*>& inputs, SymbolValues symbols) {
  std::vector<std::vector<std::int64_t>> shapes;
  for (const Tensor* t : inputs) shapes.push_back(t->shape());
  JITNEY_CHECK(bind_body(body, shapes, symbols));
  return interpret_body(body, inputs, symbols);
}

bool is_true(const Tensor& t) { return *t.as<std::uint8_t>() != 0; }

/// Values of all iterations along a new first axis. Without any iteration extents that only a run tells are 0.
Expected<Tensor> stacked(const Value& v, const Tensors& parts, const SymbolValues& symbols) {
  std::vector<std::int64_t> shape;
  if (parts.empty()) {
    for (const Dim& d : v.shape) shape.push_back(d.evaluate(symbols).value_or(0));
  } else {
    shape = parts[0].shape();
  }
  shape.insert(shape.begin(), static_cast<std::int64_t>(parts.size()));
  Tensor out(v.dtype, shape);
  auto* to = out.as<std::byte>();
  for (const Tensor& part : parts) {
    if (part.shape() != parts[0].shape())
      return user_error("output '{}' has other extents in a later iteration, and cannot be stacked", v.name);
    if (part.num_bytes() != 0) std::memcpy(to, part.data(), part.num_bytes());
    to += part.num_bytes();
  }
  return out;
}

Expected<Tensors> loop(const Node& node, const std::vector<const Tensor*>& inputs, const SymbolValues& symbols) {
  const Graph& body = node.graph("body");
  const auto carried = static_cast<std::size_t>(node.integer("carried"));
  const std::int64_t trips = *inputs[0]->as<std::int64_t>();
  Tensor iteration(DType::i64, {}), condition(DType::boolean, {});
  *condition.as<std::uint8_t>() = is_true(*inputs[1]);
  Tensors values;
  for (std::size_t i = 0; i < carried; ++i) values.push_back(*inputs[2 + i]);
  std::vector<Tensors> stacks(node.outputs.size() - carried);
  for (std::int64_t n = 0; n < trips && is_true(condition); ++n) {
    *iteration.as<std::int64_t>() = n;
    std::vector<const Tensor*> arguments = inputs;
    arguments[0] = &iteration;
    arguments[1] = &condition;
    for (std::size_t i = 0; i < carried; ++i) arguments[2 + i] = &values[i];
    JITNEY_TRY(Tensors results, run_body(body, arguments, symbols));
    if (results[0].num_elements() != 1) return user_error("its condition has {} elements", results[0].num_elements());
    *condition.as<std::uint8_t>() = is_true(results[0]);
    for (std::size_t i = 0; i < carried; ++i) values[i] = std::move(results[1 + i]);
    for (std::size_t i = 0; i < stacks.size(); ++i) stacks[i].push_back(std::move(results[1 + carried + i]));
  }
  for (std::size_t i = 0; i < stacks.size(); ++i) {
    JITNEY_TRY(values.emplace_back(), stacked(body.value(body.outputs[1 + carried + i]), stacks[i], symbols));
  }
  return values;
}

}  // namespace

Expected<Tensors> interpret_control(const Node& node, const std::vector<const Tensor*>& inputs,
                                    const SymbolValues& symbols) {
  if (node.op == Op::stage) return interpret_body(node.graph("body"), inputs, symbols);
  for (std::size_t i = 0; i < (node.op == Op::loop ? 2U : 1U); ++i) {
    if (inputs[i]->num_elements() != 1)
      return user_error("its input {} has {} elements; one is expected", i, inputs[i]->num_elements());
  }
  if (node.op == Op::loop) return loop(node, inputs, symbols);
  return run_body(node.graph(is_true(*inputs[0]) ? "then" : "else"), {inputs.begin() + 1, inputs.end()}, symbols);
}

}  // namespace jitney::ir
