// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Sequences and optionals whose structure is known while importing: how many tensors there are, and which is taken.
// They leave no trace in the graph, which has tensors only.
#include <algorithm>

#include "frontend/onnx/given.h"
#include "frontend/onnx/registry.h"
#include "frontend/onnx/tensor_proto.h"

namespace jitney::onnx {
namespace {

using ir::Dim;
using ir::Op;
using ir::Shape;
using ir::ValueId;

Status set_sequence(NodeContext& c, DType dtype, std::vector<ModelValuePtr> items) {
  if (std::ssize(items) > kMostItems)
    return c.error("a sequence of {} tensors; at most {} are supported", items.size(), kMostItems);
  auto value = std::make_shared<ModelValue>();
  value->name = c.node.output(0);
  value->dtype = dtype;
  value->sequence = std::make_shared<const std::vector<ModelValuePtr>>(std::move(items));
  return c.set(0, std::move(value));
}

Expected<std::vector<ModelValuePtr>> items_of(NodeContext& c, int i) {
  if (!c.input(i).sequence) return c.error("'{}' is no sequence", c.input(i).name);
  return *c.input(i).sequence;
}

/// Elements of an input that decides what there is. Another run may give others.
Expected<std::vector<std::int64_t>> deciding(NodeContext& c, int i, std::string_view what) {
  if (!c.known(i) || !c.known(i)->all_constant()) c.b.set_open(Open::values);
  return c.integers(i, what);
}

/// A position within [0, most], from an input that must be constant.
Expected<std::ptrdiff_t> position(NodeContext& c, int i, std::size_t count, std::size_t most) {
  JITNEY_TRY(const auto given, deciding(c, i, "the position"));
  if (given.size() != 1) return c.error("its position must be a scalar");
  const auto n = static_cast<std::int64_t>(count);
  const std::int64_t at = given[0] < 0 ? given[0] + n : given[0];
  if (at < 0 || at > static_cast<std::int64_t>(most))
    return c.error("position {} is outside a sequence of {} tensors", given[0], count);
  return static_cast<std::ptrdiff_t>(at);
}

Status construct(NodeContext& c) {
  std::vector<ModelValuePtr> items;
  for (int i = 0; i < c.input_count(); ++i) {
    if (!c.has(i)) return c.error("input {} is missing", i);
    if (c.dtype(i) != c.dtype(0))
      return c.error("a sequence of {} cannot hold {}", to_string(c.dtype(0)), to_string(c.dtype(i)));
    items.push_back(c.input_pointer(i));
  }
  return set_sequence(c, c.dtype(0), std::move(items));
}

Status empty(NodeContext& c) {
  JITNEY_TRY(const DType dtype, to_dtype(static_cast<int>(c.integer("dtype", 1)), c.label()));
  return set_sequence(c, dtype, {});
}

Status insert(NodeContext& c) {
  JITNEY_TRY(auto items, items_of(c, 0));
  if (c.dtype(1) != c.dtype(0))
    return c.error("a sequence of {} cannot hold {}", to_string(c.dtype(0)), to_string(c.dtype(1)));
  auto at = std::ssize(items);
  if (c.has(2)) {
    JITNEY_TRY(at, position(c, 2, items.size(), items.size()));
  }
  items.insert(items.begin() + at, c.input_pointer(1));
  return set_sequence(c, c.dtype(0), std::move(items));
}

Status erase(NodeContext& c) {
  JITNEY_TRY(auto items, items_of(c, 0));
  if (items.empty()) return c.error("its sequence is empty");
  auto at = std::ssize(items) - 1;
  if (c.has(1)) {
    JITNEY_TRY(at, position(c, 1, items.size(), items.size() - 1));
  }
  items.erase(items.begin() + at);
  return set_sequence(c, c.dtype(0), std::move(items));
}

Status take(NodeContext& c) {
  JITNEY_TRY(const auto items, items_of(c, 0));
  if (items.empty()) return c.error("its sequence is empty");
  JITNEY_TRY(const auto at, position(c, 1, items.size(), items.size() - 1));
  return c.set(0, items[static_cast<std::size_t>(at)]);
}

Status length(NodeContext& c) {
  JITNEY_TRY(const auto items, items_of(c, 0));
  c.set_known(0, DType::i64, ShapeTensor::scalar(Dim(std::ssize(items))));
  return {};
}

Status concat(NodeContext& c) {
  JITNEY_TRY(const auto items, items_of(c, 0));
  if (items.empty()) return c.error("its sequence is empty");
  const bool is_new = c.integer("new_axis", 0) != 0;
  const int rank = static_cast<int>(items[0]->shape.size()) + (is_new ? 1 : 0);
  JITNEY_TRY(const int axis, c.axis(c.integer("axis", 0), rank));
  std::vector<ValueId> parts;
  for (const ModelValuePtr& item : items) {
    ValueId part = c.b.materialize(*item);
    Shape shape = c.b.shape(part);
    if (is_new) {
      shape.insert(shape.begin() + axis, Dim(1));
      part = c.b.reshape(part, shape);
    }
    parts.push_back(part);
  }
  if (parts.size() == 1) return c.set(0, parts[0]);
  return c.set(0, c.b.node(Op::concat, std::move(parts), {{"axis", static_cast<std::int64_t>(axis)}}));
}

Status split(NodeContext& c) {
  JITNEY_TRY(const int axis, c.axis(c.integer("axis", 0), c.rank(0)));
  const auto at = static_cast<std::size_t>(axis);
  const Dim extent = c.shape(0)[at];
  std::vector<Dim> sizes;
  bool drops = false;
  if (c.has(1) && c.rank(1) == 1) {
    JITNEY_TRY(sizes, c.dims(1, "split"));
  } else {
    std::int64_t size = 1;
    if (c.has(1)) {
      JITNEY_TRY(const auto given, deciding(c, 1, "split"));
      size = given[0];
    } else {
      drops = c.integer("keepdims", 1) == 0;
    }
    const auto known = extent.constant();
    if (!known) return c.error("axis {} of {} must be known, to count the parts", axis, ir::to_string(c.shape(0)));
    if (size < 1 || *known / size > kMostItems) return c.error("{} elements in parts of {}", *known, size);
    for (std::int64_t begin = 0; begin < *known; begin += size) sizes.emplace_back(std::min(size, *known - begin));
  }
  c.ignore({"keepdims"});
  Dim total(0);
  for (const Dim& size : sizes) total = total + size;
  c.b.require(
      ir::Guard::Relation::equal, total, extent,
      fmt::format("{}: its parts have {} elements, its input {}", c.label(), total.to_string(), extent.to_string()));
  JITNEY_CHECK(c.b.status());
  Shape shape = c.shape(0);
  std::vector<Dim> starts(shape.size(), Dim(0));
  const std::vector<std::int64_t> steps(shape.size(), 1);
  std::vector<ModelValuePtr> items;
  for (const Dim& size : sizes) {
    shape[at] = size;
    ValueId part = c.b.slice(c.value(0), starts, steps, shape);
    starts[at] = starts[at] + size;
    if (drops) {
      Shape less = shape;
      less.erase(less.begin() + axis);
      part = c.b.reshape(part, less);
    }
    JITNEY_CHECK(c.b.status());
    auto item = std::make_shared<ModelValue>();
    item->name = fmt::format("{}.{}", c.node.output(0), items.size());
    item->dtype = c.b.dtype(part);
    item->shape = c.b.shape(part);
    item->id = part;
    items.push_back(std::move(item));
  }
  return set_sequence(c, c.dtype(0), std::move(items));
}

Status optional(NodeContext& c) {
  c.ignore({"type"});
  if (c.has(0)) return c.set(0, c.input_pointer(0));
  auto none = std::make_shared<ModelValue>();
  none->name = c.node.output(0);
  none->is_none = true;
  return c.set(0, std::move(none));
}

Status has_element(NodeContext& c) {
  const bool there = c.has(0) && !c.input(0).is_none;
  c.set_known(0, DType::boolean, ShapeTensor::scalar(Dim(static_cast<std::int64_t>(there))));
  return {};
}

Status get_element(NodeContext& c) {
  if (c.input(0).is_none) return c.error("its optional '{}' holds nothing", c.input(0).name);
  return c.set(0, c.input_pointer(0));
}

}  // namespace

std::span<const OperatorRow> sequence_operators() {
  static constexpr OperatorRow kRows[] = {
      {"SequenceConstruct", 11, 1, kAnyNumber, construct},
      {"SequenceEmpty", 11, 0, 0, empty},
      {"SequenceInsert", 11, 2, 3, insert},
      {"SequenceErase", 11, 1, 2, erase},
      {"SequenceAt", 11, 2, 2, take},
      {"SequenceLength", 11, 1, 1, length},
      {"ConcatFromSequence", 11, 1, 1, concat},
      {"SplitToSequence", 11, 1, 2, split},
      {"Optional", 15, 0, 1, optional},
      {"OptionalHasElement", 15, 0, 1, has_element},
      {"OptionalGetElement", 15, 1, 1, get_element},
  };
  return kRows;
}

}  // namespace jitney::onnx
