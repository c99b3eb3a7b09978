// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "backend/cpu/onednn/api.h"
#include "backend/library_call.h"

namespace jitney::backend::onednn {

/// One operand of a call.
struct Operand {
  int argument;     ///< DNNL_ARG_SRC, ...; for operands of post-operations that of the first one
  MemoryDesc desc;  ///< as the call gives it, in oneDNN's order of axes
};

/// A library call in oneDNN's terms. Immutable.
struct Recipe {
  /// Makes a description, with a descriptor for each of `operands`.
  using Describe = std::function<dnnl_status_t(dnnl_primitive_desc_t*, std::span<const const_dnnl_memory_desc_t>,
                                               const_dnnl_primitive_attr_t)>;

  const char* name = "";          ///< "convolution"
  std::vector<Operand> operands;  ///< in the call's order; the output is the last
  int weights = -1;               ///< the operand that oneDNN may lay out as it likes
  bool constant_weights = false;  ///< and whose layout is made once, by pack()
  MemoryDesc any_weights;         ///< its descriptor without a layout
  std::vector<PostOp> epilogue;
  std::vector<int> post_operands;  ///< by post-operation: its operand, or -1
  std::vector<int> like_output;    ///< those of them with the output's shape and type: they may lie in its place
  int sum_operand = -1;            ///< the first of these that is added
  std::vector<int> matrices;       ///< operands that fast implementations may want without holes
  std::int64_t rows = 0;           ///< of the output: matmul, when it has rank 2: of c; convolution: pixels of y
  std::int64_t columns = 0;        ///< matmul: of c; convolution: channels of y
  bool is_strided = false;         ///< convolution: some stride is not 1
  bool is_empty = false;           ///< there is nothing to compute
  Describe describe;

  int output() const { return static_cast<int>(operands.size()) - 1; }
  const_dnnl_memory_desc_t desc(int operand) const { return operands[static_cast<std::size_t>(operand)].desc.get(); }
};

/// Error(environment) for what validate() refuses or what reaches oneDNN's limits; all extents must be known.
Expected<Recipe> make_recipe(const LibraryCall& call);

/// Attributes with the epilogue; the addition that reads `in_place` (-1: none does) takes what lies in the output.
Expected<Attributes> make_attributes(const Recipe& recipe, bool with_epilogue, int in_place);

/// The post-operation as oneDNN's elementwise algorithm; only for those without an operand.
struct Elementwise {
  dnnl_alg_kind_t algorithm;
  float alpha, beta;
};
Elementwise elementwise(const PostOp& op);

/// A descriptor of these extents, row-major.
Expected<MemoryDesc> dense_desc(const_dnnl_memory_desc_t like);

}  // namespace jitney::backend::onednn
