// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "kernel/algorithm.h"

/// One fused unit of work as a loop nest: what emitters print as C or CUDA.
///
/// A kernel has parallel axes and reduction axes. Expressions form a DAG; each is either at *row* level (it depends
/// on parallel axes only) or at *full* level (it depends on reduction axes too). Execution, for each point of the
/// parallel axes:
///   for each phase p in order: for each point of the reduction axes: update the accumulators of phase p
///   then: for each point of the reduction axes: the full-level stores, scans taking a step each
///   then: the row-level stores
/// A kernel with scans has one reduction axis, and no accumulator depends on a scan.
/// A kernel without reduction axes has no phases and only row-level stores.
/// Extents, strides, offsets and bounds are numbers given at launch: shapes are not part of the code. What is part of
/// the code: dtypes, expressions, the number of axes, and for each access how it moves along the vector axis.
namespace jitney::kernel {

using ExprId = std::int32_t;

struct Axis {
  std::string name;  ///< "n", "c", "i0": for source
  ir::Dim extent;
  bool reduction = false;
};

/// An affine function of the axes: offset + sum of coefficients[a] * axis a.
struct Affine {
  std::vector<ir::Dim> coefficients;  ///< one an axis
  ir::Dim offset;
};

/// 0 <= index < extent, else the access is not made.
struct Bound {
  Affine index;
  ir::Dim extent;
};

/// An index that is itself data: adds wrap(index) * stride, where negative indices count from extent. Out of range sets
/// the fault word and reads element 0.
struct Indirect {
  ExprId index;
  ir::Dim stride, extent;
};

/// Which element of an operand an expression reads or a store writes.
struct Access {
  int operand = 0;
  Affine element;
  std::vector<Bound> bounds;
  std::vector<Indirect> indirect;
};

struct Expr {
  enum class Kind : std::uint8_t {
    literal,      ///< a constant
    number,       ///< a Dim as i64, given at launch
    index,        ///< an affine function of the axes, i64
    inside,       ///< whether bounds hold, boolean
    load,         ///< an element of an operand; 0 where its bounds do not hold
    accumulator,  ///< the result of reductions[reduction]
    scan,         ///< the running sum of args[0] along the reduction axis, before this point if integer is 1
    op,           ///< an elementwise ir::Op of args
  } kind = Kind::literal;
  DType dtype = DType::f32;
  ir::Op op = ir::Op::add;    ///< for op (cast included: to dtype)
  std::vector<ExprId> args;   ///< for op
  double literal = 0;         ///< for literal of floating dtype
  std::int64_t integer = 0;   ///< for literal of other dtypes
  Affine affine;              ///< for index; offset for number
  std::vector<Bound> bounds;  ///< for inside
  Access access;              ///< for load
  int reduction = -1;         ///< for accumulator
  bool full = false;          ///< depends on a reduction axis
};

struct Reduction {
  enum class Kind : std::uint8_t { sum, product, max, min } kind = Kind::sum;
  DType dtype = DType::f32;  ///< of the accumulator
  ExprId value = -1;         ///< full level
  int phase = 0;
};

struct Store {
  Access access;
  ExprId value = -1;
};

struct Operand {
  std::string name;  ///< from the model
  DType dtype = DType::f32;
  bool output = false;
};

struct Kernel {
  std::string name;               ///< from the model, for people
  std::vector<Axis> axes;         ///< parallel ones first, outermost first; then reduction ones
  std::vector<Operand> operands;  ///< inputs in the region's order, then outputs
  std::vector<Expr> exprs;        ///< args come before users
  std::vector<Reduction> reductions;
  int phases = 0;
  std::vector<Store> row_stores, full_stores;
  /// Of each of these lists of bounds exactly one holds at any point: the parts of a concatenation. Only in kernels
  /// without reductions.
  std::vector<std::vector<Bound>> partitions;
  /// Set: the kernel is this and no loop nest.
  std::optional<Algorithm> algorithm;

  int parallel_axes() const;
  bool has_scan() const;
  bool has_reduction() const { return static_cast<int>(axes.size()) > parallel_axes(); }
};

/// A readable listing.
std::string print(const Kernel& kernel);
/// One line.
std::string describe(const Algorithm& algorithm);

/// The loop nest of a fused region. `inputs` say where each input's elements lie (passes::compute_views); outputs are
/// contiguous. Fails (internal, "no loop nest for ...") where a region has none yet: the interpreter runs those.
Expected<Kernel> build(const ir::Node& region, const std::vector<ir::Dim>& input_offsets,
                       const std::vector<std::vector<ir::Dim>>& input_strides);

/// Merges neighbouring axes that every access walks as one, and moves the parallel axis that vectorizes best innermost
/// where the kernel will be vectorized along it (kernel/schedule.h decides that).
void collapse(Kernel& kernel);

/// The kernel for known values of some symbols: extents, strides and offsets that depend on these only become
/// constants, and axes are merged anew. It computes the same, but its points may be in another order.
Kernel specialize(Kernel kernel, const ir::SymbolValues& known);

}  // namespace jitney::kernel
