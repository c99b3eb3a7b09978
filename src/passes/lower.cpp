// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// The table of contents of lowering: every pass, in order.
#include "passes/lower.h"

#include <chrono>
#include <functional>
#include <span>

#include "ir/hosted.h"
#include "passes/absorb_epilogues.h"
#include "passes/contractions.h"
#include "passes/decompose.h"
#include "passes/divide.h"
#include "passes/eliminate_dead.h"
#include "passes/expand_transposed.h"
#include "passes/fold_batch_norm.h"
#include "passes/fold_constants.h"
#include "passes/fuse.h"
#include "passes/lower_precision.h"
#include "passes/recognize_activations.h"
#include "passes/recognize_attention.h"
#include "passes/share_common.h"
#include "passes/simplify.h"
#include "passes/sink_permutes.h"
#include "util/log.h"
#include "util/trace.h"

namespace jitney::passes {

namespace {

struct Pass {
  const char* name;
  std::function<Expected<ir::Graph>(const ir::Graph&)> run;
  ir::Stage after;
};

const Pass kOptimize[] = {
    {"eliminate_dead", eliminate_dead, ir::Stage::imported},
    {"fold_constants", fold_constants, ir::Stage::imported},
    {"fold_batch_norm", fold_batch_norm, ir::Stage::optimized},
    {"recognize_activations", recognize_activations, ir::Stage::optimized},
    {"simplify", simplify, ir::Stage::optimized},
    {"share_common", share_common, ir::Stage::optimized},
    {"fold_constants", fold_constants, ir::Stage::optimized},
    {"eliminate_dead", eliminate_dead, ir::Stage::optimized},
};

Expected<ir::Graph> run(std::span<const Pass> passes, ir::Graph graph, std::vector<PassRecord>* records) {
  for (const Pass& pass : passes) {
    TraceSpan span("lower", pass.name);
    auto begin = std::chrono::steady_clock::now();
    JITNEY_TRY(ir::Graph next, pass.run(graph));
    JITNEY_CHECK(verify(next, pass.after).map_error([&](Failure f) {
      f.message = fmt::format("after pass {}: {}", pass.name, f.message);
      return f;
    }));
    PassRecord record{pass.name, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(), false,
                      graph.nodes.size(), next.nodes.size()};
    record.changed = record.nodes_before != record.nodes_after;
    span.number("nodes_before", static_cast<std::int64_t>(record.nodes_before));
    span.number("nodes_after", static_cast<std::int64_t>(record.nodes_after));
    if (record.changed)
      log_debug("{}: {} -> {} nodes in {:.2f} ms", record.name, record.nodes_before, record.nodes_after,
                record.seconds * 1e3);
    if (record.changed && log_enabled(LogLevel::graphs))
      log_line(LogLevel::graphs, fmt::format("graph after {}:\n{}", record.name, print(next)));
    if (records) records->push_back(record);
    graph = std::move(next);
  }
  return graph;
}

}  // namespace

namespace {

Expected<ir::Graph> optimize_divided(const ir::Graph& graph, std::vector<PassRecord>* records) {
  // Every other pass sees one stage at a time, and never a hosted operator.
  ir::Graph divided = divide(graph);
  for (ir::Node& node : divided.nodes) {
    for (auto& [key, attribute] : node.attributes) {
      auto* body = std::get_if<std::shared_ptr<const ir::Graph>>(&attribute);
      if (body == nullptr) continue;
      JITNEY_TRY(ir::Graph optimized,
                 node.op == ir::Op::stage ? run(kOptimize, **body, records) : optimize_divided(**body, records));
      *body = std::make_shared<const ir::Graph>(std::move(optimized));
    }
  }
  return divided;
}

}  // namespace

Expected<ir::Graph> optimize(ir::Graph graph, std::vector<PassRecord>* records) {
  JITNEY_CHECK(verify(graph, ir::Stage::imported));
  if (!ir::has_hosted(graph)) return run(kOptimize, std::move(graph), records);
  JITNEY_TRY(graph, optimize_divided(graph, records));
  JITNEY_CHECK(verify(graph, ir::Stage::optimized));
  return graph;
}

Expected<ir::Graph> lower(ir::Graph graph, const LowerOptions& options, std::vector<PassRecord>* records) {
  const auto with = [&](auto pass) { return [&options, pass](const ir::Graph& g) { return pass(g, options); }; };
  const Pass passes[] = {
      {"recognize_attention", with(recognize_attention), ir::Stage::optimized},
      {"decompose", decompose, ir::Stage::optimized},
      {"expand_transposed", with(expand_transposed), ir::Stage::optimized},
      {"simplify", simplify, ir::Stage::optimized},
      {"share_common", share_common, ir::Stage::optimized},
      {"wrap_contractions", with(wrap_contractions), ir::Stage::called},
      {"sink_permutes", sink_permutes, ir::Stage::called},
      {"simplify", simplify, ir::Stage::called},
      {"eliminate_dead", eliminate_dead, ir::Stage::called},
      {"absorb_epilogues", with(absorb_epilogues), ir::Stage::called},
      {"eliminate_dead", eliminate_dead, ir::Stage::called},
      {"fuse", fuse, ir::Stage::fused},
  };
  const Pass constants[] = {{"expand_constants", expand_constants, ir::Stage::optimized}};
  JITNEY_TRY(graph, run(constants, std::move(graph), records));
  if (options.bf16) {
    const Pass precision[] = {{"lower_precision", lower_precision, ir::Stage::optimized}};
    JITNEY_TRY(graph, run(precision, std::move(graph), records));
  }
  return run(passes, std::move(graph), records);
}

}  // namespace jitney::passes
