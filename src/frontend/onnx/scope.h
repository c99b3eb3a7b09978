// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <unordered_map>

#include "frontend/onnx/model_value.h"

namespace jitney::onnx {

/// The names visible in one graph, subgraph or function body.
struct Scope {
  const Scope* parent = nullptr;  ///< subgraphs see the names around them; functions do not
  bool is_model = false;          ///< its initializers are read once
  int opset = 0;
  int depth = 0;       ///< of subgraphs and function calls
  std::string prefix;  ///< before the names of values and nodes, so that two calls of a function differ
  std::unordered_map<std::string, ModelValuePtr> values;

  const ModelValuePtr* find(const std::string& name) const {
    for (const Scope* scope = this; scope != nullptr; scope = scope->parent) {
      if (const auto found = scope->values.find(name); found != scope->values.end()) return &found->second;
    }
    return nullptr;
  }
};

}  // namespace jitney::onnx
