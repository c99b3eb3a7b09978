// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "frontend/onnx/given.h"
#include "frontend/onnx/model_value.h"
#include "ir/graph.h"

namespace jitney::onnx {

/// Emits IR nodes while a model is imported. The first failure is kept: later calls do nothing and give kNoValue, so
/// that converters read as expressions and check once, at the end.
class GraphBuilder {
 public:
  ir::Graph graph;

  GraphBuilder() = default;
  /// For a subgraph: sees the symbols of the graph around it.
  static GraphBuilder inside(const GraphBuilder& outer);

  /// From here on nodes carry this name, and unnamed values are named after `value_stem`.
  void begin_node(std::string node_name, std::string value_stem);
  const std::string& node_name() const { return node_name_; }

  bool ok() const { return !failure_.has_value(); }
  Status status() const;
  void fail(Failure failure);
  /// The model could be imported if its inputs were given. The reason with the widest remedy stays.
  void set_open(Open why) { *open_ = std::max(*open_, why); }
  Open open() const { return *open_; }

  /// Any after a failure.
  DType dtype(ir::ValueId id) const { return id == ir::kNoValue ? DType::f32 : graph.value(id).dtype; }
  /// Empty after a failure.
  const ir::Shape& shape(ir::ValueId id) const;
  int rank(ir::ValueId id) const { return static_cast<int>(shape(id).size()); }
  const Symbols& symbols() const { return graph.symbols; }

  /// A node whose dtype and shape follow from its inputs.
  ir::ValueId node(ir::Op op, std::vector<ir::ValueId> inputs, ir::Attributes attributes = {});
  /// A node whose type is the caller's to say (views, sources, pooling, casts).
  ir::ValueId typed_node(ir::Op op, std::vector<ir::ValueId> inputs, DType dtype, ir::Shape shape,
                         ir::Attributes attributes = {});

  ir::ValueId unary(ir::Op op, ir::ValueId x) { return node(op, {x}); }
  ir::ValueId binary(ir::Op op, ir::ValueId a, ir::ValueId b) { return node(op, {a, b}); }
  ir::ValueId where(ir::ValueId condition, ir::ValueId a, ir::ValueId b) {
    return node(ir::Op::where, {condition, a, b});
  }
  /// x itself if it has the dtype. Neither may be only stored: see storage_cast.h.
  ir::ValueId cast(ir::ValueId x, DType dtype);
  ir::ValueId bitcast(ir::ValueId x, DType dtype);  ///< the same bits; the dtypes have one size
  /// To the shape; x itself if it has it. Element counts that cannot be compared become a guard.
  ir::ValueId reshape(ir::ValueId x, ir::Shape shape);
  ir::ValueId expand(ir::ValueId x, ir::Shape shape);
  ir::ValueId permute(ir::ValueId x, const std::vector<std::int64_t>& perm);
  ir::ValueId slice(ir::ValueId x, std::vector<ir::Dim> starts, std::vector<std::int64_t> steps, ir::Shape shape);
  ir::ValueId reduce(ir::Op op, ir::ValueId x, std::vector<std::int64_t> axes, bool keepdims);
  /// A rank 0 constant; one value for all uses of the same number.
  ir::ValueId scalar(double number, DType dtype);
  /// i64, index along `axis`.
  ir::ValueId iota(ir::Shape shape, int axis);

  /// A symbol for an extent that only running tells, in [0, most], named after the value being made.
  ir::Dim new_symbol(std::int64_t most = INT64_MAX);
  /// A hosted operator: outputs of the given types, and the symbols that it defines.
  std::vector<ir::ValueId> hosted(ir::Op op, std::vector<ir::ValueId> inputs,
                                  const std::vector<std::pair<DType, ir::Shape>>& outputs, std::vector<ir::Dim> symbols,
                                  ir::Attributes attributes = {});
  /// Extents that follow from elements of `operands` by a rule of ir/read_dims.h.
  std::vector<ir::Dim> read_dims(const std::string& rule, std::vector<ir::ValueId> operands, std::vector<ir::Dim> given,
                                 std::size_t count);

  /// Puts a value of the model into the graph, if it is not there yet.
  ir::ValueId materialize(ModelValue& value);
  ir::ValueId constant(const std::string& name, Tensor tensor);

  /// Decided relations cost nothing or fail (user); others become guards.
  void require(ir::Guard::Relation relation, const ir::Dim& a, const ir::Dim& b, std::string reason);

  std::string unique(std::string name);
  /// Keeps a name of the model free for the value that the model gives it to.
  void reserve(const std::string& name) { reserved_.insert(name); }
  /// Gives a value that has only a made-up name the model's name for it. False if it has one of its own.
  bool rename(ir::ValueId id, const std::string& name);
  /// Inputs and constants of the model keep their names.
  void keep_name(ir::ValueId id) { named_.insert(id); }
  /// Makes an output of a value: gives it the output's name, through a view where it has a name that must stay.
  void add_output(ir::ValueId id, const std::string& name);
  /// Drops guards that are proved or said twice; one that cannot hold is an error.
  Status settle_guards();

 private:
  std::string claim(const std::string& name);
  ir::ValueId materialize_known(ModelValue& value);

  std::optional<Failure> failure_;
  std::string node_name_;
  std::string value_stem_;
  int next_value_ = 0;
  std::unordered_set<std::string> names_;
  std::unordered_set<std::string> reserved_;
  std::map<std::string, int> name_counts_;
  std::set<ir::ValueId> named_;
  std::map<std::pair<double, DType>, ir::ValueId> scalars_;
  std::map<std::shared_ptr<const Tensor>, ir::ValueId> constants_;
  std::shared_ptr<Open> open_ = std::make_shared<Open>(Open::no);   ///< of the whole model, as the counter
  std::shared_ptr<int> symbol_counter_ = std::make_shared<int>(0);  ///< one for a model and all its subgraphs
};

/// A scalar tensor of any dtype.
Tensor make_scalar(double number, DType dtype);

}  // namespace jitney::onnx
