// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ir/attributes.h"
#include "ir/graph.h"

namespace jitney::ir {

/// One question to infer(), and what the op families need to answer it.
struct InferContext {
  Op op;
  std::string_view node;
  const std::vector<const Value*>& inputs;  ///< null: an optional input that is absent
  const Attributes& attributes;
  std::vector<Guard>& guards;

  const Shape& shape(std::size_t i) const { return inputs[i]->shape; }
  DType dtype(std::size_t i) const { return inputs[i]->dtype; }
  bool has(std::size_t i) const { return i < inputs.size() && inputs[i] != nullptr; }
  template <class T>
  const T& attribute(std::string_view key) const {
    return ir::attribute<T>(attributes, op, node, key);
  }
  std::int64_t integer(std::string_view key) const { return attribute<std::int64_t>(key); }
  const std::vector<std::int64_t>& integers(std::string_view key) const {
    return attribute<std::vector<std::int64_t>>(key);
  }

  /// "matmul 'layer1/fc'", as messages call the node.
  std::string who() const { return fmt::format("{} '{}'", info(op).name, node); }
  /// "[batch, 3] and [4]": the inputs' shapes.
  std::string shapes() const;
  /// a == b, now or (a guard) when shapes are bound. `what` completes "... must have one extent ...".
  Status equal(const Dim& a, const Dim& b, const std::string& what) const;
  /// a <= b, now or when shapes are bound. `what` completes "... has 5 ...".
  Status at_most(const Dim& a, const Dim& b, const std::string& what) const;
  /// The axis attribute, checked against rank.
  Expected<std::size_t> axis(std::size_t rank) const;
};

/// Whether op's `input`th input holds indices into another.
bool is_index(Op op, std::size_t input);
/// Whether op takes tensors of this dtype as its `input`th input, whatever the other inputs are.
bool accepts_dtype(Op op, std::size_t input, DType dtype);
/// "floating point", "integer or bool": for messages.
std::string_view accepted_dtypes(Op op, std::size_t input);

Expected<Inferred> infer_movement(const InferContext& c);
Expected<Inferred> infer_contract(const InferContext& c);
Expected<Inferred> infer_normalize(const InferContext& c);

}  // namespace jitney::ir
