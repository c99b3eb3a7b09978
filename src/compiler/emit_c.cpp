// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Kernels as C for Clang. The parallel space is split anywhere by the caller: the function runs [begin, end) of it,
// counted in points of the parallel axes, innermost fastest. Along the vector axis JT_LANES points are computed at
// once; the rest of a row runs once more with masked memory accesses.
#include <algorithm>
#include <map>
#include <set>
#include <span>

#include "compiler/c_expr_writer.h"
#include "kernel/parts.h"
#include "kernel/print_expr.h"

namespace jitney::compiler {

namespace {

class Writer : CExprWriter {
 public:
  /// `parts` are the kernel's, as split_parts() left it.
  Writer(const Kernel& k, const std::vector<kernel::Part>& parts, const kernel::Schedule& schedule,
         const EmitOptions& options, bool fold)
      : CExprWriter(k, schedule, options, fold), parts_(parts) {}

  EmittedKernel run() {
    function();
    header();
    out_.code += body_;
    out_.points = schedule_.points;
    out_.cost_per_point = schedule_.cost_per_point;
    out_.granule = schedule_.granule;
    return std::move(out_);
  }

 private:
  const std::vector<kernel::Part>& parts_;

  // ---- the file
  void header() {
    const int lanes = schedule_.lanes;
    std::string steps;
    for (int n = lanes / 2; n > 0; n /= 2) {
      std::string order;
      for (int i = 0; i < lanes; ++i) order += fmt::format("{}{}", i ? "," : "", (i + n) % lanes);
      steps += fmt::format("x = OP(x, __builtin_shufflevector(x, x, {})); ", order);
    }
    out_.defines = fmt::format("#define JT_LANES {}\n#define JT_FOLD_STEPS(OP, x) {}\n", lanes, steps);
    static constexpr const char* kMemory[] = {"load",  "get",    "load_range", "load_part",  "gather", "gather_at",
                                              "store", "stream", "put",        "store_part", "scatter"};
    std::set<std::pair<std::string, std::string>> types;
    for (const auto& o : k_.operands) types.insert({kernel::storage_type(o.dtype), kernel::compute_type(o.dtype)});
    for (const auto& [storage, compute] : types) {
      out_.code += fmt::format("JT_TYPE({})", storage);
      for (const char* m : kMemory)
        if (body_.find(fmt::format("jt_{}_{}(", m, storage)) != std::string::npos)
          out_.code += fmt::format(" JT_MEMORY_{}({}, {})", m, storage, compute);
      out_.code += "\n";
    }
  }

  void function() {
    body_ +=
        "\n__attribute__((visibility(\"default\"))) void jitney_kernel(const jitney_args* a, i64 begin, i64 end) {\n";
    scopes_.emplace_back();
    line("const i64* n = a->numbers;");
    for (std::size_t i = 0; i < k_.operands.size(); ++i) {
      const auto& o = k_.operands[i];
      line(fmt::format("{}{}* {} = a->pointers[{}];", o.output ? "" : "const ", kernel::storage_type(o.dtype),
                       operand(static_cast<int>(i)), i));
    }
    std::size_t parallel = static_cast<std::size_t>(k_.parallel_axes());
    for (std::size_t i = 0; i < k_.axes.size(); ++i)
      line(fmt::format("const i64 e{} = {};", i, number(k_.axes[i].extent)));
    bind_numbers();
    for (const auto& part : parts_) bind_bound(part.bound);
    if (parallel > 0) {
      line("i64 rest = begin;");
      for (std::size_t i = parallel; i-- > 0;) {
        line(i == 0 ? fmt::format("i64 {} = rest;", axis(i))
                    : fmt::format("i64 {} = rest % e{}; rest /= e{};", axis(i), i, i));
      }
    }
    if (horizontal_)
      rows_horizontal(parallel);
    else
      rows_vertical(parallel);
    scopes_.pop_back();
    body_ += "}\n";
  }

  // ---- rows
  void row_pointers() {
    auto pointer = [&](const Access& a) {
      const auto& steps = steps_[&a];
      std::string s = operand(a.operand) + " + " + steps[k_.axes.size()];
      for (std::size_t i = 0; i < k_.axes.size(); ++i)
        if (!k_.axes[i].reduction && i != vector_) s += fmt::format(" + {}*{}", axis(i), steps[i]);
      std::string name = fmt::format("p{}", fresh_++);
      const auto& o = k_.operands[static_cast<std::size_t>(a.operand)];
      line(fmt::format("{}{}* {} = {};", o.output ? "" : "const ", kernel::storage_type(o.dtype), name, s));
      pointers_[&a] = name;
    };
    for (const auto& e : k_.exprs)
      if (e.kind == Expr::Kind::load) pointer(e.access);
    for (const auto& s : k_.full_stores) pointer(s.access);
    for (const auto& s : k_.row_stores) pointer(s.access);
  }

  /// Moves to the next row: increments axis `from` - 1, carrying outwards.
  void next_row(std::size_t from) {
    std::string s;
    for (std::size_t i = from; i-- > 0;) {
      if (i == 0)
        s += fmt::format("++{};", axis(i));
      else
        s += fmt::format("if (++{} == e{}) {{ {} = 0; ", axis(i), i, axis(i));
    }
    for (std::size_t i = 1; i < from; ++i) s += " }";
    if (!s.empty()) line(s);
  }

  void rows_vertical(std::size_t parallel) {
    const std::string i = axis(vector_);
    open("while (begin < end)");
    line(fmt::format("const i64 stop = e{} - {} < end - begin ? e{} : {} + (end - begin);", vector_, i, vector_, i));
    line(fmt::format("begin += stop - {};", i));
    row_pointers();
    if (schedule_.stream_from > 0) stream(i);
    if (parts_.empty()) vectors(i, "stop", k_.row_stores);
    for (const auto& part : parts_) {
      open("");
      line(fmt::format("const i64 part = {};", end_of(part.bound, i)));
      const auto first = k_.row_stores.begin() + static_cast<std::ptrdiff_t>(part.first);
      vectors(i, "part", {&*first, part.count});
      line(fmt::format("if ({} < part) {} = part;", i, i));
      close();
    }
    line(i + " = 0;");
    next_row(parallel - 1);
    close();
  }

  /// Points of the row from axis variable `i` to `stop`: whole vectors, then what is left.
  void vectors(const std::string& i, const std::string& stop, std::span<const kernel::Store> stores) {
    open(fmt::format("for (; {} + JT_LANES <= {}; {} += JT_LANES)", i, stop, i));
    point(stores);
    close();
    if (!schedule_.tail) return;
    open(fmt::format("if ({} < {})", i, stop));
    line(fmt::format("const i64 m = {} - {};", stop, i));
    partial_ = true;
    point(stores);
    partial_ = false;
    close();
  }

  /// Whole vectors of a row so long that what is written goes past the caches; vectors() then does the rest.
  void stream(const std::string& i) {
    const Access& a = k_.row_stores[0].access;
    const char* type = kernel::storage_type(k_.operands[static_cast<std::size_t>(a.operand)].dtype);
    open(fmt::format("if (e{} >= {})", vector_, schedule_.stream_from));
    line(fmt::format("i64 m = jt_to_aligned({} + {}, sizeof({}));", pointers_[&a], i, type));
    line(fmt::format("if (m > stop - {}) m = stop - {};", i, i));
    partial_ = true;
    open("if (m > 0)");
    point(k_.row_stores);
    close();
    partial_ = false;
    line(fmt::format("{} += m;", i));
    streams_ = true;
    open(fmt::format("for (; {} + JT_LANES <= stop; {} += JT_LANES)", i, i));
    point(k_.row_stores);
    close();
    streams_ = false;
    line("jt_fence();");
    close();
  }

  /// Where a part of the row ends. What comes before it is done already, so where it begins need not be asked.
  std::string end_of(const Bound& b, const std::string& i) {
    const auto& num = bound_numbers_[&b];
    std::string at = num[k_.axes.size()];
    for (std::size_t a = 0; a < k_.axes.size(); ++a)
      if (a != vector_ && !b.index.coefficients[a].is(0)) at += fmt::format(" + {}*{}", axis(a), num[a]);
    if (!moves(b.index)) return fmt::format("(u64)({}) < (u64)({}) ? stop : {}", at, num.back(), i);
    return fmt::format("{} - ({}) < stop ? {} - ({}) : stop", num.back(), at, num.back(), at);
  }

  void rows_horizontal(std::size_t parallel) {
    open("for (; begin < end; ++begin)");
    row_pointers();
    point(k_.row_stores);
    next_row(parallel);
    close();
  }

  /// All phases and stores of one point (horizontal) or of JT_LANES points (vertical) of the parallel axes.
  void point(std::span<const kernel::Store> row_stores) {
    for (int phase = 0; phase < k_.phases; ++phase) reduce(phase);
    if (!k_.full_stores.empty()) {
      const std::vector<ExprId> roots = values(k_.full_stores);
      define(roots, false);
      for (std::size_t i = 0; i < k_.exprs.size(); ++i)
        if (k_.exprs[i].kind == Expr::Kind::scan)
          line(fmt::format("{0}v sum{1} = ({0}v)(({0})0);", kernel::compute_type(k_.exprs[i].dtype), i));
      reduction_loops([&] {
        define(roots, true);
        for (const auto& s : k_.full_stores) store(s);
      });
    }
    define(values(row_stores), false);
    for (const auto& s : row_stores) store(s);
  }

  void reduce(int phase) {
    std::vector<ExprId> roots;
    for (std::size_t r = 0; r < k_.reductions.size(); ++r)
      if (k_.reductions[r].phase == phase) {
        roots.push_back(k_.reductions[r].value);
        const auto& red = k_.reductions[r];
        line(fmt::format("{}v acc{} = {};", kernel::compute_type(red.dtype), r, identity(red)));
      }
    define(roots, false);
    reduction_loops([&] {
      std::vector<ExprId> needed;  // a product that feeds a sum is fused with it
      for (std::size_t r = 0; r < k_.reductions.size(); ++r) {
        const auto& red = k_.reductions[r];
        if (red.phase != phase) continue;
        if (fuses(red))
          for (ExprId a : expr(red.value).args) needed.push_back(a);
        else
          needed.push_back(red.value);
      }
      define(needed, true);
      for (std::size_t r = 0; r < k_.reductions.size(); ++r)
        if (k_.reductions[r].phase == phase) accumulate(r);
    });
    if (!horizontal_) return;
    for (std::size_t r = 0; r < k_.reductions.size(); ++r)
      if (k_.reductions[r].phase == phase)
        line(fmt::format("const {} s{} = jt_fold_{}(acc{});", kernel::compute_type(k_.reductions[r].dtype), r,
                         kernel::fold_name(k_.reductions[r]), r));
  }

  bool fuses(const Reduction& r) const {
    const Expr& e = expr(r.value);
    return r.kind == Reduction::Kind::sum && e.full && e.kind == Expr::Kind::op && e.op == ir::Op::mul &&
           is_floating(r.dtype);
  }

  static std::string identity(const Reduction& r) {
    const char* t = kernel::compute_type(r.dtype);
    return fmt::format("({}v)(({}){})", t, t, kernel::print_identity(r, "(-__builtin_inf())", "(__builtin_inf())"));
  }

  void accumulate(std::size_t r) {
    const auto& red = k_.reductions[r];
    std::string acc = fmt::format("acc{}", r);
    std::string next;
    if (fuses(red)) {
      const auto& args = expr(red.value).args;
      next = fmt::format("jt_fma({}, {}, {})", vector_of(args[0]), vector_of(args[1]), acc);
    } else {
      next = kernel::print_combined(red, acc, vector_of(red.value));
    }
    if (horizontal_ && partial_) next = fmt::format("jt_where(jt_lanes(0, m), {}, {})", next, acc);
    line(fmt::format("{} = {};", acc, next));
  }

  template <class F>
  void reduction_loops(F inner) {
    std::vector<std::size_t> loops;
    for (std::size_t i = 0; i < k_.axes.size(); ++i)
      if (k_.axes[i].reduction && i != vector_) loops.push_back(i);
    for (auto i : loops) open(fmt::format("for (i64 {} = 0; {} < e{}; ++{})", axis(i), axis(i), i, axis(i)));
    if (horizontal_) {
      std::string r = axis(vector_);
      open("");
      line(fmt::format("i64 {} = 0;", r));
      open(fmt::format("for (; {} + JT_LANES <= e{}; {} += JT_LANES)", r, vector_, r));
      inner();
      close();
      if (schedule_.tail) {
        open(fmt::format("if ({} < e{})", r, vector_));
        line(fmt::format("const i64 m = e{} - {};", vector_, r));
        partial_ = true;
        inner();
        partial_ = false;
        close();
      }
      close();
    } else if (loops.empty()) {
      open("");
      inner();
      close();
    } else {
      inner();
    }
    for (std::size_t i = 0; i < loops.size(); ++i) close();
  }
};

EmittedKernel write(Kernel kernel, const kernel::Schedule& schedule, const EmitOptions& options, bool fold) {
  const auto parts = kernel::split_parts(kernel, schedule.vector_axis);
  return Writer(kernel, parts, schedule, options, fold).run();
}

}  // namespace

EmittedKernel emit_c(const Kernel& kernel, const EmitOptions& options) {
  if (!options.known) return emit_c(kernel, kernel::make_schedule(kernel, options.vector_bytes), options);
  const Kernel special = kernel::specialize(kernel, *options.known);
  return write(special, kernel::make_schedule(special, options.vector_bytes, /*fixed_shapes=*/true), options,
               /*fold=*/true);
}

EmittedKernel emit_c(const Kernel& kernel, const kernel::Schedule& schedule, const EmitOptions& options) {
  return write(kernel, schedule, options, /*fold=*/false);
}

}  // namespace jitney::compiler
