// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "ir/graph.h"

namespace jitney::kernel {

/// What no loop nest of elements says: updates that go where data tells, in order, and the best of a line. A kernel
/// that has one has neither axes nor expressions; its emitter (compiler/emit_algorithm.cpp) writes the loops.
struct Algorithm {
  enum class Kind : std::uint8_t {
    scatter_elements,  ///< operands: data, indices, updates; output
    scatter_nd,        ///< the same
    top_k,             ///< operands: x; output (i64)
  };
  enum class Combine : std::uint8_t { none, add, mul, max, min };
  /// An operand's elements: strides are counted in elements.
  struct Operand {
    DType dtype = DType::f32;
    ir::Shape shape;
    std::vector<ir::Dim> strides;
    ir::Dim offset;
  };

  Kind kind = Kind::top_k;
  Combine combine = Combine::none;  ///< scatters: how an update meets what is there
  std::size_t axis = 0;             ///< scatter_elements, top_k
  std::int64_t tuple = 0;           ///< scatter_nd: indices that say one place
  bool largest = true;              ///< top_k
  std::vector<Operand> operands;    ///< in the order of the kernel's; the last is the output, contiguous
};

}  // namespace jitney::kernel
