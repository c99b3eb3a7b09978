// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "kernel/parts.h"

#include <algorithm>
#include <optional>

namespace jitney::kernel {

namespace {

// More parts than this are more code than they are worth.
constexpr std::size_t kMostParts = 8;

bool same(const Bound& a, const Bound& b) {
  return a.extent == b.extent && a.index.offset == b.index.offset && a.index.coefficients == b.index.coefficients;
}

std::optional<std::size_t> position(const std::vector<Bound>& parts, const Bound& b) {
  auto at = std::find_if(parts.begin(), parts.end(), [&](const Bound& p) { return same(p, b); });
  return at == parts.end() ? std::nullopt : std::optional(static_cast<std::size_t>(at - parts.begin()));
}

/// The expressions of a kernel where one part's bound holds and the others' do not.
class PartRewriter {
 public:
  PartRewriter(Kernel& k, const std::vector<Bound>& parts, std::size_t part) : k_(k), parts_(parts), part_(part) {}

  /// For each of the first `count` expressions the one that takes its place.
  std::vector<ExprId> run(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) now_.push_back(rewritten(static_cast<ExprId>(i)));
    return std::move(now_);
  }

 private:
  Kernel& k_;
  const std::vector<Bound>& parts_;
  std::size_t part_;
  std::vector<ExprId> now_;

  /// Removes bounds that hold. False: one of them does not.
  bool reduce(std::vector<Bound>& bounds) const {
    bool possible = true;
    std::erase_if(bounds, [&](const Bound& b) {
      const auto at = position(parts_, b);
      possible = possible && (!at || *at == part_);
      return at.has_value();
    });
    return possible;
  }

  static Expr number(DType t, bool one) {
    return {.kind = Expr::Kind::literal, .dtype = t, .literal = one ? 1.0 : 0.0, .integer = one};
  }

  ExprId rewritten(ExprId id) {
    Expr e = k_.exprs[static_cast<std::size_t>(id)];
    auto moved = [&](ExprId old) { return now_[static_cast<std::size_t>(old)]; };
    for (auto& a : e.args) a = moved(a);
    for (auto& i : e.access.indirect) i.index = moved(i.index);
    if (e.kind == Expr::Kind::inside) {
      const bool possible = reduce(e.bounds);
      if (!possible || e.bounds.empty()) e = number(DType::boolean, possible);
    } else if (e.kind == Expr::Kind::load) {
      if (!reduce(e.access.bounds)) e = number(e.dtype, false);
    } else if (e.kind == Expr::Kind::op && e.op == ir::Op::where) {
      const Expr& condition = k_.exprs[static_cast<std::size_t>(e.args[0])];
      if (condition.kind == Expr::Kind::literal) return e.args[condition.integer != 0 ? 1 : 2];
    }
    k_.exprs.push_back(std::move(e));
    return static_cast<ExprId>(k_.exprs.size()) - 1;
  }
};

/// Drops expressions that no store needs.
void drop_unused(Kernel& k) {
  std::vector<bool> used(k.exprs.size(), false);
  for (const auto& s : k.row_stores) used[static_cast<std::size_t>(s.value)] = true;
  for (std::size_t i = k.exprs.size(); i-- > 0;) {
    if (!used[i]) continue;
    for (auto a : k.exprs[i].args) used[static_cast<std::size_t>(a)] = true;
    for (const auto& in : k.exprs[i].access.indirect) used[static_cast<std::size_t>(in.index)] = true;
  }
  std::vector<ExprId> now(k.exprs.size(), -1);
  std::vector<Expr> kept;
  for (std::size_t i = 0; i < k.exprs.size(); ++i) {
    if (!used[i]) continue;
    Expr e = std::move(k.exprs[i]);
    for (auto& a : e.args) a = now[static_cast<std::size_t>(a)];
    for (auto& in : e.access.indirect) in.index = now[static_cast<std::size_t>(in.index)];
    now[i] = static_cast<ExprId>(kept.size());
    kept.push_back(std::move(e));
  }
  k.exprs = std::move(kept);
  for (auto& s : k.row_stores) s.value = now[static_cast<std::size_t>(s.value)];
}

}  // namespace

bool is_part(const Kernel& k, const Bound& bound) {
  return std::any_of(k.partitions.begin(), k.partitions.end(),
                     [&](const auto& parts) { return position(parts, bound).has_value(); });
}

std::vector<Part> split_parts(Kernel& k, int vector_axis) {
  if (k.partitions.empty() || k.has_reduction()) return {};
  const std::vector<Bound> bounds = k.partitions[0];
  const auto axis = static_cast<std::size_t>(vector_axis);
  const bool in_order = std::all_of(bounds.begin(), bounds.end(), [&](const Bound& b) {
    return b.index.coefficients[axis].is(0) || b.index.coefficients[axis].is(1);
  });
  if (bounds.size() > kMostParts || !in_order) return {};
  std::vector<Part> parts;
  const std::vector<Store> stores = std::move(k.row_stores);
  const std::size_t count = k.exprs.size();
  k.row_stores.clear();
  for (std::size_t p = 0; p < bounds.size(); ++p) {
    const std::vector<ExprId> now = PartRewriter(k, bounds, p).run(count);
    parts.push_back({bounds[p], k.row_stores.size(), stores.size()});
    for (const Store& s : stores) k.row_stores.push_back({s.access, now[static_cast<std::size_t>(s.value)]});
  }
  drop_unused(k);
  return parts;
}

}  // namespace jitney::kernel
