// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "engine/engine_impl.h"

#include <set>

#include "engine/structured_model.h"
#include "ir/hosted.h"

namespace jitney {
namespace {

std::vector<TensorInfo> describe(const ir::Graph& graph, const std::vector<ir::ValueId>& ids) {
  std::vector<TensorInfo> infos;
  infos.reserve(ids.size());
  for (const ir::ValueId id : ids) {
    const ir::Value& v = graph.value(id);
    TensorInfo& info = infos.emplace_back(TensorInfo{v.name, v.dtype, {}});
    for (const ir::Dim& d : v.shape) info.shape.push_back(d.to_string());
  }
  return infos;
}

}  // namespace

EngineImpl::EngineImpl(ir::Graph graph, std::vector<OptimizationProfile> profiles, EngineKernels kernels)
    : graph_(std::move(graph)),
      profiles_(std::move(profiles)),
      kernels_(std::move(kernels)),
      inputs_(describe(graph_, graph_.inputs)),
      outputs_(describe(graph_, graph_.outputs)) {
  for (std::size_t i = 0; i < outputs_.size(); ++i) outputs_[i].name = graph_.output_name(i);
  std::set<std::string> needed;
  for (const ir::ValueId id : graph_.outputs)
    for (const ir::Dim& d : graph_.value(id).shape) d.collect_symbols(needed);
  for (const ir::Node& node : graph_.nodes)
    for (const std::string& name : ir::defined_symbols(node))
      has_data_dependent_outputs_ = has_data_dependent_outputs_ || needed.contains(name);
}

EngineImpl::EngineImpl(std::shared_ptr<engine::StructuredModel> structured)
    : inputs_(structured->inputs()),
      outputs_(structured->outputs()),
      has_data_dependent_outputs_(true),
      structured_(std::move(structured)) {
  graph_.name = structured_->name();
  graph_.metadata = structured_->metadata();
}

}  // namespace jitney
