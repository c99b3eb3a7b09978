// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/staged_program.h"

#include <algorithm>
#include <map>
#include <set>

namespace jitney::runtime {

namespace {

class Builder {
 public:
  Builder(const backend::Backend& backend, int device, const backend::DeviceInfo& info, bool bf16)
      : backend_(backend), device_(device), info_(info), bf16_(bf16), result_(std::make_shared<StagedProgram>()) {}

  Expected<std::shared_ptr<const StagedProgram>> run(std::shared_ptr<const ir::Graph> graph) {
    JITNEY_CHECK(add_graph(std::move(graph)));
    share_kernels();
    return std::shared_ptr<const StagedProgram>(std::move(result_));
  }

 private:
  Expected<int> add_graph(std::shared_ptr<const ir::Graph> graph) {
    const auto index = result_->graphs.size();
    result_->graphs.emplace_back();
    StagedGraph staged;
    staged.graph = std::move(graph);
    for (const ir::Node& node : staged.graph->nodes) {
      StagedGraph::Step step;
      step.node = &node;
      if (!ir::is_hosted(node.op)) return internal_error("'{}' is in no stage", node.name);
      for (const auto& [key, attribute] : node.attributes) {
        const auto* body = std::get_if<std::shared_ptr<const ir::Graph>>(&attribute);
        if (body == nullptr) continue;
        if (node.op == ir::Op::stage) {
          JITNEY_TRY(step.stage, add_stage(**body));
        } else {
          JITNEY_TRY(step.bodies.emplace_back(), add_graph(*body));
        }
      }
      staged.steps.push_back(std::move(step));
    }
    find_last_uses(staged);
    place_guards(staged);
    result_->graphs[index] = std::move(staged);
    return static_cast<int>(index);
  }

  Expected<int> add_stage(const ir::Graph& body) {
    Stage stage;
    stage.name = body.name;
    ir::Graph graph = body;
    std::set<std::string> known;
    for (const ir::ValueId id : graph.inputs)
      for (const ir::Dim& d : graph.value(id).shape)
        if (const auto name = d.symbol_name()) known.insert(*name);
    std::set<std::string> used;
    for (const ir::Value& v : graph.values)
      for (const ir::Dim& d : v.shape) d.collect_symbols(used);
    for (const ir::Node& node : graph.nodes) ir::collect_symbols(graph, node, used);
    for (const ir::Guard& g : graph.guards) {
      g.a.collect_symbols(used);
      g.b.collect_symbols(used);
    }
    for (const std::string& name : used) {
      if (known.contains(name)) continue;
      stage.extents.push_back(name);
      graph.inputs.push_back(graph.add_value(graph.unused_name("extent " + name), DType::u8, {ir::Dim::symbol(name)}));
    }
    JITNEY_TRY(stage.program, make_program(graph, backend_, device_, info_, bf16_));
    result_->stages.push_back(std::move(stage));
    return static_cast<int>(result_->stages.size() - 1);
  }

  static void find_last_uses(StagedGraph& staged) {
    const ir::Graph& g = *staged.graph;
    std::vector<bool> seen(g.values.size(), false);
    for (const ir::ValueId out : g.outputs) seen[static_cast<std::size_t>(out)] = true;
    for (std::size_t s = staged.steps.size(); s-- > 0;) {
      StagedGraph::Step& step = staged.steps[s];
      for (const auto* ids : {&step.node->inputs, &step.node->outputs}) {
        for (const ir::ValueId id : *ids) {
          if (id == ir::kNoValue || seen[static_cast<std::size_t>(id)]) continue;
          seen[static_cast<std::size_t>(id)] = true;
          step.done.push_back(id);
        }
      }
    }
  }

  /// Those without symbols of these steps were checked with the inputs.
  static void place_guards(StagedGraph& staged) {
    std::map<std::string, std::size_t> defined;
    for (std::size_t s = 0; s < staged.steps.size(); ++s)
      for (const std::string& name : ir::defined_symbols(*staged.steps[s].node)) defined[name] = s;
    for (const ir::Guard& guard : staged.graph->guards) {
      std::set<std::string> needed;
      guard.a.collect_symbols(needed);
      guard.b.collect_symbols(needed);
      int last = -1;
      for (const std::string& name : needed)
        if (const auto found = defined.find(name); found != defined.end())
          last = std::max(last, static_cast<int>(found->second));
      if (last >= 0) staged.steps[static_cast<std::size_t>(last)].guards.push_back(guard);
    }
  }

  void share_kernels() {
    auto all = std::make_shared<Program>();
    std::map<std::pair<std::string, std::string>, int> known;
    for (Stage& stage : result_->stages) {
      std::vector<int> place;
      for (std::size_t i = 0; i < stage.program->sources.size(); ++i) {
        const auto& source = stage.program->sources[i];
        const auto [at, is_new] =
            known.try_emplace({source.defines, source.code}, static_cast<int>(all->sources.size()));
        if (is_new) {
          all->sources.push_back(source);
          all->source_names.push_back(stage.program->source_names[i]);
        }
        place.push_back(at->second);
      }
      for (Step& step : stage.program->steps)
        if (step.distinct >= 0) step.distinct = place[static_cast<std::size_t>(step.distinct)];
    }
    for (Stage& stage : result_->stages) {
      stage.program->sources = all->sources;
      stage.program->source_names = all->source_names;
    }
    result_->kernels = std::move(all);
  }

  const backend::Backend& backend_;
  int device_;
  const backend::DeviceInfo& info_;
  bool bf16_;
  std::shared_ptr<StagedProgram> result_;
};

}  // namespace

Expected<std::shared_ptr<const StagedProgram>> make_staged_program(std::shared_ptr<const ir::Graph> graph,
                                                                   const backend::Backend& backend, int device,
                                                                   const backend::DeviceInfo& info, bool bf16) {
  return Builder(backend, device, info, bf16).run(std::move(graph));
}

}  // namespace jitney::runtime
