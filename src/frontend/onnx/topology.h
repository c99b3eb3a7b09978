// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "frontend/onnx/schema.h"
#include "util/expected.h"

namespace jitney::onnx {

using Nodes = google::protobuf::RepeatedPtrField<proto::NodeProto>;

/// What messages call a node: its name, else "Op_output".
std::string name_of(const proto::NodeProto& node);

/// Names that a subgraph takes from the graphs around it.
std::vector<std::string> free_names(const proto::GraphProto& graph);

/// The nodes in an order in which every value is defined before it is used; the model's own order wherever
/// possible. is_defined: whether a name is defined outside of these nodes. Errors (user): a value defined twice, used
/// but not defined anywhere, or a cycle; each names the value and the node. Iterative: depth of the graph costs no
/// stack.
Expected<std::vector<int>> execution_order(const Nodes& nodes,
                                           const std::function<bool(const std::string&)>& is_defined);

}  // namespace jitney::onnx
