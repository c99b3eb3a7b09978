// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Kernels as CUDA C++ for NVRTC. Three shapes of a kernel:
//   a map: a thread does a few neighbours along the vector axis, and moves 16 bytes at a time where addresses allow it;
//   a reduction along memory: a warp or, when rows are long, a block does one row at a time;
//   a reduction across memory: neighbouring threads do neighbouring points, and slices of the block divide the
//   reduction.
// Blocks divide the points in a loop with the grid's stride, so that any grid is right.
#include <map>
#include <set>

#include "compiler/c_expr_writer.h"
#include "compiler/prelude_cuda.h"
#include "kernel/print_expr.h"

namespace jitney::compiler {

namespace {

constexpr int kThreads = 256, kWarp = 32;
// Rows of more vectors than this for each lane of a warp are a block's work.
constexpr int kVectorsOfAWarp = 4;
constexpr const char* kFold[] = {"sum", "product", "max", "min"};

class CudaWriter : CExprWriter {
 public:
  CudaWriter(const Kernel& k, const EmitOptions& options) : CExprWriter(k, options) {
    parallel_ = static_cast<std::size_t>(k.parallel_axes());
    vector_elements_ = elements_at_once();
    first_reduction_ = parallel_;
    slices_ = slices();
  }

  EmittedKernel run() {
    scopes_.emplace_back();
    bind_numbers();
    if (!k_.has_reduction())
      map();
    else if (horizontal_)
      rows();
    else
      columns();
    scopes_.pop_back();
    out_.language = backend::SourceLanguage::cuda;
    out_.code = header() + body_ + "}\n";
    out_.block_threads = kThreads;
    out_.points = 1;
    out_.cost_per_point = static_cast<std::int64_t>(std::max<std::size_t>(k_.exprs.size(), 1));
    for (const auto& axis : k_.axes)
      (axis.reduction ? out_.cost_per_point : out_.points) =
          (axis.reduction ? out_.cost_per_point : out_.points) * axis.extent;
    return std::move(out_);
  }

 private:
  std::size_t parallel_ = 0, first_reduction_ = 0;
  int vector_elements_ = 4, slices_ = 1;
  bool in_lanes_ = false;  // inside the loop over a thread's elements
  std::map<const Access*, std::string> packs_;

  /// 16 bytes of the widest operand that is walked along the vector axis; fewer for a short axis.
  int elements_at_once() const {
    if (k_.has_reduction() && !horizontal_) return 1;
    std::size_t widest = 1;
    auto see = [&](const Access& a) {
      if (a.element.coefficients[vector_].is(1))
        widest = std::max(widest, size_of(k_.operands[static_cast<std::size_t>(a.operand)].dtype));
    };
    for (const auto& e : k_.exprs)
      if (e.kind == Expr::Kind::load) see(e.access);
    for (const auto& s : k_.full_stores) see(s.access);
    for (const auto& s : k_.row_stores) see(s.access);
    int elements = std::clamp(static_cast<int>(16 / widest), 1, 8);
    const auto extent = k_.axes[vector_].extent.constant();
    while (extent && elements > 1 && *extent < elements) elements /= 2;
    return elements;
  }

  int slices() const {
    if (!k_.has_reduction() || horizontal_) return 1;
    const auto extent = k_.axes[first_reduction_].extent.constant();
    return extent && *extent < 8 ? 1 : 8;
  }

  // ---- the file
  std::string header() const {
    std::string s = "struct jitney_args {";
    if (!k_.operands.empty()) s += fmt::format(" void* p[{}];", k_.operands.size());
    if (!out_.numbers.empty()) s += fmt::format(" i64 n[{}];", out_.numbers.size());
    s += " i64 begin, end; i32* fault; };\n";
    s += fmt::format("extern \"C\" __global__ void __launch_bounds__({}) jitney_kernel(const __grid_constant__ "
                     "jitney_args a) {{\n",
                     kThreads);
    return s;
  }

  std::string count(const Dim& d) {
    out_.numbers.push_back(d);
    return fmt::format("a.n[{}]", out_.numbers.size() - 1);
  }

  /// Numbers in a fixed order: shapes must not decide which there are.
  void bind_numbers() {
    for (std::size_t i = 0; i < k_.operands.size(); ++i) {
      const auto& o = k_.operands[i];
      const std::string type = fmt::format("{}{}*", o.output ? "" : "const ", kernel::storage_type(o.dtype));
      line(fmt::format("{} {} = ({})a.p[{}];", type, operand(static_cast<int>(i)), type, i));
    }
    for (std::size_t i = 0; i < k_.axes.size(); ++i)
      line(fmt::format("const i64 e{} = {};", i, count(k_.axes[i].extent)));
    auto affine_numbers = [&](const Affine& a) {
      std::vector<std::string> v;
      for (std::size_t i = 0; i < a.coefficients.size(); ++i)
        v.push_back(i == vector_ && (a.coefficients[i].is(0) || a.coefficients[i].is(1)) ? ""
                                                                                         : count(a.coefficients[i]));
      v.push_back(count(a.offset));
      return v;
    };
    auto bounds = [&](const std::vector<Bound>& bs) {
      for (const auto& b : bs) {
        auto v = affine_numbers(b.index);
        v.push_back(count(b.extent));
        bound_numbers_[&b] = std::move(v);
      }
    };
    auto access = [&](const Access& a) {
      auto v = affine_numbers(a.element);
      for (const auto& i : a.indirect) {
        v.push_back(count(i.stride));
        v.push_back(count(i.extent));
      }
      steps_[&a] = std::move(v);
      bounds(a.bounds);
    };
    for (std::size_t i = 0; i < k_.exprs.size(); ++i) {
      const Expr& e = k_.exprs[i];
      if (e.kind == Expr::Kind::load) access(e.access);
      if (e.kind == Expr::Kind::inside) bounds(e.bounds);
      if (e.kind == Expr::Kind::index) index_numbers_[static_cast<ExprId>(i)] = affine_numbers(e.affine);
      if (e.kind == Expr::Kind::number) index_numbers_[static_cast<ExprId>(i)] = {count(e.affine.offset)};
    }
    for (const auto& s : k_.full_stores) access(s.access);
    for (const auto& s : k_.row_stores) access(s.access);
  }

  // ---- places
  /// The parallel axes but the vector axis (if that is one), out of `rest`.
  void find_place() {
    for (std::size_t i = parallel_; i-- > 0;) {
      if (i == vector_) continue;
      line(fmt::format("const i64 {} = jt_divide(rest, e{});", axis(i), i));
    }
    auto pointer = [&](const Access& a) {
      const auto& steps = steps_[&a];
      std::string s = operand(a.operand) + " + " + steps[k_.axes.size()];
      for (std::size_t i = 0; i < parallel_; ++i)
        if (i != vector_) s += fmt::format(" + {}*{}", axis(i), steps[i]);
      const std::string name = fmt::format("p{}", fresh_++);
      line(fmt::format("auto* {} = {};", name, s));
      pointers_[&a] = name;
    };
    for (const auto& e : k_.exprs)
      if (e.kind == Expr::Kind::load) pointer(e.access);
    for (const auto& s : k_.full_stores) pointer(s.access);
    for (const auto& s : k_.row_stores) pointer(s.access);
  }

  std::string value_of(const Affine& a, const std::vector<std::string>& num) const {
    std::string s = num[k_.axes.size()];
    for (std::size_t i = 0; i < k_.axes.size(); ++i) {
      if ((i == vector_ || k_.axes[i].reduction) && a.coefficients[i].is(0)) continue;
      s += num[i].empty() ? " + " + axis(i) : fmt::format(" + {}*{}", axis(i), num[i]);
    }
    return s;
  }

  /// Without the vector axis when the access is read as a whole pack.
  std::string place_of(const Access& a, bool base = false) {
    std::string s = pointers_[&a];
    const auto& steps = steps_[&a];
    for (std::size_t i = 0; i < k_.axes.size(); ++i) {
      if ((!k_.axes[i].reduction && i != vector_) || a.element.coefficients[i].is(0)) continue;
      const std::string at = base && i == vector_ ? "b" : axis(i);
      s += steps[i].empty() ? " + " + at : fmt::format(" + {}*{}", at, steps[i]);
    }
    return s;
  }

  std::string condition(const std::vector<Bound>& bounds) {
    std::string s;
    for (const auto& b : bounds) {
      const auto& num = bound_numbers_[&b];
      s += fmt::format("{}(u64)({}) < (u64)({})", s.empty() ? "" : " && ", value_of(b.index, num), num.back());
    }
    return s;
  }

  // ---- expressions: scalars of one element
  void define_all(const std::vector<ExprId>& roots, bool full, bool varying) {
    std::vector<std::pair<ExprId, bool>> stack;
    for (auto it = roots.rbegin(); it != roots.rend(); ++it) stack.push_back({*it, false});
    while (!stack.empty()) {
      auto [id, ready] = stack.back();
      stack.pop_back();
      const Expr& e = expr(id);
      if (e.kind == Expr::Kind::literal || e.kind == Expr::Kind::accumulator || defined(id)) continue;
      if (ready) {
        if ((full || !e.full) && (varying || !varies(id))) define_scalar(id);
        continue;
      }
      stack.push_back({id, true});
      for (auto it = e.args.rbegin(); it != e.args.rend(); ++it) stack.push_back({*it, false});
      for (const auto& i : e.access.indirect) stack.push_back({i.index, false});
    }
  }

  std::string text_of(ExprId id) const {
    const Expr& e = expr(id);
    if (e.kind == Expr::Kind::literal)
      return fmt::format("({}){}", kernel::compute_type(e.dtype), literal(e));
    if (e.kind == Expr::Kind::accumulator) return fmt::format("acc{}", e.reduction);
    return *defined(id);
  }

  static std::string literal(const Expr& e) {
    if (is_floating(e.dtype) && std::isinf(e.literal)) return fmt::format("({}JT_INF)", e.literal < 0 ? "-" : "");
    if (is_floating(e.dtype) && std::isnan(e.literal)) return "__int_as_float(0x7fc00000)";
    return kernel::print_literal(e);
  }

  void define_scalar(ExprId id) {
    const Expr& e = expr(id);
    std::string value;
    switch (e.kind) {
      case Expr::Kind::number: value = index_numbers_[id][0]; break;
      case Expr::Kind::index: value = value_of(e.affine, index_numbers_[id]); break;
      case Expr::Kind::inside: {
        const std::string s = condition(e.bounds);
        value = s.empty() ? "-1" : fmt::format("-(i32)({})", s);
        break;
      }
      case Expr::Kind::load: value = read(e); break;
      case Expr::Kind::op: {
        std::vector<std::string> args;
        std::vector<DType> types;
        for (auto a : e.args) {
          args.push_back(text_of(a));
          types.push_back(expr(a).dtype);
        }
        value = kernel::print_operation(e, args, types);
        break;
      }
      default: return;
    }
    const std::string name = fmt::format("t{}", id);
    line(fmt::format("const {} {} = {};", kernel::compute_type(e.dtype), name, value));
    scopes_.back()[id] = name;
  }

  std::string read(const Expr& e) {
    const Access& a = e.access;
    const char* s = kernel::storage_type(e.dtype);
    if (auto pack = packs_.find(&a); pack != packs_.end()) return fmt::format("jt_up_{}({}.e[l])", s, pack->second);
    std::string guard = condition(a.bounds);
    // Elements beyond the end of a row are not there.
    if (in_lanes_ && vector_elements_ > 1 && varies_by_place(a)) guard += guard.empty() ? "l < m" : " && l < m";
    std::string at = place_of(a);
    const auto& steps = steps_[&a];
    for (std::size_t i = 0; i < a.indirect.size(); ++i)
      at += fmt::format(" + {}jt_wrap({}, {}, a.fault){} * {}", guard.empty() ? "" : "((" + guard + ") ? ",
                        text_of(a.indirect[i].index), steps[k_.axes.size() + 2 + 2 * i], guard.empty() ? "" : " : 0)",
                        steps[k_.axes.size() + 1 + 2 * i]);
    const std::string got = fmt::format("jt_up_{}(*({}))", s, at);
    return guard.empty() ? got : fmt::format("({}) ? {} : ({})0", guard, got, kernel::compute_type(e.dtype));
  }

  bool varies_by_place(const Access& a) const {
    return moves(a.element) || !a.indirect.empty() ||
           std::any_of(a.bounds.begin(), a.bounds.end(), [&](const Bound& b) { return moves(b.index); });
  }

  static bool is_packed(const Access& a, std::size_t vector) {
    return a.element.coefficients[vector].is(1) && a.bounds.empty() && a.indirect.empty();
  }

  /// Everything that `roots` need at one place of the vector axis, `body` once for each of the thread's elements; then
  /// `stores` are written. b is the first element's index, m how many exist.
  template <class F>
  void elements(const std::vector<ExprId>& roots, bool full, const std::vector<kernel::Store>* stores, F body) {
    if (vector_elements_ > 1) {
      line(fmt::format("const i32 m = e{} - b < {} ? (i32)(e{} - b) : {};", vector_, vector_elements_, vector_,
                       vector_elements_));
    }
    std::set<ExprId> needed;
    collect(roots, needed);
    if (vector_elements_ > 1) {
      for (ExprId id : needed) {
        const Expr& e = expr(id);
        if (e.kind != Expr::Kind::load || defined(id) || !is_packed(e.access, vector_)) continue;
        const std::string name = fmt::format("v{}", fresh_++);
        line(fmt::format("jt_pack<{}, {}> {}; jt_read<{}>({}, {}, m == {}, m);", vector_elements_,
                         kernel::storage_type(e.dtype), name, vector_elements_, name, place_of(e.access, true),
                         vector_elements_));
        packs_[&e.access] = name;
      }
    }
    define_all(roots, full, false);
    std::map<const kernel::Store*, std::string> outputs;
    if (stores && vector_elements_ > 1) {
      for (const auto& st : *stores) {
        if (!is_packed(st.access, vector_)) continue;
        const std::string name = fmt::format("o{}", fresh_++);
        line(fmt::format("jt_pack<{}, {}> {};", vector_elements_, storage_of(st), name));
        outputs[&st] = name;
      }
    }
    if (vector_elements_ > 1) {
      line("#pragma unroll");
      open(fmt::format("for (i32 l = 0; l < {}; ++l)", vector_elements_));
      line(fmt::format("const i64 {} = b + l;", axis(vector_)));
    } else {
      open("");
      line(fmt::format("const i64 {} = b;", axis(vector_)));
    }
    in_lanes_ = true;
    define_all(roots, full, true);
    body();
    if (stores) {
      for (const auto& st : *stores) {
        const std::string value = fmt::format("jt_down_{}({})", storage_of(st), text_of(st.value));
        if (auto o = outputs.find(&st); o != outputs.end())
          line(fmt::format("{}.e[l] = {};", o->second, value));
        else
          line(fmt::format("{}*({}) = {};", vector_elements_ > 1 ? "if (l < m) " : "", place_of(st.access), value));
      }
    }
    in_lanes_ = false;
    close();
    for (const auto& [st, name] : outputs)
      line(fmt::format("jt_write<{}>({}, {}, m == {}, m);", vector_elements_, place_of(st->access, true), name,
                       vector_elements_));
    for (ExprId id : needed) packs_.erase(&expr(id).access);
  }

  void collect(const std::vector<ExprId>& roots, std::set<ExprId>& into) const {
    std::vector<ExprId> stack(roots);
    while (!stack.empty()) {
      const ExprId id = stack.back();
      stack.pop_back();
      if (!into.insert(id).second) continue;
      for (auto a : expr(id).args) stack.push_back(a);
      for (const auto& i : expr(id).access.indirect) stack.push_back(i.index);
    }
  }

  const char* storage_of(const kernel::Store& st) const {
    return kernel::storage_type(k_.operands[static_cast<std::size_t>(st.access.operand)].dtype);
  }

  static std::vector<ExprId> values(const std::vector<kernel::Store>& stores) {
    std::vector<ExprId> roots;
    for (const auto& s : stores) roots.push_back(s.value);
    return roots;
  }

  // ---- maps
  void map() {
    out_.block_points = kThreads * vector_elements_;
    line(fmt::format("const i64 chunks = (e{} + {}) / {};", vector_, vector_elements_ - 1, vector_elements_));
    line(fmt::format("const i64 total = e{} == 0 ? 0 : a.end / e{} * chunks;", vector_, vector_));
    open("for (i64 at = (i64)blockIdx.x * blockDim.x + threadIdx.x; at < total; at += (i64)gridDim.x * blockDim.x)");
    line("i64 rest = at;");
    line(fmt::format("const i64 b = jt_divide(rest, chunks) * {};", vector_elements_));
    find_place();
    elements(values(k_.row_stores), true, &k_.row_stores, [] {});
    close();
  }

  // ---- reductions
  static Reduction::Kind kind(const Reduction& r) {
    // True is -1 in a mask, so the maximum of masks is the smaller integer.
    if (r.dtype == DType::boolean && r.kind == Reduction::Kind::max) return Reduction::Kind::min;
    if (r.dtype == DType::boolean && r.kind == Reduction::Kind::min) return Reduction::Kind::max;
    return r.kind;
  }

  static std::string identity(const Reduction& r) {
    const bool upper = r.kind == Reduction::Kind::min;
    switch (r.kind) {
      case Reduction::Kind::sum: return "0";
      case Reduction::Kind::product: return "1";
      default: break;
    }
    if (is_floating(r.dtype)) return upper ? "JT_INF" : "-JT_INF";
    switch (r.dtype) {
      case DType::boolean: return upper ? "-1" : "0";
      case DType::i8: return upper ? "127" : "-128";
      case DType::i16: return upper ? "32767" : "-32768";
      case DType::i32: return upper ? "2147483647" : "-2147483647 - 1";
      case DType::i64: return upper ? "9223372036854775807ll" : "-9223372036854775807ll - 1";
      case DType::u8: return upper ? "255" : "0";
      case DType::u16: return upper ? "65535" : "0";
      default: return upper ? "-1" : "0";
    }
  }

  static std::string combined(const Reduction& r, const std::string& a, const std::string& b) {
    switch (kind(r)) {
      case Reduction::Kind::sum: return a + " + " + b;
      case Reduction::Kind::product: return a + " * " + b;
      case Reduction::Kind::max: return fmt::format("jt_max({}, {})", a, b);
      case Reduction::Kind::min: return fmt::format("jt_min({}, {})", a, b);
    }
    return a;
  }

  std::vector<std::size_t> of_phase(int phase) const {
    std::vector<std::size_t> found;
    for (std::size_t r = 0; r < k_.reductions.size(); ++r)
      if (k_.reductions[r].phase == phase) found.push_back(r);
    return found;
  }

  /// All phases and stores of one point: `loops` runs its argument over the reduction's elements, `fold` makes one
  /// value out of all threads', `single` guards what one thread of them does.
  template <class Loops, class Fold>
  void point(Loops loops, Fold fold, const std::string& single) {
    for (int phase = 0; phase < k_.phases; ++phase) {
      std::vector<ExprId> roots;
      for (auto r : of_phase(phase)) {
        roots.push_back(k_.reductions[r].value);
        line(fmt::format("{} acc{} = {};", kernel::compute_type(k_.reductions[r].dtype), r, identity(k_.reductions[r])));
      }
      define_all(roots, false, !horizontal_);
      loops(roots, nullptr, [&] {
        for (auto r : of_phase(phase))
          line(fmt::format("{}acc{} = {};", vector_elements_ > 1 ? "if (l < m) " : "", r,
                           combined(k_.reductions[r], fmt::format("acc{}", r), text_of(k_.reductions[r].value))));
      });
      for (auto r : of_phase(phase)) fold(r);
    }
    if (!k_.full_stores.empty()) {
      define_all(values(k_.full_stores), false, !horizontal_);
      loops(values(k_.full_stores), &k_.full_stores, [] {});
    }
    if (k_.row_stores.empty()) return;
    open(single);
    define_all(values(k_.row_stores), false, true);
    for (const auto& st : k_.row_stores)
      line(fmt::format("*({}) = jt_down_{}({});", place_of(st.access), storage_of(st), text_of(st.value)));
    close();
  }

  void outer_loops(bool open_them, std::size_t first) {
    for (std::size_t i = first; i < k_.axes.size(); ++i) {
      if (!k_.axes[i].reduction || i == vector_) continue;
      if (!open_them) {
        close();
        continue;
      }
      const bool sliced = slices_ > 1 && i == first_reduction_;
      open(fmt::format("for (i64 {} = {}; {} < e{}; {} += {})", axis(i), sliced ? "slice" : "0", axis(i), i, axis(i),
                       sliced ? slices_ : 1));
    }
  }

  /// Along memory: a row is a warp's or a block's.
  void rows() {
    out_.block_points = 1;
    line(fmt::format("__shared__ u64 shared[{}];", kThreads / kWarp));
    line(fmt::format("const bool block = e{} > {};", vector_, kWarp * vector_elements_ * kVectorsOfAWarp));
    line(fmt::format("const i32 threads = block ? {} : {}, lane = threadIdx.x & (threads - 1), rows = {} / threads;",
                     kThreads, kWarp, kThreads));
    line(fmt::format("i64 row = (i64)blockIdx.x * rows + threadIdx.x / threads;"));
    open("for (; row < a.end; row += (i64)gridDim.x * rows)");
    line("i64 rest = row;");
    find_place();
    point(
        [&](const std::vector<ExprId>& roots, const std::vector<kernel::Store>* stores, auto body) {
          outer_loops(true, parallel_);
          open(fmt::format("for (i64 b = (i64)lane * {}; b < e{}; b += (i64)threads * {})", vector_elements_, vector_,
                           vector_elements_));
          elements(roots, true, stores, body);
          close();
          outer_loops(false, parallel_);
        },
        [&](std::size_t r) {
          line(fmt::format("acc{} = jt_fold_{}(acc{}, threads, block, ({}*)shared);", r,
                           kFold[static_cast<int>(kind(k_.reductions[r]))], r,
                           kernel::compute_type(k_.reductions[r].dtype)));
        },
        "if (lane == 0)");
    close();
  }

  /// Across memory: neighbouring threads have neighbouring points, and slices of the block divide the reduction.
  void columns() {
    const int width = kThreads / slices_;
    out_.block_points = width;
    if (slices_ > 1) line(fmt::format("__shared__ u64 shared[{}];", kThreads));
    line(fmt::format("const i32 column = threadIdx.x % {}, slice = threadIdx.x / {};", width, width));
    open(fmt::format("for (i64 base = (i64)blockIdx.x * {}; base < a.end; base += (i64)gridDim.x * {})", width, width));
    line("const bool exists = base + column < a.end;");
    line("i64 rest = exists ? base + column : a.end - 1;");
    line(fmt::format("const i64 b = jt_divide(rest, e{});", vector_));
    line(fmt::format("const i64 {} = b;", axis(vector_)));
    find_place();
    point(
        [&](const std::vector<ExprId>& roots, const std::vector<kernel::Store>* stores, auto body) {
          outer_loops(true, parallel_);
          if (stores) open("if (exists)");
          elements(roots, true, stores, body);
          if (stores) close();
          outer_loops(false, parallel_);
        },
        [&](std::size_t r) {
          if (slices_ == 1) return;
          const auto& red = k_.reductions[r];
          const char* type = kernel::compute_type(red.dtype);
          line("__syncthreads();");
          line(fmt::format("(({}*)shared)[threadIdx.x] = acc{};", type, r));
          line("__syncthreads();");
          line(fmt::format("acc{} = (({}*)shared)[column];", r, type));
          open(fmt::format("for (i32 s = 1; s < {}; ++s)", slices_));
          line(fmt::format("acc{} = {};", r,
                           combined(red, fmt::format("acc{}", r),
                                    fmt::format("(({}*)shared)[s * {} + column]", type, width))));
          close();
        },
        slices_ > 1 ? "if (exists && slice == 0)" : "if (exists)");
    close();
  }
};

}  // namespace

EmittedKernel emit_cuda(const Kernel& kernel, const EmitOptions& options) { return CudaWriter(kernel, options).run(); }

}  // namespace jitney::compiler
