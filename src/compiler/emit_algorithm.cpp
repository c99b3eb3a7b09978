// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Kernels that are algorithms, as scalar loops that C and CUDA C++ write alike.
//
// On a CPU a point is a line of the output: it is copied and then updated in order, or the best of it are kept in a
// heap that lies in the output itself. On a GPU a point is one element, which looks at all updates that may meet it, or
// at all of its line to find its rank: more work, but none of it waits, and the same bits come out every time.
#include "compiler/emit.h"
#include "kernel/print_expr.h"

namespace jitney::compiler {
namespace {

using ir::Dim;
using kernel::Algorithm;

class AlgorithmWriter {
 public:
  AlgorithmWriter(const kernel::Kernel& k, const EmitOptions& options, backend::SourceLanguage language)
      : k_(k), a_(*k.algorithm), named_(options.model_names), cuda_(language == backend::SourceLanguage::cuda) {}

  EmittedKernel run() {
    bind();
    if (a_.kind == Algorithm::Kind::top_k)
      cuda_ ? ranks() : heap();
    else
      cuda_ ? looking() : in_order();
    out_.language = cuda_ ? backend::SourceLanguage::cuda : backend::SourceLanguage::c;
    if (cuda_) {
      constexpr int kThreads = 128;
      out_.block_threads = out_.block_points = kThreads;
      const std::string numbers = out_.numbers.empty() ? "" : fmt::format(" i64 n[{}];", out_.numbers.size());
      out_.code = fmt::format("JT_OVERLAPS\nstruct jitney_args {{ void* p[{}];{} i64 begin, end; i32* fault; }};\n",
                              k_.operands.size(), numbers) +
                  helpers_ +
                  "extern \"C\" __global__ void jitney_kernel(const __grid_constant__ jitney_args a) {\n  JT_BEGIN\n";
    } else {
      // No vectors are made; the prelude wants a number.
      out_.defines = "#define JT_LANES 4\n";
      for (std::size_t i = 0; i < k_.operands.size(); ++i) {
        const std::string type = kernel::storage_type(k_.operands[i].dtype);
        const std::string declared = fmt::format("JT_TYPE({0})", type);
        if (out_.code.find(declared) == std::string::npos) out_.code += declared + "\n";
      }
      out_.code += helpers_ +
                   "__attribute__((visibility(\"default\"))) void jitney_kernel(const jitney_args* a, i64 begin, i64 "
                   "end) {\n";
    }
    out_.code += body_ + "}\n";
    return std::move(out_);
  }

 private:
  const kernel::Kernel& k_;
  const Algorithm& a_;
  const bool named_, cuda_;
  EmittedKernel out_;
  std::string helpers_, body_;
  int depth_ = 1;

  void line(const std::string& s) { body_ += std::string(static_cast<std::size_t>(depth_) * 2, ' ') + s + "\n"; }
  void open(const std::string& s) {
    line(s + " {");
    ++depth_;
  }
  void close() {
    --depth_;
    line("}");
  }

  std::string number(const Dim& d) {
    if (d.is(0) || d.is(1)) return d.is(0) ? "0" : "1";
    out_.numbers.push_back(d);
    return fmt::format("{}[{}]", cuda_ ? "a.n" : "a->numbers", out_.numbers.size() - 1);
  }

  // Of operand o: pointer x<o>, extents d<o>_<axis>, strides s<o>_<axis>.
  void bind() {
    for (std::size_t o = 0; o < a_.operands.size(); ++o) {
      const auto& operand = a_.operands[o];
      const bool output = o + 1 == a_.operands.size();
      line(fmt::format("{0}{1}* const x{2} = ({0}{1}*){3}[{2}] + {4};{5}", output ? "" : "const ",
                       kernel::storage_type(operand.dtype), o, cuda_ ? "a.p" : "a->pointers", number(operand.offset),
                       named_ ? "  // " + k_.operands[o].name : ""));
      for (std::size_t d = 0; d < operand.shape.size(); ++d) {
        const std::string extent = number(operand.shape[d]);  // the order of numbers is part of the source
        line(fmt::format("const i64 d{0}_{1} = {2}, s{0}_{1} = {3};", o, d, extent, number(operand.strides[d])));
      }
    }
  }

  std::size_t rank() const { return a_.operands[0].shape.size(); }
  std::size_t out() const { return a_.operands.size() - 1; }
  std::string fault() const { return cuda_ ? "a.fault" : "a->fault"; }
  std::string get(std::size_t operand, const std::string& at) const {
    return fmt::format("jt_up_{}(x{}[{}])", kernel::storage_type(a_.operands[operand].dtype), operand, at);
  }
  std::string put(const std::string& at, const std::string& value) const {
    return fmt::format("x{}[{}] = jt_down_{}({});", out(), at, kernel::storage_type(a_.operands[out()].dtype), value);
  }

  /// The loop over points; `axes` of operand `o` are those that a point stands for, and c<axis> is where it is.
  void open_points(std::size_t o, const std::vector<std::size_t>& axes) {
    out_.points = 1;
    for (auto d : axes) out_.points = out_.points * a_.operands[o].shape[d];
    if (cuda_)
      open("for (i64 at = (i64)blockIdx.x * blockDim.x + threadIdx.x; at < a.end; at += (i64)gridDim.x * blockDim.x)");
    else
      open("for (i64 at = begin; at < end; ++at)");
    line("i64 rest = at;");
    for (std::size_t i = axes.size(); i-- > 0;)
      line(fmt::format("const i64 c{0} = rest % d{1}_{0}; rest /= d{1}_{0};", axes[i], o));
  }

  std::string place(std::size_t o, const std::vector<std::size_t>& axes) const {
    std::string s;
    for (auto d : axes) s += fmt::format("{}c{}*s{}_{}", s.empty() ? "" : " + ", d, o, d);
    return s.empty() ? "0" : s;
  }

  std::vector<std::size_t> axes_from(std::size_t first) const {
    std::vector<std::size_t> all;
    for (std::size_t d = first; d < rank(); ++d) all.push_back(d);
    return all;
  }
  std::vector<std::size_t> axes_but(std::size_t axis) const {
    std::vector<std::size_t> all;
    for (std::size_t d = 0; d < rank(); ++d)
      if (d != axis) all.push_back(d);
    return all;
  }

  std::string combined(const std::string& there, const std::string& update) const {
    switch (a_.combine) {
      case Algorithm::Combine::none: return update;
      case Algorithm::Combine::add: return there + " + " + update;
      case Algorithm::Combine::mul: return there + " * " + update;
      // NaN wins.
      case Algorithm::Combine::max: return fmt::format("({1} > {0} || {1} != {1}) ? {1} : {0}", there, update);
      case Algorithm::Combine::min: return fmt::format("({1} < {0} || {1} != {1}) ? {1} : {0}", there, update);
    }
    return update;
  }
  const char* type() const { return kernel::compute_type(a_.operands[0].dtype); }

  /// Index `name` out of indices[at], or what `otherwise` does where it is out of range.
  void index(const std::string& name, const std::string& at, const std::string& extent, const std::string& otherwise) {
    line(fmt::format("i64 {0} = (i64){1}; {0} += {0} < 0 ? {2} : 0;", name, get(1, at), extent));
    line(fmt::format("if ((u64){} >= (u64){}) {{ *{} = 1; {}; }}", name, extent, fault(), otherwise));
  }

  // ---- scatters on a CPU
  void in_order() {
    if (a_.kind == Algorithm::Kind::scatter_nd) return in_order_nd();
    const auto others = axes_but(a_.axis);
    open_points(0, others);
    line(fmt::format("const i64 from = {}, to = {};", place(0, others), place(out(), others)));
    // A state that is updated in place is there already.
    open(fmt::format("for (i64 i = 0; i < d0_{} && x{} != x0; ++i)", a_.axis, out()));
    line(fmt::format("x{1}[to + i*s{1}_{0}] = x0[from + i*s0_{0}];", a_.axis, out()));
    close();
    for (auto d : others) line(fmt::format("if (c{0} >= d1_{0}) continue;", d));
    line(fmt::format("const i64 indices = {}, updates = {};", place(1, others), place(2, others)));
    open(fmt::format("for (i64 u = 0; u < d1_{0}; ++u)", a_.axis));
    index("j", fmt::format("indices + u*s1_{}", a_.axis), fmt::format("d0_{}", a_.axis), "continue");
    update(fmt::format("to + j*s{}_{}", out(), a_.axis), fmt::format("updates + u*s2_{}", a_.axis));
    close();
    close();
    out_.cost_per_point = a_.operands[0].shape[a_.axis] * 2 + a_.operands[1].shape[a_.axis] * 8;
  }

  void update(const std::string& to, const std::string& from) {
    line(fmt::format("const {} update = {}, there = {};", type(), get(2, from), get(out(), to)));
    line(put(to, combined("there", "update")));
    line("(void)there;");
  }

  void in_order_nd() {
    const auto k = static_cast<std::size_t>(a_.tuple);
    const std::size_t tuple_axes = a_.operands[1].shape.size() - 1;
    const auto rest = axes_from(k);
    open_points(0, rest);
    line(fmt::format("const i64 from = {}, to = {};", place(0, rest), place(out(), rest)));
    for (std::size_t d = 0; d < k; ++d)
      open(fmt::format("for (i64 c{0} = 0; c{0} < d0_{0} && x{1} != x0; ++c{0})", d, out()));
    std::string source = "from", target = "to";
    for (std::size_t d = 0; d < k; ++d) {
      source += fmt::format(" + c{0}*s0_{0}", d);
      target += fmt::format(" + c{0}*s{1}_{0}", d, out());
    }
    line(fmt::format("x{}[{}] = x0[{}];", out(), target, source));
    for (std::size_t d = 0; d < k; ++d) close();
    open_tuples(tuple_axes);
    std::string meets = "to";
    tuple_index(k, tuple_axes);
    for (std::size_t d = 0; d < k; ++d) meets += fmt::format(" + j{0}*s{1}_{0}", d, out());
    update(meets, update_place(tuple_axes, k));
    for (std::size_t d = 0; d < tuple_axes; ++d) close();
    close();
    Dim copied = 2, updated = 8;
    for (std::size_t d = 0; d < k; ++d) copied = copied * a_.operands[0].shape[d];
    for (std::size_t d = 0; d < tuple_axes; ++d) updated = updated * a_.operands[1].shape[d];
    out_.cost_per_point = copied + updated;
  }

  /// Loops u0, u1, ... over the tuples, in order, with `indices`, where each begins.
  void open_tuples(std::size_t tuple_axes) {
    std::string at = "0";
    for (std::size_t d = 0; d < tuple_axes; ++d) {
      open(fmt::format("for (i64 u{0} = 0; u{0} < d1_{0}; ++u{0})", d));
      at += fmt::format(" + u{0}*s1_{0}", d);
    }
    line(fmt::format("const i64 indices = {};", at));
  }
  /// j0, j1, ...: where a tuple of k indices points; one out of range is left out.
  void tuple_index(std::size_t k, std::size_t tuple_axes) {
    for (std::size_t d = 0; d < k; ++d)
      index(fmt::format("j{}", d), fmt::format("indices + {}*s1_{}", d, tuple_axes), fmt::format("d0_{}", d),
            "continue");
  }
  /// updates[u..., c of the rest]
  std::string update_place(std::size_t tuple_axes, std::size_t k) const {
    std::string s = "0";
    for (std::size_t d = 0; d < tuple_axes; ++d) s += fmt::format(" + u{0}*s2_{0}", d);
    for (std::size_t d = k; d < rank(); ++d) s += fmt::format(" + c{}*s2_{}", d, tuple_axes + d - k);
    return s;
  }

  // ---- scatters on a GPU
  void looking() {
    const auto all = axes_from(0);
    open_points(0, all);
    line(fmt::format("{} value = {};", type(), get(0, place(0, all))));
    const auto meet = [&](const std::string& from) {
      line(fmt::format("const {} update = {};", type(), get(2, from)));
      // As it would be stored in between.
      const char* storage = kernel::storage_type(a_.operands[0].dtype);
      line(fmt::format("value = jt_up_{0}(jt_down_{0}({1}));", storage, combined("value", "update")));
    };
    if (a_.kind == Algorithm::Kind::scatter_elements) {
      const auto others = axes_but(a_.axis);
      std::string inside = "1";
      for (auto d : others) inside += fmt::format(" && c{0} < d1_{0}", d);
      open(fmt::format("if ({})", inside));
      open(fmt::format("for (i64 u = 0; u < d1_{0}; ++u)", a_.axis));
      index("j", fmt::format("{} + u*s1_{}", place(1, others), a_.axis), fmt::format("d0_{}", a_.axis), "continue");
      line(fmt::format("if (j != c{}) continue;", a_.axis));
      meet(fmt::format("{} + u*s2_{}", place(2, others), a_.axis));
      close();
      close();
      out_.cost_per_point = a_.operands[1].shape[a_.axis] * 4 + 4;
    } else {
      const auto k = static_cast<std::size_t>(a_.tuple);
      const std::size_t tuple_axes = a_.operands[1].shape.size() - 1;
      out_.cost_per_point = 4;
      for (std::size_t d = 0; d < tuple_axes; ++d) out_.cost_per_point = out_.cost_per_point * a_.operands[1].shape[d];
      open_tuples(tuple_axes);
      std::string here = "1";
      tuple_index(k, tuple_axes);
      for (std::size_t d = 0; d < k; ++d) here += fmt::format(" && j{0} == c{0}", d);
      line(fmt::format("if (!({})) continue;", here));
      meet(update_place(tuple_axes, k));
      for (std::size_t d = 0; d < tuple_axes; ++d) close();
    }
    line(put(place(out(), all), "value"));
    close();
  }

  // ---- the best of a line
  /// jt_better(a, i, b, j): whether element i, which is a, comes before element j, which is b.
  void better() {
    helpers_ += fmt::format(
        "JT_FN i32 jt_better({0} a, i64 i, {0} b, i64 j) {{\n"
        "  const i32 a_nan = a != a, b_nan = b != b;\n"
        "  if (a_nan != b_nan) return a_nan == {1};\n"
        "  if (a_nan || a == b) return i < j;\n"
        "  return a {2} b;\n"
        "}}\n",
        type(), a_.largest ? 1 : 0, a_.largest ? ">" : "<");
  }

  void too_many() { line(fmt::format("if (d1_{0} > d0_{0}) {{ *{1} = 1; return; }}", a_.axis, fault())); }

  void heap() {
    better();
    const std::string storage = kernel::storage_type(a_.operands[0].dtype);
    // The worst of those kept is at the root.
    helpers_ += fmt::format(
        "static void jt_sift(const {0}* x, i64 step, i64* kept, i64 stride, i64 h, i64 m) {{\n"
        "  const i64 moved = kept[h*stride];\n"
        "  const {1} v = jt_up_{0}(x[moved*step]);\n"
        "  for (i64 c; (c = 2*h + 1) < m; h = c) {{\n"
        "    if (c + 1 < m && jt_better(jt_up_{0}(x[kept[c*stride]*step]), kept[c*stride],\n"
        "                               jt_up_{0}(x[kept[(c + 1)*stride]*step]), kept[(c + 1)*stride])) ++c;\n"
        "    if (!jt_better(v, moved, jt_up_{0}(x[kept[c*stride]*step]), kept[c*stride])) break;\n"
        "    kept[h*stride] = kept[c*stride];\n"
        "  }}\n"
        "  kept[h*stride] = moved;\n"
        "}}\n",
        storage, type());
    too_many();
    const auto others = axes_but(a_.axis);
    const std::string k = fmt::format("d1_{}", a_.axis);
    open_points(0, others);
    line(fmt::format("if ({} == 0) continue;", k));
    line(fmt::format("const {}* const x = x0 + {};", storage, place(0, others)));
    line(fmt::format("i64* const kept = x1 + {};", place(1, others)));
    line(fmt::format("const i64 n = d0_{0}, k = {1}, step = s0_{0}, stride = s1_{0};", a_.axis, k));
    line("for (i64 i = 0; i < k; ++i) kept[i*stride] = i;");
    line("for (i64 h = k/2; h-- > 0;) jt_sift(x, step, kept, stride, h, k);");
    line(fmt::format("{} worst = jt_up_{}(x[kept[0]*step]);", type(), storage));
    open("for (i64 i = k; i < n; ++i)");
    line(fmt::format("if (!jt_better(jt_up_{}(x[i*step]), i, worst, kept[0])) continue;", storage));
    line("kept[0] = i;");
    line("jt_sift(x, step, kept, stride, 0, k);");
    line(fmt::format("worst = jt_up_{}(x[kept[0]*step]);", storage));
    close();
    open("for (i64 m = k - 1; m > 0; --m)");
    line("const i64 last = kept[0]; kept[0] = kept[m*stride]; kept[m*stride] = last;");
    line("jt_sift(x, step, kept, stride, 0, m);");
    close();
    close();
    out_.cost_per_point = a_.operands[0].shape[a_.axis] * 4 + a_.operands[1].shape[a_.axis] * 32;
  }

  void ranks() {
    better();
    too_many();
    const auto all = axes_from(0), others = axes_but(a_.axis);
    open_points(0, all);
    line(fmt::format("const {} v = {};", type(), get(0, place(0, all))));
    line("i64 rank = 0;");
    line(fmt::format("for (i64 i = 0; i < d0_{0} && rank < d1_{0}; ++i) rank += jt_better({1}, i, v, c{0});", a_.axis,
                     get(0, place(0, others) + fmt::format(" + i*s0_{}", a_.axis))));
    line(fmt::format("if (rank < d1_{0}) x1[{1} + rank*s1_{0}] = c{0};", a_.axis, place(1, others)));
    close();
    out_.cost_per_point = a_.operands[0].shape[a_.axis] * 4;
  }
};

}  // namespace

EmittedKernel emit_algorithm(const kernel::Kernel& kernel, const EmitOptions& options,
                             backend::SourceLanguage language) {
  return AlgorithmWriter(kernel, options, language).run();
}

}  // namespace jitney::compiler
