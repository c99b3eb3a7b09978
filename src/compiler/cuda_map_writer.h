// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "compiler/cuda_expr_writer.h"

namespace jitney::compiler {

/// Writes kernels that reduce nothing. A thread does a few neighbours along the vector axis; what is read across it
/// goes through tiles in shared memory, so that reads and writes both move whole lines.
class CudaMapWriter : protected CudaExprWriter {
 protected:
  using CudaExprWriter::CudaExprWriter;

  static constexpr int kThreads = 256;

  void map() {
    out_.block_points = kThreads * vector_elements_;
    const auto tiled = find_tiled();
    if (!tiled) return chunks();
    out_.block_points = kTile * kTile;
    // A tile of a few rows or columns is mostly nothing.
    std::string is_worth;
    for (const std::size_t i : {tiled->axis, vector_})
      if (!k_.axes[i].extent.constant())
        is_worth += fmt::format("{}e{} >= {}", is_worth.empty() ? "" : " && ", i, kLeastTiled);
    if (is_worth.empty()) return tiles(*tiled);
    open(fmt::format("if ({})", is_worth));
    tiles(*tiled);
    close("} else {");
    ++depth_;
    scopes_.emplace_back();
    chunks();
    close();
  }

  /// The loop over groups of vector_elements_ neighbours, one a thread at a time. Leaves b, the first one's index.
  void open_chunks() {
    line(fmt::format("const i64 chunks = (e{} + {}) / {};", vector_, vector_elements_ - 1, vector_elements_));
    if (parallel_ == 1)
      line("const i64 total = a.end == 0 ? 0 : chunks;");
    else
      line(fmt::format("const i64 total = e{} == 0 ? 0 : jt_quotient(a.end, e{}) * chunks;", vector_, vector_));
    open("for (i64 at = (i64)blockIdx.x * blockDim.x + threadIdx.x; at < total; at += (i64)gridDim.x * blockDim.x)");
    line(parallel_ == 1 ? "i64 rest = 0;" : "i64 rest = at;");
    line(fmt::format("const i64 b = {} * {};", parallel_ == 1 ? "at" : "jt_divide(rest, chunks)", vector_elements_));
    find_place();
  }

 private:
  static constexpr std::int64_t kTile = 32, kLeastTiled = 8;
  static constexpr std::size_t kTileBytes = 40 << 10;  ///< of the 48 KiB that every block may have

  struct Tiled {
    std::size_t axis = 0;       ///< along which what is read lies in memory
    std::vector<ExprId> loads;  ///< the loads that are read along it
  };

  std::size_t tile_bytes(const Expr& load) const { return size_of(load.dtype) * kTile * (kTile + 1); }

  bool may_be_long(std::size_t axis) const {
    return k_.axes[axis].extent.constant().value_or(kLeastTiled) >= kLeastTiled;
  }

  /// Loads that lie along another axis than the vector axis: the axis with the most of them, and as many as fit.
  std::optional<Tiled> find_tiled() const {
    if (!k_.partitions.empty() || !may_be_long(vector_)) return std::nullopt;
    for (const auto& st : k_.row_stores)
      if (!st.access.element.coefficients[vector_].is(1)) return std::nullopt;
    std::optional<Tiled> best;
    for (std::size_t axis = 0; axis < parallel_; ++axis) {
      if (axis == vector_ || !may_be_long(axis)) continue;
      Tiled found{axis, {}};
      std::size_t room = kTileBytes;
      for (std::size_t id = 0; id < k_.exprs.size(); ++id) {
        const Expr& e = k_.exprs[id];
        if (e.kind != Expr::Kind::load || !e.access.indirect.empty()) continue;
        const auto& steps = e.access.element.coefficients;
        if (!steps[axis].is(1) || steps[vector_].is(1) || steps[vector_].is(0) || tile_bytes(e) > room) continue;
        room -= tile_bytes(e);
        found.loads.push_back(static_cast<ExprId>(id));
      }
      if (!found.loads.empty() && (!best || found.loads.size() > best->loads.size())) best = std::move(found);
    }
    return best;
  }

  void chunks() {
    open_chunks();
    elements(values(k_.row_stores), true, &k_.row_stores, [] {});
    close();
  }

  /// A block does a tile at a time: it reads along the tiled axis, and computes and writes along the vector axis.
  void tiles(const Tiled& tiled) {
    const int elements_before = std::exchange(vector_elements_, 1);
    const std::size_t v = vector_, p = tiled.axis;
    tile_axis_ = p;
    for (const ExprId id : tiled.loads) {
      const std::string name = fmt::format("tile{}", id);
      line(fmt::format("__shared__ {} {}[{}][{}];", kernel::storage_type(expr(id).dtype), name, kTile, kTile + 1));
    }
    line(fmt::format("const i64 along = (e{} + {}) / {}, across = (e{} + {}) / {};", v, kTile - 1, kTile, p, kTile - 1,
                     kTile));
    line(fmt::format("const i64 tiles = a.end == 0 ? 0 : {}along * across;",
                     parallel_ == 2 ? "" : fmt::format("jt_quotient(jt_quotient(a.end, e{}), e{}) * ", v, p)));
    line(fmt::format("const i32 x = threadIdx.x % {}, y = threadIdx.x / {};", kTile, kTile));
    open("for (i64 at = blockIdx.x; at < tiles; at += gridDim.x)");
    line("i64 rest = at;");
    line(fmt::format("const i64 first = jt_divide(rest, along) * {};", kTile));
    line(fmt::format("const i64 other = {} * {};", parallel_ == 2 ? "rest" : "jt_divide(rest, across)", kTile));
    find_place();
    line("__syncthreads();");
    open_part_of_tile();
    line(fmt::format("const i64 {} = first + j, {} = other + x;", axis(v), axis(p)));
    open(fmt::format("if ({} < e{} && {} < e{})", axis(v), v, axis(p), p));
    for (const ExprId id : tiled.loads) {
      const std::string guard = condition(expr(id).access.bounds), at = "*(" + place_of(expr(id).access) + ")";
      line(fmt::format(
          "tile{}[j][x] = {};", id,
          guard.empty() ? at : fmt::format("({}) ? {} : ({})0", guard, at, kernel::storage_type(expr(id).dtype))));
    }
    close();
    close();
    line("__syncthreads();");
    for (const ExprId id : tiled.loads) tiles_[&expr(id).access] = fmt::format("tile{}[x][j]", id);
    open_part_of_tile();
    line(fmt::format("const i64 b = first + x, {} = other + j;", axis(p)));
    open(fmt::format("if (b < e{} && {} < e{})", v, axis(p), p));
    elements(values(k_.row_stores), true, &k_.row_stores, [] {});
    close();
    close();
    close();
    tiles_.clear();
    tile_axis_ = kNone;
    vector_elements_ = elements_before;
  }

  void open_part_of_tile() {
    line("#pragma unroll");
    open(fmt::format("for (i32 j = y; j < {}; j += {})", kTile, kThreads / kTile));
  }
};

}  // namespace jitney::compiler
