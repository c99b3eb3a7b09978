// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "passes/share_common.h"

#include <map>
#include <tuple>

#include "passes/rewrite.h"

namespace jitney::passes {

namespace {

std::string describe(const ir::Attributes& attributes) {
  std::string s;
  for (const auto& [key, value] : attributes) {
    s += key + "=";
    if (const auto* i = std::get_if<std::int64_t>(&value)) s += std::to_string(*i);
    if (const auto* d = std::get_if<double>(&value)) s += fmt::format("{:a}", *d);
    if (const auto* t = std::get_if<std::string>(&value)) s += *t;
    if (const auto* v = std::get_if<std::vector<std::int64_t>>(&value))
      for (auto x : *v) s += std::to_string(x) + ",";
    if (const auto* v = std::get_if<std::vector<ir::Dim>>(&value))
      for (const auto& x : *v) s += x.to_string() + ",";
    s += ";";
  }
  return s;
}

}  // namespace

Expected<ir::Graph> share_common(const ir::Graph& graph) {
  Rewriter rw(graph);
  std::map<std::tuple<ir::Op, std::vector<ir::ValueId>, DType, std::string, std::string>, ir::ValueId> seen;
  for (const auto& node : graph.nodes) {
    if (node.outputs.size() != 1 || node.op == ir::Op::region) {
      rw.copy(node);
      continue;
    }
    const auto& out = graph.value(node.outputs[0]);
    auto key = std::make_tuple(node.op, rw(node.inputs), out.dtype, to_string(out.shape), describe(node.attributes));
    if (auto it = seen.find(key); it != seen.end()) {
      rw.replace(node.outputs[0], it->second);
      continue;
    }
    rw.copy(node);
    seen.emplace(std::move(key), rw(node.outputs[0]));
  }
  return rw.finish();
}

}  // namespace jitney::passes
