// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Kernels as CUDA C++ for NVRTC. Three shapes of a kernel:
//   a map: a thread does a few neighbours along the vector axis, and moves 16 bytes at a time where addresses allow it;
//   a reduction along memory: a warp or, when rows are long, a block does one row at a time;
//   a reduction across memory: neighbouring threads do neighbouring points, and slices of the block divide the
//   reduction.
// Blocks divide the points in a loop with the grid's stride, so that any grid is right.
#include "compiler/cuda_expr_writer.h"

namespace jitney::compiler {

namespace {

constexpr int kThreads = 256, kWarp = 32;
// Rows of more vectors than this for each lane of a warp are a block's work.
constexpr int kVectorsOfAWarp = 4;

class CudaWriter : CudaExprWriter {
 public:
  CudaWriter(const Kernel& k, const kernel::Schedule& schedule, const EmitOptions& options, bool fold)
      : CudaExprWriter(k, schedule, options, fold) {}

  EmittedKernel run() {
    scopes_.emplace_back();
    bind_arguments();
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
  // ---- the file
  std::string header() const {
    std::string s = "struct jitney_args {";
    if (!k_.operands.empty()) s += fmt::format(" void* p[{}];", k_.operands.size());
    if (!out_.numbers.empty()) s += fmt::format(" i64 n[{}];", out_.numbers.size());
    s += " i64 begin, end; i32* fault; };\n";
    s += fmt::format(
        "extern \"C\" __global__ void __launch_bounds__({}) jitney_kernel(const __grid_constant__ "
        "jitney_args a) {{\n",
        kThreads);
    return s;
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
  static std::string identity(const Reduction& r) { return kernel::print_identity(r, "-JT_INF", "JT_INF"); }

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
        line(
            fmt::format("{} acc{} = {};", kernel::compute_type(k_.reductions[r].dtype), r, identity(k_.reductions[r])));
      }
      define_all(roots, false, !horizontal_);
      loops(roots, nullptr, [&] {
        for (auto r : of_phase(phase))
          line(fmt::format(
              "{}acc{} = {};", vector_elements_ > 1 ? "if (l < m) " : "", r,
              kernel::print_combined(k_.reductions[r], fmt::format("acc{}", r), text_of(k_.reductions[r].value))));
      });
      for (auto r : of_phase(phase)) fold(r);
    }
    if (!k_.full_stores.empty()) {
      define_all(values(k_.full_stores), false, !horizontal_);
      for (std::size_t i = 0; i < k_.exprs.size(); ++i)
        if (k_.exprs[i].kind == Expr::Kind::scan)
          line(fmt::format("{} sum{} = 0;", kernel::compute_type(k_.exprs[i].dtype), i));
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
                           kernel::fold_name(k_.reductions[r]), r, kernel::compute_type(k_.reductions[r].dtype)));
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
                           kernel::print_combined(red, fmt::format("acc{}", r),
                                                  fmt::format("(({}*)shared)[s * {} + column]", type, width))));
          close();
        },
        slices_ > 1 ? "if (exists && slice == 0)" : "if (exists)");
    close();
  }
};

}  // namespace

EmittedKernel emit_cuda(const Kernel& kernel, const EmitOptions& options) {
  if (!options.known) {
    const auto schedule = kernel::make_schedule(kernel, options.vector_bytes);
    return CudaWriter(kernel, schedule, options, /*fold=*/false).run();
  }
  const Kernel special = kernel::specialize(kernel, *options.known);
  const auto schedule = kernel::make_schedule(special, options.vector_bytes);
  return CudaWriter(special, schedule, options, /*fold=*/true).run();
}

}  // namespace jitney::compiler
