// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/onnx/graph_builder.h"
#include "frontend/onnx/schema.h"
#include "frontend/onnx/tensor_proto.h"

namespace jitney::onnx {

/// One node of the model in the hands of its converter: its inputs, attributes and outputs, and the builder.
/// Attributes that no converter asks for are refused afterwards, because ignoring one gives wrong numbers.
class NodeContext {
 public:
  NodeContext(GraphBuilder& builder, TensorReader& tensors, const proto::NodeProto& node, int opset,
              std::vector<ModelValuePtr> inputs);

  GraphBuilder& b;
  const proto::NodeProto& node;
  const int opset;

  /// "operator 'Conv' at node 'conv1'", for messages.
  const std::string& label() const { return label_; }
  template <class... A>
  tl::unexpected<Failure> error(fmt::format_string<A...> f, A&&... a) const {
    return user_error("{}: {}", label_, fmt::format(f, std::forward<A>(a)...));
  }

  // Inputs. has(i) before input(i) for optional ones.
  int input_count() const { return static_cast<int>(inputs_.size()); }
  bool has(int i) const { return i < input_count() && inputs_[static_cast<std::size_t>(i)] != nullptr; }
  ModelValue& input(int i) const { return *inputs_[static_cast<std::size_t>(i)]; }
  const ModelValuePtr& input_pointer(int i) const { return inputs_[static_cast<std::size_t>(i)]; }
  /// For what an older opset means by the same node.
  void replace_input(int i, ModelValuePtr value) { inputs_[static_cast<std::size_t>(i)] = std::move(value); }
  DType dtype(int i) const { return input(i).dtype; }
  const ir::Shape& shape(int i) const { return input(i).shape; }
  int rank(int i) const { return static_cast<int>(input(i).shape.size()); }
  /// As a value of the graph; kNoValue for an absent input.
  ir::ValueId value(int i) const { return has(i) ? b.materialize(input(i)) : ir::kNoValue; }
  const std::optional<ShapeTensor>& known(int i) const { return input(i).known; }
  /// The elements of a rank 0 or 1 parameter, which are extents. Those that follow from data become symbols, whose
  /// values are 0 or more. what: "the shape".
  Expected<std::vector<ir::Dim>> dims(int i, std::string_view what) const;
  /// How many elements a rank 0 or 1 parameter has, which must be known.
  Expected<std::int64_t> element_count(int i, std::string_view what) const;
  /// The same, with constants only.
  Expected<std::vector<std::int64_t>> integers(int i, std::string_view what) const;
  /// A one-element constant of any numeric dtype.
  Expected<double> constant_number(int i, std::string_view what) const;

  // Attributes. One of the wrong type is reported when the converter is done.
  bool has_attribute(std::string_view name) const { return find(name) != nullptr; }
  std::int64_t integer(std::string_view name, std::int64_t otherwise);
  double real(std::string_view name, double otherwise);
  std::string text(std::string_view name, std::string otherwise);
  std::optional<std::vector<std::int64_t>> integer_list(std::string_view name);
  std::optional<std::vector<float>> real_list(std::string_view name);
  std::optional<std::vector<std::string>> text_list(std::string_view name);
  Expected<Tensor> tensor(std::string_view name);
  /// What this node gives whenever it is written out (TensorReader::once).
  template <class Read>
  Expected<std::shared_ptr<const Tensor>> once(Read read) {
    return tensors_.once(&node, label_, read);
  }
  void ignore(std::initializer_list<std::string_view> names);  ///< attributes that change nothing here

  /// -rank .. rank-1 to 0 .. rank-1.
  Expected<int> axis(std::int64_t axis, int rank) const;
  /// Normalized, sorted, without duplicates (those are an error).
  Expected<std::vector<std::int64_t>> axes(std::vector<std::int64_t> axes, int rank) const;

  // Outputs.
  int output_count() const { return node.output_size(); }
  bool wants_output(int i) const { return i < node.output_size() && !node.output(i).empty(); }
  Status set(int i, ir::ValueId id);
  Status set(int i, ModelValuePtr value);
  /// False, with nothing done, if a constant does not fit the dtype: the converter then computes it as data.
  bool set_known(int i, DType dtype, ShapeTensor known);
  std::vector<ModelValuePtr>& outputs() { return outputs_; }

  /// After the converter: the first thing that went wrong on the way.
  Status finish(Status converted);

 private:
  /// Makes the elements of an input known as symbols.
  Status read(int i, std::string_view what) const;
  const proto::AttributeProto* find(std::string_view name) const;
  const proto::AttributeProto* find(std::string_view name, proto::AttributeProto::AttributeType type);

  TensorReader& tensors_;
  std::string label_;
  std::vector<ModelValuePtr> inputs_;
  std::vector<ModelValuePtr> outputs_;
  std::set<std::string, std::less<>> used_;
  std::optional<Failure> attribute_failure_;
};

}  // namespace jitney::onnx
