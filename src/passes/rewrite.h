// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace jitney::passes {

/// Builds a graph from another, node by node: the one way passes change graphs. Values appear in the new
/// graph when something uses them, so what nothing uses is gone.
class Rewriter {
 public:
  explicit Rewriter(const ir::Graph& from);

  const ir::Graph& from;
  ir::Graph to;

  /// The new id of an old value. Constants are copied on first use; node outputs must have been emitted.
  ir::ValueId operator()(ir::ValueId old);
  std::vector<ir::ValueId> operator()(const std::vector<ir::ValueId>& old);
  /// From now on `old` is `now`.
  void replace(ir::ValueId old, ir::ValueId now) { map_[static_cast<std::size_t>(old)] = now; }
  /// Copies a node as it is.
  void copy(const ir::Node& node);
  /// A name that is new in the new graph, beginning with `base`.
  std::string fresh(const std::string& base);
  /// A new node with one output; shape and dtype given.
  ir::ValueId emit(ir::Op op, const std::string& name, std::vector<ir::ValueId> inputs, DType dtype, ir::Shape shape,
                   ir::Attributes attributes = {});
  /// A rank 0 constant of any dtype.
  ir::ValueId scalar(DType dtype, double value);
  /// Maps the outputs and gives the new graph.
  ir::Graph finish();

 private:
  std::vector<ir::ValueId> map_;
  int fresh_ = 0;
  std::set<std::string> taken_;
};

/// Writes one element of any dtype at `to`, rounding or saturating as ir::Op::cast does from f64.
void store_scalar(DType dtype, double value, void* to);
/// Reads one element of any dtype.
double load_scalar(DType dtype, const void* from);
/// The value of a constant with exactly one element.
std::optional<double> scalar_constant(const ir::Graph& graph, ir::ValueId id);

}  // namespace jitney::passes
