// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "passes/traffic.h"

#include <optional>
#include <set>

#include "passes/rewrite.h"

namespace jitney::passes {

using ir::Dim;
using ir::Op;
using ir::OpFamily;
using ir::ValueId;

namespace {

Dim bytes(const ir::Value& v) { return ir::product(v.shape) * Dim(static_cast<std::int64_t>(size_of(v.dtype))); }

bool moves_nothing(const ir::Node& node) { return info(node.op).family == OpFamily::view; }

/// What a fused region's body reads of one input when that is only the data of gathers: what these give.
std::optional<Dim> gathered(const ir::Graph& body, ValueId input) {
  Dim total = 0;
  bool any = false;
  for (const auto& node : body.nodes)
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i] != input) continue;
      if (node.op != Op::gather || i != 0) return std::nullopt;
      total = total + bytes(body.value(node.outputs[0]));
      any = true;
    }
  return any ? std::optional(total) : std::nullopt;
}

}  // namespace

Dim TrafficOf::bytes_read(ValueId id) const {
  for (;;) {
    const int p = producers_[static_cast<std::size_t>(id)];
    if (p < 0) break;
    const auto& node = g_.nodes[static_cast<std::size_t>(p)];
    // A slice reads less than what it is made of, the others as much or, where they repeat elements, more.
    if (!moves_nothing(node) || node.op == Op::slice) break;
    id = node.inputs[0];
  }
  return bytes(g_.value(id));
}

Traffic TrafficOf::operator()(const ir::Node& node) const {
  Traffic t;
  if (moves_nothing(node)) return t;
  std::set<ValueId> seen;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const ValueId in = node.inputs[i];
    if (in == ir::kNoValue || scalar_constant(g_, in)) continue;
    std::optional<Dim> part;
    if (node.op == Op::gather && i == 0) part = bytes(g_.value(node.outputs[0]));
    if (node.op == Op::region && i < node.graph("body").inputs.size())
      part = gathered(node.graph("body"), node.graph("body").inputs[i]);
    if (part || seen.insert(in).second) t.read = t.read + (part ? *part : bytes_read(in));
  }
  for (ValueId out : node.outputs) t.written = t.written + bytes(g_.value(out));
  return t;
}

FusionSummary summarize_fusion(const ir::Graph& before, const ir::Graph& after) {
  FusionSummary s;
  auto add = [](Traffic& to, const Traffic& t) {
    to.read = to.read + t.read;
    to.written = to.written + t.written;
  };
  const TrafficOf unfused(before), fused(after);
  for (const auto& node : before.nodes) {
    s.operators += !moves_nothing(node);
    add(s.unfused, unfused(node));
  }
  for (const auto& node : after.nodes) {
    s.steps += node.op == Op::region;
    add(s.fused, fused(node));
  }
  return s;
}

}  // namespace jitney::passes
