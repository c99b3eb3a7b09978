// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "kernel/build.h"

#include <algorithm>
#include <cstring>

#include "kernel/build_algorithm.h"
#include "passes/regions.h"
#include "passes/rewrite.h"
#include "passes/views.h"

namespace jitney::kernel {

using ir::Dim;
using ir::Op;
using ir::OpFamily;
using ir::ValueId;
using passes::RegionKind;

std::string describe(const Affine& a) {
  std::string s = a.offset.to_string();
  for (std::size_t i = 0; i < a.coefficients.size(); ++i)
    if (!a.coefficients[i].is(0)) s += fmt::format("+a{}*({})", i, a.coefficients[i].to_string());
  return s;
}

std::string describe(const std::vector<Bound>& bounds) {
  std::string s;
  for (const auto& b : bounds) s += "0<=" + describe(b.index) + "<" + b.extent.to_string() + ";";
  return s;
}

Builder::Builder(const ir::Node& region, const std::vector<Dim>& input_offsets,
                 const std::vector<std::vector<Dim>>& input_strides)
    : region_(region),
      body_(region.graph("body")),
      offsets_(input_offsets),
      strides_(input_strides),
      producers_(body_.producers()) {}

int Builder::add_axis(std::string name, Dim extent, bool reduction) {
  kernel_.axes.push_back({std::move(name), std::move(extent), reduction});
  return static_cast<int>(kernel_.axes.size()) - 1;
}

Index Builder::along(int axis, Dim coefficient, Dim offset) const {
  Index i{{}, std::move(offset)};
  i.coefficients.resize(static_cast<std::size_t>(axis) + 1);
  i.coefficients[static_cast<std::size_t>(axis)] = std::move(coefficient);
  return i;
}

Index Builder::fixed(Dim offset) const { return {{}, std::move(offset)}; }

Index Builder::add(const Index& a, const Index& b) const {
  Index r = a.coefficients.size() >= b.coefficients.size() ? a : b;
  const Index& o = a.coefficients.size() >= b.coefficients.size() ? b : a;
  for (std::size_t i = 0; i < o.coefficients.size(); ++i) r.coefficients[i] = r.coefficients[i] + o.coefficients[i];
  r.offset = a.offset + b.offset;
  return r;
}

Index Builder::scale(const Index& a, const Dim& by) const {
  Index r = a;
  for (auto& c : r.coefficients) c = c * by;
  r.offset = r.offset * by;
  return r;
}

ExprId Builder::push(Expr e) {
  kernel_.exprs.push_back(std::move(e));
  return static_cast<ExprId>(kernel_.exprs.size()) - 1;
}

ExprId Builder::literal(DType dtype, double v) {
  auto [it, is_new] = memo_.try_emplace(fmt::format("lit {} {:a}", to_string(dtype), v), -1);
  if (is_new) {
    Expr e{.kind = Expr::Kind::literal, .dtype = dtype, .literal = v};
    if (!is_floating(dtype)) e.integer = static_cast<std::int64_t>(v);
    it->second = push(std::move(e));
  }
  return it->second;
}

ExprId Builder::operation(Op op, DType dtype, std::vector<ExprId> args) {
  std::string key = fmt::format("op {} {}", info(op).name, to_string(dtype));
  for (auto a : args) key += fmt::format(" {}", a);
  auto [it, is_new] = memo_.try_emplace(key, -1);
  if (is_new) it->second = push({.kind = Expr::Kind::op, .dtype = dtype, .op = op, .args = std::move(args)});
  return it->second;
}

ExprId Builder::cast(DType dtype, ExprId x) { return expr(x).dtype == dtype ? x : operation(Op::cast, dtype, {x}); }

ExprId Builder::inside(std::vector<Bound> bounds) {
  auto [it, is_new] = memo_.try_emplace("in " + describe(bounds), -1);
  if (is_new) it->second = push({.kind = Expr::Kind::inside, .dtype = DType::boolean, .bounds = std::move(bounds)});
  return it->second;
}

ExprId Builder::index(const Index& i) {
  auto [it, is_new] = memo_.try_emplace("ix " + describe(i), -1);
  if (is_new) it->second = push({.kind = Expr::Kind::index, .dtype = DType::i64, .affine = i});
  return it->second;
}

ExprId Builder::number(const Dim& d) {
  auto [it, is_new] = memo_.try_emplace("num " + d.to_string(), -1);
  if (is_new) it->second = push({.kind = Expr::Kind::number, .dtype = DType::i64, .affine = {{}, d}});
  return it->second;
}

ExprId Builder::reduce(Reduction::Kind kind, ExprId value) {
  auto [it, is_new] = memo_.try_emplace(fmt::format("red {} {}", static_cast<int>(kind), value), -1);
  if (is_new) {
    DType dtype = expr(value).dtype;
    kernel_.reductions.push_back({kind, dtype, value, 0});
    it->second = push({.kind = Expr::Kind::accumulator,
                       .dtype = dtype,
                       .reduction = static_cast<int>(kernel_.reductions.size()) - 1});
  }
  return it->second;
}

ExprId Builder::scan(ExprId value, bool exclusive) {
  auto [it, is_new] = memo_.try_emplace(fmt::format("scan {} {}", value, exclusive), -1);
  if (is_new) {
    const DType dtype = expr(value).dtype;
    it->second = push({.kind = Expr::Kind::scan, .dtype = dtype, .args = {value}, .integer = exclusive});
  }
  return it->second;
}

Expected<ExprId> Builder::value_at(ValueId id, const Place& place, const std::vector<Bound>& bounds) {
  std::string key = fmt::format("val {} ", id);
  for (const auto& i : place) key += describe(i) + ",";
  key += describe(bounds);
  if (auto it = memo_.find(key); it != memo_.end()) return it->second;
  JITNEY_TRY(ExprId e, build_value(id, place, bounds));
  memo_[key] = e;
  return e;
}

Expected<ExprId> Builder::build_value(ValueId id, const Place& place, const std::vector<Bound>& bounds) {
  if (auto scalar = passes::scalar_constant(body_, id)) {
    const Tensor& t = *body_.value(id).constant;
    if (t.dtype() == DType::i64 || t.dtype() == DType::u64) {  // f64 does not hold them all
      Expr e{.kind = Expr::Kind::literal, .dtype = t.dtype(), .integer = *t.as<std::int64_t>()};
      return push(std::move(e));
    }
    return literal(t.dtype(), *scalar);
  }
  int p = producers_[static_cast<std::size_t>(id)];
  if (p < 0) {
    auto at = std::find(body_.inputs.begin(), body_.inputs.end(), id);
    if (at == body_.inputs.end()) return internal_error("region '{}' uses a value that nothing defines", region_.name);
    return load(static_cast<int>(at - body_.inputs.begin()), place, bounds);
  }
  const auto& node = body_.nodes[static_cast<std::size_t>(p)];
  switch (info(node.op).family) {
    case OpFamily::unary:
    case OpFamily::binary:
    case OpFamily::ternary:
    case OpFamily::cast: return elementwise(node, place, bounds);
    case OpFamily::view: return view(node, place, bounds);
    case OpFamily::source: return build_source(*this, node, place);
    case OpFamily::reduce: return reduction(node, place, bounds);
    default: break;
  }
  switch (node.op) {
    case Op::gather: return build_gather(*this, node, place, bounds);
    case Op::gather_elements: return build_gather_elements(*this, node, place, bounds);
    case Op::gather_nd: return build_gather_nd(*this, node, place, bounds);
    case Op::gather_grid: return build_gather_grid(*this, node, place, bounds);
    case Op::cumsum: {
      // A scan runs along the region's own axis, so the input is taken at the full place, as for a reduction.
      JITNEY_TRY(ExprId x, value_at(node.inputs[0], full_place_, bounds));
      return scan(x, node.integer("exclusive") != 0);
    }
    case Op::concat: return build_concat(*this, node, place, bounds);
    case Op::pad: return build_pad(*this, node, place, bounds);
    case Op::matmul: return build_matmul(*this, node, place);
    case Op::conv: return build_conv(*this, node, place);
    case Op::max_pool:
    case Op::avg_pool: return build_pool(*this, node, place);
    default: return internal_error("no loop nest for operator '{}' of region '{}'", info(node.op).name, region_.name);
  }
}

Expected<ExprId> Builder::load(int input, const Place& place, const std::vector<Bound>& bounds) {
  const auto& value = body_.value(body_.inputs[static_cast<std::size_t>(input)]);
  Expr e{.kind = Expr::Kind::load, .dtype = value.dtype};
  e.access.operand = input;
  e.access.element = fixed(offsets_[static_cast<std::size_t>(input)]);
  for (std::size_t d = 0; d < place.size(); ++d)
    e.access.element = add(e.access.element, scale(place[d], strides_[static_cast<std::size_t>(input)][d]));
  e.access.bounds = bounds;
  return push(std::move(e));
}

Expected<ExprId> Builder::load_indirect(ValueId id, const Place& place, const std::vector<Bound>& bounds,
                                        const std::vector<DataIndex>& indices) {
  auto at = std::find(body_.inputs.begin(), body_.inputs.end(), id);
  if (at == body_.inputs.end())
    return internal_error("no loop nest for an indirect read of a computed value in '{}'", region_.name);
  auto input = static_cast<std::size_t>(at - body_.inputs.begin());
  JITNEY_TRY(ExprId e, load(static_cast<int>(input), place, bounds));
  for (const auto& [axis, index] : indices)
    kernel_.exprs[static_cast<std::size_t>(e)].access.indirect.push_back(
        {index, strides_[input][axis], body_.value(id).shape[axis]});
  return e;
}

Expected<ExprId> Builder::elementwise(const ir::Node& node, const Place& place, const std::vector<Bound>& bounds) {
  const auto& out = body_.value(node.outputs[0]);
  std::vector<ExprId> args;
  for (ValueId in : node.inputs) {
    const auto& shape = body_.value(in).shape;
    Place at(place.end() - static_cast<std::ptrdiff_t>(shape.size()), place.end());
    for (std::size_t d = 0; d < shape.size(); ++d)
      if (shape[d].is(1) && !out.shape[out.shape.size() - shape.size() + d].is(1)) at[d] = fixed(0);
    JITNEY_TRY(ExprId e, value_at(in, at, bounds));
    args.push_back(e);
  }
  const ExprId result = operation(node.op, out.dtype, std::move(args));
  return node.op == Op::cast && node.has("rounds") ? rounded(result) : result;
}

ExprId Builder::rounded(ExprId half) {
  const DType dtype = expr(half).dtype;
  return operation(Op::bitcast, dtype, {operation(Op::bitcast, DType::u16, {half})});
}

ExprId Builder::before_rounding(ExprId value) const {
  const Expr& e = expr(value);
  if (e.kind != Expr::Kind::op || e.op != Op::bitcast || (e.dtype != DType::f16 && e.dtype != DType::bf16))
    return value;
  const Expr& bits = expr(e.args[0]);
  if (bits.kind != Expr::Kind::op || bits.op != Op::bitcast || expr(bits.args[0]).dtype != e.dtype) return value;
  return bits.args[0];
}

Expected<ExprId> Builder::view(const ir::Node& node, const Place& place, const std::vector<Bound>& bounds) {
  const auto& from = body_.value(node.inputs[0]).shape;
  Place at(from.size(), fixed(0));
  switch (node.op) {
    case Op::expand: {
      std::size_t added = place.size() - from.size();
      for (std::size_t d = 0; d < from.size(); ++d)
        if (!(from[d].is(1) && !body_.value(node.outputs[0]).shape[d + added].is(1))) at[d] = place[d + added];
      break;
    }
    case Op::permute:
      for (std::size_t d = 0; d < place.size(); ++d) at[static_cast<std::size_t>(node.integers("perm")[d])] = place[d];
      break;
    case Op::slice:
      for (std::size_t d = 0; d < place.size(); ++d)
        at[d] = add(scale(place[d], node.dims("steps")[d]), fixed(node.dims("starts")[d]));
      break;
    default: return internal_error("no loop nest for '{}' inside region '{}'", info(node.op).name, region_.name);
  }
  return value_at(node.inputs[0], at, bounds);
}

Expected<ExprId> Builder::reduction(const ir::Node& node, const Place&, const std::vector<Bound>& bounds) {
  // Every reduction of a region runs over the region's own axes, so the input is taken at the full place.
  JITNEY_TRY(ExprId x, value_at(node.inputs[0], full_place_, bounds));
  switch (node.op) {
    case Op::reduce_max: return reduce(Reduction::Kind::max, x);
    case Op::reduce_min: return reduce(Reduction::Kind::min, x);
    case Op::reduce_prod: return reduce(Reduction::Kind::product, x);
    case Op::reduce_sum: return reduce(Reduction::Kind::sum, x);
    case Op::reduce_mean: {
      ExprId sum = reduce(Reduction::Kind::sum, x);
      Dim count = 1;
      for (auto a : node.integers("axes"))
        count = count * body_.value(node.inputs[0]).shape[static_cast<std::size_t>(a)];
      return operation(Op::div, expr(sum).dtype, {sum, cast(expr(sum).dtype, number(count))});
    }
    default: return internal_error("no loop nest for '{}'", info(node.op).name);
  }
}

namespace {

void mark_levels(Kernel& k) {
  auto moves = [&](const Affine& a) {
    for (std::size_t i = 0; i < a.coefficients.size(); ++i)
      if (k.axes[i].reduction && !a.coefficients[i].is(0)) return true;
    return false;
  };
  auto bounded = [&](const std::vector<Bound>& bs) {
    return std::any_of(bs.begin(), bs.end(), [&](const Bound& b) { return moves(b.index); });
  };
  std::vector<int> phase(k.exprs.size(), 0);  // how many phases must run before
  for (std::size_t i = 0; i < k.exprs.size(); ++i) {
    Expr& e = k.exprs[i];
    e.full = moves(e.affine) || bounded(e.bounds) || moves(e.access.element) || bounded(e.access.bounds);
    auto use = [&](ExprId a) {
      e.full = e.full || k.exprs[static_cast<std::size_t>(a)].full;
      phase[i] = std::max(phase[i], phase[static_cast<std::size_t>(a)]);
    };
    for (auto a : e.args) use(a);
    e.full = e.full || e.kind == Expr::Kind::scan;
    for (const auto& ind : e.access.indirect) use(ind.index);
    if (e.kind == Expr::Kind::accumulator) {
      Reduction& r = k.reductions[static_cast<std::size_t>(e.reduction)];
      r.phase = phase[static_cast<std::size_t>(r.value)];
      phase[i] = r.phase + 1;
      k.phases = std::max(k.phases, r.phase + 1);
      e.full = false;
    }
  }
}

void complete(Affine& a, std::size_t axes) { a.coefficients.resize(axes); }

}  // namespace

Expected<Kernel> Builder::run() {
  const auto kind = static_cast<RegionKind>(region_.integer("kind"));
  const auto& shape = region_.dims("shape");
  const auto& reduced = region_.integers("axes");
  kernel_.name = region_.name;
  auto is_reduced = [&](std::size_t d) {
    return std::find(reduced.begin(), reduced.end(), static_cast<std::int64_t>(d)) != reduced.end();
  };
  full_place_.resize(shape.size());
  std::int64_t groups = 1;
  std::size_t channels = 1;  // the region's axis of output channels
  for (const auto& node : body_.nodes) {
    if (node.op == Op::conv) groups = node.integer("groups");
    // A convolution on channels-last activations permutes its own result.
    if (node.op == Op::permute && producers_[static_cast<std::size_t>(node.inputs[0])] >= 0 &&
        body_.nodes[static_cast<std::size_t>(producers_[static_cast<std::size_t>(node.inputs[0])])].op == Op::conv)
      channels = shape.size() - 1;
  }
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (is_reduced(d)) continue;
    if (d == channels && groups > 1) {
      // Output channel = group * channels per group + channel in group: two axes, so that the input's channel is
      // affine.
      Dim per_group = Dim::floordiv(shape[d], groups);
      int g = add_axis("g", groups, false), o = add_axis("o", per_group, false);
      group_axis_ = g;
      full_place_[d] = add(along(g, per_group), along(o));
      continue;
    }
    full_place_[d] = along(add_axis(fmt::format("i{}", d), shape[d], false));
  }
  // A scan takes its steps one by one: what is computed side by side are rows, if only one.
  const bool scans =
      std::any_of(body_.nodes.begin(), body_.nodes.end(), [](const auto& n) { return n.op == Op::cumsum; });
  if (scans && kernel_.axes.empty()) add_axis("i", 1, false);
  for (std::size_t d = 0; d < shape.size(); ++d)
    if (is_reduced(d)) full_place_[d] = along(add_axis(fmt::format("r{}", d), shape[d], true));
  if (kernel_.axes.empty()) add_axis("i", 1, false);

  for (ValueId in : body_.inputs) kernel_.operands.push_back({body_.value(in).name, body_.value(in).dtype, false});
  for (ValueId out : body_.outputs) {
    const auto& v = body_.value(out);
    bool full = kind == RegionKind::row && v.shape == shape;
    Place place = full_place_;
    if (!full)
      for (std::size_t d = 0; d < place.size(); ++d)
        if (is_reduced(d)) place[d] = fixed(0);
    JITNEY_TRY(ExprId value, value_at(out, place, {}));
    Store store{{}, before_rounding(value)};  // storing rounds, too
    store.access.operand = static_cast<int>(kernel_.operands.size());
    auto strides = passes::contiguous_strides(v.shape);
    store.access.element = fixed(0);
    for (std::size_t d = 0; d < place.size(); ++d)
      store.access.element = add(store.access.element, scale(place[d], strides[d]));
    kernel_.operands.push_back({v.name, v.dtype, true});
    (full ? kernel_.full_stores : kernel_.row_stores).push_back(std::move(store));
  }
  const std::size_t n = kernel_.axes.size();
  auto all = [&](Access& a) {
    complete(a.element, n);
    for (auto& b : a.bounds) complete(b.index, n);
  };
  for (auto& e : kernel_.exprs) {
    complete(e.affine, n);
    for (auto& b : e.bounds) complete(b.index, n);
    all(e.access);
  }
  for (auto& s : kernel_.row_stores) all(s.access);
  for (auto& s : kernel_.full_stores) all(s.access);
  if (kernel_.has_reduction()) kernel_.partitions.clear();
  for (auto& parts : kernel_.partitions)
    for (auto& b : parts) complete(b.index, n);
  mark_levels(kernel_);
  return std::move(kernel_);
}

namespace {

/// The region with bytes in place of what is only stored: kernels know nothing else of it.
ir::Node with_plain_bytes(const ir::Node& region) {
  const ir::Graph& body = region.graph("body");
  if (std::none_of(body.values.begin(), body.values.end(), [](const auto& v) { return is_storage_only(v.dtype); }))
    return region;
  auto plain = std::make_shared<ir::Graph>(body);
  for (auto& value : plain->values) {
    if (!is_storage_only(value.dtype)) continue;
    value.dtype = DType::u8;
    if (value.constant == nullptr) continue;
    Tensor bytes(DType::u8, value.constant->shape());
    if (bytes.num_bytes() != 0) std::memcpy(bytes.data(), value.constant->data(), bytes.num_bytes());
    value.constant = std::make_shared<const Tensor>(std::move(bytes));
  }
  ir::Node result = region;
  result.attributes["body"] = std::shared_ptr<const ir::Graph>(std::move(plain));
  return result;
}

}  // namespace

Expected<Kernel> build(const ir::Node& region, const std::vector<Dim>& input_offsets,
                       const std::vector<std::vector<Dim>>& input_strides) {
  const ir::Node plain = with_plain_bytes(region);
  if (static_cast<RegionKind>(region.integer("kind")) == RegionKind::alone)
    return build_algorithm(plain, input_offsets, input_strides);
  JITNEY_TRY(Kernel k, Builder(plain, input_offsets, input_strides).run());
  collapse(k);
  return k;
}

bool Kernel::has_scan() const {
  return std::any_of(exprs.begin(), exprs.end(), [](const Expr& e) { return e.kind == Expr::Kind::scan; });
}

int Kernel::parallel_axes() const {
  return static_cast<int>(std::count_if(axes.begin(), axes.end(), [](const Axis& a) { return !a.reduction; }));
}

}  // namespace jitney::kernel
