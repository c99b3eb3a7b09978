// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "frontend/onnx/node_context.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace jitney::onnx {

using ir::Dim;
using proto::AttributeProto;

NodeContext::NodeContext(GraphBuilder& builder, TensorReader& tensors, const proto::NodeProto& node, int opset,
                         std::vector<ModelValuePtr> inputs)
    : b(builder),
      node(node),
      opset(opset),
      tensors_(tensors),
      label_(fmt::format("operator '{}' at node '{}'", node.op_type(), builder.node_name())),
      inputs_(std::move(inputs)),
      outputs_(static_cast<std::size_t>(node.output_size())) {}

Expected<std::vector<Dim>> NodeContext::dims(int i, std::string_view what) const {
  ModelValue& value = input(i);
  if (!value.known) JITNEY_CHECK(read(i, what));
  if (value.known->shape.size() > 1)
    return error("{} '{}' must have rank 1, not shape {}", what, value.name, ir::to_string(value.shape));
  return value.known->values;
}

Expected<std::int64_t> NodeContext::element_count(int i, std::string_view what) const {
  const ModelValue& value = input(i);
  if (value.shape.size() > 1)
    return error("{} '{}' must have rank 1, not shape {}", what, value.name, ir::to_string(value.shape));
  if (value.shape.empty()) return 1;
  const auto count = value.shape[0].constant();
  if (!count)
    return error("{} '{}' has {} elements; their number must be known", what, value.name, value.shape[0].to_string());
  if (*count > kMaxKnownElements) return error("{} '{}' has {} elements", what, value.name, *count);
  return *count;
}

Status NodeContext::read(int i, std::string_view what) const {
  ModelValue& value = input(i);
  if (value.dtype != DType::i64 && value.dtype != DType::i32)
    return error("{} '{}' must be computed from shapes and constants; it is {} data", what, value.name,
                 to_string(value.dtype));
  JITNEY_TRY(const std::int64_t count, element_count(i, what));
  // Now its elements are known as symbols, here and wherever else it is a shape.
  ShapeTensor known{{}, b.read_dims("extents", {this->value(i)}, {}, static_cast<std::size_t>(count))};
  if (!value.shape.empty()) known.shape.push_back(count);
  value.known = std::move(known);
  return {};
}

Expected<std::vector<std::int64_t>> NodeContext::integers(int i, std::string_view what) const {
  if (!input(i).known) return error("{} '{}' must be constant; it depends on data", what, input(i).name);
  JITNEY_CHECK(dims(i, what));
  const auto numbers = input(i).known->constants();
  if (!numbers) return error("{} '{}' must be constant", what, input(i).name);
  return *numbers;
}

Expected<double> NodeContext::constant_number(int i, std::string_view what) const {
  const ModelValue& value = input(i);
  std::optional<double> number;
  if (value.constant != nullptr && value.constant->num_elements() == 1) {
    number = element_as_double(*value.constant, 0);
  } else if (const auto integer = known_scalar(value)) {
    number = static_cast<double>(*integer);
  }
  // Integers that a double does not hold exactly would silently become others.
  const bool exact = number && (is_floating(value.dtype) || std::abs(*number) < 0x1p53);
  if (exact) return *number;
  if (number) return error("{} '{}' is too large", what, value.name);
  return error("{} '{}' must be a constant with one element", what, value.name);
}

const AttributeProto* NodeContext::find(std::string_view name) const {
  for (const AttributeProto& attribute : node.attribute()) {
    if (attribute.name() == name) return &attribute;
  }
  return nullptr;
}

const AttributeProto* NodeContext::find(std::string_view name, AttributeProto::AttributeType type) {
  used_.emplace(name);
  const AttributeProto* attribute = find(name);
  // Before IR version 3 the type was not written: the field that is set tells.
  if (attribute == nullptr || attribute->type() == type || attribute->type() == AttributeProto::UNDEFINED)
    return attribute;
  if (!attribute_failure_) {
    attribute_failure_ =
        error("attribute '{}' has type {}, not {}", name, proto::AttributeProto_AttributeType_Name(attribute->type()),
              proto::AttributeProto_AttributeType_Name(type))
            .value();
  }
  return nullptr;
}

std::int64_t NodeContext::integer(std::string_view name, std::int64_t otherwise) {
  const AttributeProto* attribute = find(name, AttributeProto::INT);
  return attribute == nullptr ? otherwise : attribute->i();
}

double NodeContext::real(std::string_view name, double otherwise) {
  const AttributeProto* attribute = find(name, AttributeProto::FLOAT);
  return attribute == nullptr ? otherwise : static_cast<double>(attribute->f());
}

std::string NodeContext::text(std::string_view name, std::string otherwise) {
  const AttributeProto* attribute = find(name, AttributeProto::STRING);
  return attribute == nullptr ? otherwise : attribute->s();
}

std::optional<std::vector<std::int64_t>> NodeContext::integer_list(std::string_view name) {
  const AttributeProto* attribute = find(name, AttributeProto::INTS);
  if (attribute == nullptr) return std::nullopt;
  return std::vector<std::int64_t>(attribute->ints().begin(), attribute->ints().end());
}

std::optional<std::vector<float>> NodeContext::real_list(std::string_view name) {
  const AttributeProto* attribute = find(name, AttributeProto::FLOATS);
  if (attribute == nullptr) return std::nullopt;
  return std::vector<float>(attribute->floats().begin(), attribute->floats().end());
}

std::optional<std::vector<std::string>> NodeContext::text_list(std::string_view name) {
  const AttributeProto* attribute = find(name, AttributeProto::STRINGS);
  if (attribute == nullptr) return std::nullopt;
  return std::vector<std::string>(attribute->strings().begin(), attribute->strings().end());
}

Expected<Tensor> NodeContext::tensor(std::string_view name) {
  const AttributeProto* attribute = find(name, AttributeProto::TENSOR);
  if (attribute == nullptr) return error("attribute '{}' must be a tensor", name);
  return tensors_.read(attribute->t(), fmt::format("attribute '{}' of {}", name, label_));
}

void NodeContext::ignore(std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) used_.emplace(name);
}

Expected<int> NodeContext::axis(std::int64_t axis, int rank) const {
  if (axis < -rank || axis >= rank)
    return error("axis {} is outside [{}, {}] for rank {}", axis, -rank, rank - 1, rank);
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

Expected<std::vector<std::int64_t>> NodeContext::axes(std::vector<std::int64_t> axes, int rank) const {
  for (std::int64_t& one : axes) {
    JITNEY_TRY(one, axis(one, rank));
  }
  std::sort(axes.begin(), axes.end());
  const auto twice = std::adjacent_find(axes.begin(), axes.end());
  if (twice != axes.end()) return error("axis {} is named twice", *twice);
  return axes;
}

Status NodeContext::set(int i, ir::ValueId id) {
  if (!wants_output(i) || id == ir::kNoValue) return {};
  auto value = std::make_shared<ModelValue>();
  value->name = node.output(i);
  value->dtype = b.dtype(id);
  value->shape = b.shape(id);
  value->id = id;
  if (b.graph.is_constant(id)) value->constant = b.graph.value(id).constant;
  return set(i, std::move(value));
}

Status NodeContext::set(int i, ModelValuePtr value) {
  if (wants_output(i)) outputs_[static_cast<std::size_t>(i)] = std::move(value);
  return {};
}

bool NodeContext::set_known(int i, DType dtype, ShapeTensor known) {
  if (dtype == DType::i32) {
    for (const Dim& value : known.values) {
      if (const auto number = value.constant(); number && !std::in_range<std::int32_t>(*number)) return false;
    }
  } else if (dtype != DType::i64 && dtype != DType::boolean) {
    return false;
  }
  if (static_cast<std::int64_t>(known.values.size()) > kMaxKnownElements) return false;
  if (wants_output(i)) set(i, make_known(node.output(i), dtype, std::move(known)));
  return true;
}

Status NodeContext::finish(Status converted) {
  if (attribute_failure_) return tl::unexpected(*attribute_failure_);
  JITNEY_CHECK(b.status());
  if (!converted) return converted;
  for (const AttributeProto& attribute : node.attribute()) {
    if (!used_.contains(attribute.name()))
      return error("attribute '{}' is not supported at opset {}", attribute.name(), opset);
  }
  for (int i = 0; i < node.output_size(); ++i) {
    if (wants_output(i) && outputs_[static_cast<std::size_t>(i)] == nullptr)
      return error("output {} ('{}') is not supported", i, node.output(i));
  }
  return {};
}

}  // namespace jitney::onnx
