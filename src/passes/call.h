// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "backend/library_call.h"
#include "ir/graph.h"

/// Regions of kind `call`: one contraction and its epilogue, done by a vendor library where the backend offers it. The
/// body says in operators what is called, so that the interpreter and the kernel builder can stand in for the library:
///   convolution, pooling: permute (from channels-last), conv | max_pool | avg_pool, permute (to channels-last),
///   epilogue matmul:               matmul, epilogue
/// An epilogue node is elementwise, of the output's shape, and reads the node before it; a second operand is an input
/// of the region or a scalar constant.
namespace jitney::passes {

/// One input of the region as the library will see it.
struct CallOperand {
  std::vector<std::int64_t> strides;  ///< in elements
  bool is_constant = false;
};

/// An extent as a number; -1 when it is not known yet.
using Extent = std::function<std::int64_t(const ir::Dim&)>;

/// The library call that a body stands for, for extents that `extent` gives; nothing when there is none. `operands`:
/// one an input of the body; none where strides are not known yet, and then inputs are taken as contiguous.
/// A matmul whose batch axes can be counted into its rows has rank 2 afterwards, when all extents are known.
std::optional<backend::LibraryCall> describe_call(const ir::Graph& body, const std::vector<CallOperand>& operands,
                                                  const Extent& extent);

/// Extents before shapes are bound: constants, and -1.
std::int64_t constant_extent(const ir::Dim& d);

/// The number of bytes, operations of a call: multiplications and additions, for reports. -1 where not known.
std::int64_t operation_count(const backend::LibraryCall& call);

/// Whether the call of this body takes its second operand packed when that is a constant, and its own bytes never.
bool packs_second_operand(const ir::Graph& body);

}  // namespace jitney::passes
