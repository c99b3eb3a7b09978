// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kernel/kernel.h"

namespace jitney::kernel {

/// The index of one axis of a value, as an affine function of the kernel's axes.
using Index = Affine;
/// One Index an axis of a value: which element of it is meant.
using Place = std::vector<Index>;

/// Turns a region's body into expressions, from its outputs back to its inputs. Views and movements inside the body
/// become arithmetic on indices.
class Builder {
 public:
  Builder(const ir::Node& region, const std::vector<ir::Dim>& input_offsets,
          const std::vector<std::vector<ir::Dim>>& input_strides);

  Expected<Kernel> run();

  // Used by the files that know one operator family each (build_*.cpp).
  const ir::Graph& body() const { return body_; }
  int add_axis(std::string name, ir::Dim extent, bool reduction);
  /// Axis `a` times `coefficient` plus `offset`.
  Index along(int axis, ir::Dim coefficient = 1, ir::Dim offset = 0) const;
  Index fixed(ir::Dim offset) const;
  Index add(const Index& a, const Index& b) const;
  Index scale(const Index& a, const ir::Dim& by) const;

  /// The expression for an element of a value. Loads are made only where `bounds` hold.
  Expected<ExprId> value_at(ir::ValueId id, const Place& place, const std::vector<Bound>& bounds);

  /// An element of an input (only of an input), whose indices along some axes are data.
  struct DataIndex {
    std::size_t axis;
    ExprId index;
  };
  Expected<ExprId> load_indirect(ir::ValueId id, const Place& place, const std::vector<Bound>& bounds,
                                 const std::vector<DataIndex>& indices);

  ExprId literal(DType dtype, double v);
  ExprId operation(ir::Op op, DType dtype, std::vector<ExprId> args);
  ExprId cast(DType dtype, ExprId x);
  /// A value of f16 or bf16, which is computed in f32, as it would be stored and loaded again.
  ExprId rounded(ExprId half);
  /// The opposite of rounded(); other values as they are.
  ExprId before_rounding(ExprId value) const;
  ExprId inside(std::vector<Bound> bounds);
  ExprId index(const Index& i);
  ExprId number(const ir::Dim& d);
  ExprId reduce(Reduction::Kind kind, ExprId value);
  /// The running sum of `value` along the region's reduction axis.
  ExprId scan(ExprId value, bool exclusive);
  /// Says that exactly one of the bounds holds at any point.
  void partition(std::vector<Bound> bounds) { kernel_.partitions.push_back(std::move(bounds)); }
  /// With groups: the kernel's axis that counts them.
  int group_axis() const { return group_axis_; }
  const Expr& expr(ExprId id) const { return kernel_.exprs[static_cast<std::size_t>(id)]; }

 private:
  Expected<ExprId> build_value(ir::ValueId id, const Place& place, const std::vector<Bound>& bounds);
  Expected<ExprId> load(int input, const Place& place, const std::vector<Bound>& bounds);
  Expected<ExprId> elementwise(const ir::Node& node, const Place& place, const std::vector<Bound>& bounds);
  Expected<ExprId> reduction(const ir::Node& node, const Place& place, const std::vector<Bound>& bounds);
  Expected<ExprId> view(const ir::Node& node, const Place& place, const std::vector<Bound>& bounds);
  ExprId push(Expr e);

  const ir::Node& region_;
  const ir::Graph& body_;
  const std::vector<ir::Dim>& offsets_;
  const std::vector<std::vector<ir::Dim>>& strides_;
  std::vector<int> producers_;
  Kernel kernel_;
  int group_axis_ = 1;
  Place full_place_;  ///< of the region's shape, in terms of all axes
  std::map<std::string, ExprId> memo_;
};

Expected<ExprId> build_gather(Builder& b, const ir::Node& node, const Place& place, const std::vector<Bound>& bounds);
Expected<ExprId> build_gather_elements(Builder& b, const ir::Node& node, const Place& place,
                                       const std::vector<Bound>& bounds);
Expected<ExprId> build_gather_nd(Builder& b, const ir::Node& node, const Place& place,
                                 const std::vector<Bound>& bounds);
Expected<ExprId> build_gather_grid(Builder& b, const ir::Node& node, const Place& place,
                                   const std::vector<Bound>& bounds);
Expected<ExprId> build_concat(Builder& b, const ir::Node& node, const Place& place, const std::vector<Bound>& bounds);
Expected<ExprId> build_pad(Builder& b, const ir::Node& node, const Place& place, const std::vector<Bound>& bounds);
Expected<ExprId> build_source(Builder& b, const ir::Node& node, const Place& place);
Expected<ExprId> build_matmul(Builder& b, const ir::Node& node, const Place& place);
Expected<ExprId> build_conv(Builder& b, const ir::Node& node, const Place& place);
Expected<ExprId> build_pool(Builder& b, const ir::Node& node, const Place& place);

/// A key for memoization and for telling equal expressions.
std::string describe(const Affine& a);
std::string describe(const std::vector<Bound>& bounds);

}  // namespace jitney::kernel
