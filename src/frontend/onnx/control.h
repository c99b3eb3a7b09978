// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "frontend/onnx/model_importer.h"

namespace jitney::onnx {

/// What subgraphs take from the graphs around them, by name. Data becomes an input; constants and shapes do not.
struct ModelImporter::Captures {
  std::vector<std::string> names;
  std::vector<ModelValuePtr> values;
  std::vector<bool> is_data;
  std::vector<ir::ValueId> ids;  ///< of data only, in the graph around
};

/// A subgraph that was imported. Its own symbols are those that the graph around it does not know.
struct ModelImporter::Body {
  std::shared_ptr<ir::Graph> graph;
  std::vector<ModelValuePtr> outputs;
};

/// What Loop and Scan have in common.
struct ModelImporter::LoopSpec {
  const proto::GraphProto* body = nullptr;
  ModelValuePtr trips, condition;
  std::vector<ModelValuePtr> initial;  ///< of the carried values
  std::string iteration, own_condition;
  std::vector<std::string> carried_names;                        ///< in the body
  std::vector<std::pair<std::string, ModelValuePtr>> scanned{};  ///< further captures, by names that the body lacks
  std::function<Status(Scope&)> prepare{};                       ///< before the body's nodes: defines more names
  std::vector<ModelValuePtr> first_outputs{};                    ///< before those of the body
};

const proto::AttributeProto* find_attribute(const proto::NodeProto& node, std::string_view name);

/// The shape, and in `hidden` the axes whose extents have symbols that `outer` does not know.
ir::Shape visible_shape(const ir::Shape& shape, const GraphBuilder& outer, std::set<std::size_t>& hidden);

/// With a new symbol on each of the axes.
ir::Shape with_new_symbols(ir::Shape shape, const std::set<std::size_t>& axes, GraphBuilder& builder,
                           std::vector<ir::Dim>& symbols);

}  // namespace jitney::onnx
