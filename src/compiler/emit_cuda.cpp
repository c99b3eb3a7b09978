// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Kernels as CUDA C++ for NVRTC. Three shapes of a kernel:
//   a map (cuda_map_writer.h);
//   a reduction along memory: as many warps as a row has vectors for, up to a block, do one row at a time, and hold
//   what they read of it from pass to pass; a reduction across memory: neighbouring threads do neighbouring points, and
//   slices of the block divide the reduction; a short one, as a depthwise convolution's window, is unrolled, and a
//   thread does a few points.
// Blocks divide the points in a loop with the grid's stride, so that any grid is right.
#include "compiler/cuda_map_writer.h"

namespace jitney::compiler {

namespace {

constexpr int kWarp = 32;
// Vectors of a row that a thread holds in registers, and their bytes at most: 64 registers.
constexpr int kKeptVectors = 2;
constexpr std::size_t kKeptBytes = 256;
// Blocks of kernels whose rows are known to be short, and of short reductions: these have few threads in all, which are
// to reach as many multiprocessors as they can.
constexpr int kSmallBlock = 128;
// Rows and columns of fewer rounds of a block are not worth code for several blocks.
constexpr std::int64_t kLeastSplitRounds = 12;
// A round of a row moves 16 bytes a thread, one of a column one element: so many of these count as one.
constexpr std::int64_t kColumnRounds = 16;
// Windows of up to this many elements are unrolled.
constexpr std::int64_t kUnrolled = 25;

class CudaWriter : CudaMapWriter {
 public:
  CudaWriter(const Kernel& k, const kernel::Schedule& schedule, const EmitOptions& options, bool fold)
      : CudaMapWriter(k, schedule, options, fold) {}

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
    if (out_.block_threads == 0) out_.block_threads = kThreads;
    out_.points = 1;
    out_.cost_per_point = static_cast<std::int64_t>(std::max<std::size_t>(k_.exprs.size(), 1));
    for (const auto& axis : k_.axes)
      (axis.reduction ? out_.cost_per_point : out_.points) =
          (axis.reduction ? out_.cost_per_point : out_.points) * axis.extent;
    return std::move(out_);
  }

 private:
  int kept_vectors_ = kKeptVectors;  ///< of a row that a thread holds
  bool is_kept_whole_ = false;       ///< and these are all that a row has
  bool is_split_ = false;            ///< the blocks of a cluster may divide a row or a column between them

  // ---- the file
  std::string header() const {
    std::string s = "JT_OVERLAPS\nstruct jitney_args {";
    if (!k_.operands.empty()) s += fmt::format(" void* p[{}];", k_.operands.size());
    if (!out_.numbers.empty()) s += fmt::format(" i64 n[{}];", out_.numbers.size());
    s += " i64 begin, end; i32* fault; };\n";
    s += fmt::format(
        "extern \"C\" __global__ void __launch_bounds__({}) jitney_kernel(const __grid_constant__ "
        "jitney_args a) {{\n  JT_BEGIN\n",
        kThreads);
    return s;
  }

  // ---- reductions
  static std::string identity(const Reduction& r) { return kernel::print_identity(r, "-JT_INF", "JT_INF"); }

  std::vector<std::size_t> of_phase(int phase) const {
    std::vector<std::size_t> found;
    for (std::size_t r = 0; r < k_.reductions.size(); ++r)
      if (k_.reductions[r].phase == phase) found.push_back(r);
    return found;
  }

  void begin_sum(std::size_t r) {
    const Reduction& red = k_.reductions[r];
    const char* type = kernel::compute_type(red.dtype);
    if (horizontal_ || vector_elements_ == 1) return line(fmt::format("{} acc{} = {};", type, r, identity(red)));
    line(fmt::format("{} acc{}[{}];", type, r, vector_elements_));
    line("#pragma unroll");
    line(fmt::format("for (i32 l = 0; l < {}; ++l) acc{}[l] = {};", vector_elements_, r, identity(red)));
  }

  /// All phases and stores of one point: `loops` runs its argument over the reduction's elements, `fold` makes one
  /// value out of all threads', `single` guards what one thread of them does.
  template <class Loops, class Fold>
  void point(Loops loops, Fold fold, const std::string& single) {
    for (int phase = 0; phase < k_.phases; ++phase) {
      std::vector<ExprId> roots;
      for (auto r : of_phase(phase)) {
        roots.push_back(k_.reductions[r].value);
        begin_sum(r);
      }
      define_all(roots, false, !horizontal_ && vector_elements_ == 1);
      loops(roots, nullptr, [&] {
        for (auto r : of_phase(phase))
          line(fmt::format("{}{} = {};", vector_elements_ > 1 ? "if (l < m) " : "", accumulator(r),
                           kernel::print_combined(k_.reductions[r], accumulator(r), text_of(k_.reductions[r].value))));
      });
      for (auto r : of_phase(phase)) fold(r);
    }
    if (!k_.full_stores.empty()) {
      define_all(values(k_.full_stores), false, !horizontal_ && vector_elements_ == 1);
      for (std::size_t i = 0; i < k_.exprs.size(); ++i)
        if (k_.exprs[i].kind == Expr::Kind::scan)
          line(fmt::format("{} sum{} = 0;", kernel::compute_type(k_.exprs[i].dtype), i));
      loops(values(k_.full_stores), &k_.full_stores, [] {});
    }
    if (k_.row_stores.empty()) return;
    if (!horizontal_ && vector_elements_ > 1) return elements(values(k_.row_stores), true, &k_.row_stores, [] {});
    open(single);
    define_all(values(k_.row_stores), false, true);
    for (const auto& st : k_.row_stores)
      line(fmt::format("*({}) = jt_down_{}({});", place_of(st.access), storage_of(st), text_of(st.value)));
    close();
  }

  /// A reduction across memory over a window of a known size that is the code's, as constants are.
  bool is_short() const {
    std::int64_t count = horizontal_ || vector_elements_ == 1 ? kUnrolled + 1 : 1;
    for (std::size_t i = parallel_; i < k_.axes.size(); ++i)
      count *= std::min(k_.axes[i].extent.constant().value_or(kUnrolled + 1), kUnrolled + 1);
    return count <= kUnrolled;
  }

  void outer_loops(bool open_them, std::size_t first) {
    for (std::size_t i = first; i < k_.axes.size(); ++i) {
      if (!k_.axes[i].reduction || i == vector_) continue;
      if (!open_them) {
        close();
        continue;
      }
      const bool sliced = slices_ > 1 && i == first_reduction_;
      if (is_short()) {
        line("#pragma unroll");
        open(fmt::format("for (i32 {} = 0; {} < {}; ++{})", axis(i), axis(i), *k_.axes[i].extent.constant(), axis(i)));
        continue;
      }
      if (sliced && is_split_) {
        open_rounds("slice", fmt::format("{} * parts", slices_), fmt::format("e{}", i), axis(i));
        continue;
      }
      open(fmt::format("for (i64 {} = {}; {} < e{}; {} += {})", axis(i), sliced ? "slice" : "0", axis(i), i, axis(i),
                       sliced ? slices_ : 1));
    }
  }

  /// The threads that have one row.
  const char* all() const { return is_split_ ? "all" : "threads"; }

  /// `extent` divided by blocks which do `step` of it in a round: what a launch needs to know to choose how many.
  void split(const ir::Dim& extent, std::int64_t step) {
    const auto known = extent.constant();
    is_split_ = !known || *known / step >= kLeastSplitRounds;
    if (!is_split_) return;
    out_.rounds = ir::Dim::floordiv(extent, ir::Dim(step));
    line("const i32 parts = jt_parts(), part = jt_part();");
    line("i32 turn = 0;");
  }

  /// One value from all blocks that divide a row. Two slots in turn: whoever fills one has met all that read it.
  void fold_parts(std::size_t r, const std::string& tells, const std::string& slot) {
    if (!is_split_) return;
    line(fmt::format("acc{} = jt_fold_parts_{}(acc{}, parts, {}, {});", r, kernel::fold_name(k_.reductions[r]), r,
                     tells, slot));
    line("turn ^= 1;");
  }

  /// Nobody leaves whose memory is still read.
  void end_of_parts() {
    if (is_split_) line("if (parts > 1) jt_wait_parts();");
  }

  /// A loop whose rounds are counted, so that the compiler reads for several of them at once: `name` is `from` first,
  /// and `step` more each time, below `end`.
  void open_rounds(const std::string& from, const std::string& step, const std::string& end, const std::string& name) {
    const int id = fresh_++;
    line(fmt::format("const i64 step{} = {};", id, step));
    line(fmt::format("const i64 count{} = {} < {} ? jt_quotient({} - {} + step{} - 1, step{}) : 0;", id, from, end, end,
                     from, id, id));
    line("#pragma unroll 4");
    open(fmt::format("for (i64 k = 0; k < count{}; ++k)", id));
    line(fmt::format("const i64 {} = {} + k * step{};", name, from, id));
  }

  /// The first group of points of a block and how far the next one is, in blocks.
  std::string first_block() const { return is_split_ ? "blockIdx.x / parts" : "blockIdx.x"; }
  std::string blocks() const { return is_split_ ? "(gridDim.x / parts)" : "gridDim.x"; }

  void open_kept() {
    line("#pragma unroll");
    open(fmt::format("for (i32 k = 0; k < {}; ++k)", kept_vectors_));
    line(fmt::format("const i64 b = ((i64)k * {} + lane) * {};", all(), vector_elements_));
    open(fmt::format("if (b < e{})", vector_));
  }

  /// Reads what more than one pass needs of a row into registers, all of it at once; what a longer row has beyond them
  /// is read in each pass. Gives where that begins, as the beginning of an expression.
  std::string keep() {
    if (vector_elements_ == 1 || k_.axes.size() != parallel_ + 1) return "(i64)";
    std::map<ExprId, int> passes;
    const auto count = [&](const std::vector<ExprId>& roots) {
      std::set<ExprId> needed;
      collect(roots, needed);
      for (ExprId id : needed) {
        const Expr& e = expr(id);
        if (e.kind == Expr::Kind::load && e.full && varies(id) && is_packed(e.access)) ++passes[id];
      }
    };
    for (int phase = 0; phase < k_.phases; ++phase) {
      std::vector<ExprId> roots;
      for (auto r : of_phase(phase)) roots.push_back(k_.reductions[r].value);
      count(roots);
    }
    count(values(k_.full_stores));
    // What one pass only needs is read as early where there is room, so that it is there when the pass begins.
    if (std::none_of(passes.begin(), passes.end(), [](const auto& p) { return p.second > 1; })) return "(i64)";
    std::vector<std::pair<ExprId, int>> by_use(passes.begin(), passes.end());
    std::stable_sort(by_use.begin(), by_use.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
    std::size_t room = kKeptBytes;
    std::erase_if(by_use, [&](const auto& p) {
      const std::size_t bytes =
          size_of(expr(p.first).dtype) * static_cast<std::size_t>(vector_elements_ * kept_vectors_);
      if (bytes > room) return true;
      room -= bytes;
      return false;
    });
    for (const auto& [id, times] : by_use) {
      const Expr& e = expr(id);
      const std::string name = fmt::format("c{}", fresh_++);
      line(
          fmt::format("jt_pack<{}, {}> {}[{}];", vector_elements_, kernel::storage_type(e.dtype), name, kept_vectors_));
      kept_[&e.access] = name;
    }
    for (const auto& [id, times] : by_use)
      for (const auto& i : expr(id).access.indirect) define_all({i.index}, false, false);
    open_kept();
    count_elements();
    for (const auto& [id, times] : by_use) read_pack(expr(id), kept_[&expr(id).access] + "[k]");
    close();
    close();
    return fmt::format("(i64){} * {} + ", kept_vectors_, all());
  }

  /// Along memory: a row is a warp's or a block's.
  void rows() {
    const auto extent = k_.axes[vector_].extent.constant();
    int threads = kThreads;
    if (extent)
      while (threads > kWarp && threads / 2 * vector_elements_ >= *extent) threads /= 2;
    if (extent) out_.block_threads = std::max(threads, kSmallBlock);
    out_.block_points = extent ? out_.block_threads / threads : 1;
    line(fmt::format("__shared__ u64 shared[{}];", kThreads / kWarp));
    split(k_.axes[vector_].extent, std::int64_t{kThreads} * vector_elements_);
    if (is_split_) line("__shared__ u64 told[2];");
    if (extent) {
      line(fmt::format("const i32 threads = {};", threads));
      const std::int64_t step = std::int64_t{threads} * vector_elements_;
      kept_vectors_ = static_cast<int>(std::clamp<std::int64_t>((*extent + step - 1) / step, 1, kKeptVectors));
      is_kept_whole_ = kept_vectors_ * step >= *extent;
    } else {
      line(fmt::format("i32 threads = {};", kThreads));
      line(fmt::format("while (threads > {} && (i64)threads / 2 * {} >= e{}) threads /= 2;", kWarp, vector_elements_,
                       vector_));
    }
    if (is_split_)
      line("const i32 all = threads * parts, lane = part * threads + (threadIdx.x & (threads - 1));");
    else
      line("const i32 lane = threadIdx.x & (threads - 1);");
    line("const i32 rows = blockDim.x / threads;");
    line(fmt::format("i64 row = (i64)({}) * rows + threadIdx.x / threads;", first_block()));
    open(fmt::format("for (; row < a.end; row += (i64){} * rows)", blocks()));
    line("i64 rest = row;");
    find_place();
    const std::string past = keep();
    point(
        [&](const std::vector<ExprId>& roots, const std::vector<kernel::Store>* stores, auto body) {
          outer_loops(true, parallel_);
          if (!kept_.empty()) {
            open_kept();
            kept_at_ = "k";
            elements(roots, true, stores, body);
            kept_at_.clear();
            close();
            close();
            if (is_kept_whole_) return outer_loops(false, parallel_);
          }
          open(fmt::format("for (i64 b = ({}lane) * {}; b < e{}; b += (i64){} * {})", past, vector_elements_, vector_,
                           all(), vector_elements_));
          elements(roots, true, stores, body);
          close();
          outer_loops(false, parallel_);
        },
        [&](std::size_t r) {
          line(fmt::format("acc{} = jt_fold_{}(acc{}, threads, ({}*)shared);", r, kernel::fold_name(k_.reductions[r]),
                           r, kernel::compute_type(k_.reductions[r].dtype)));
          fold_parts(r, "threadIdx.x == 0", "told + turn");
        },
        "if (lane == 0)");
    close();
    end_of_parts();
  }

  /// Across memory, a few neighbouring points a thread.
  void few_columns() {
    out_.block_threads = kSmallBlock;
    out_.block_points = kSmallBlock * vector_elements_;
    open_chunks();
    point(
        [&](const std::vector<ExprId>& roots, const std::vector<kernel::Store>* stores, auto body) {
          outer_loops(true, parallel_);
          elements(roots, true, stores, body);
          outer_loops(false, parallel_);
        },
        [](std::size_t) {}, "");
    close();
  }

  /// Across memory: neighbouring threads have neighbouring points, and slices of the block divide the reduction.
  void columns() {
    if (vector_elements_ > 1) return few_columns();
    const int width = kThreads / slices_;
    out_.block_points = width;
    if (slices_ > 1) line(fmt::format("__shared__ u64 shared[{}];", kThreads));
    if (slices_ > 1) split(k_.axes[first_reduction_].extent, slices_ * kColumnRounds);
    if (is_split_) line(fmt::format("__shared__ u64 told[2 * {}];", width));
    line(fmt::format("const i32 column = threadIdx.x % {}, slice = {}threadIdx.x / {};", width,
                     is_split_ ? fmt::format("part * {} + ", slices_) : "", width));
    open(fmt::format("for (i64 base = (i64)({}) * {}; base < a.end; base += (i64){} * {})", first_block(), width,
                     blocks(), width));
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
          fold_parts(r, fmt::format("threadIdx.x < {}", width), fmt::format("told + turn * {} + column", width));
        },
        slices_ > 1 ? "if (exists && slice == 0)" : "if (exists)");
    close();
    end_of_parts();
  }
};

}  // namespace

EmittedKernel emit_cuda(const Kernel& kernel, const EmitOptions& options) {
  if (!options.known) {
    const auto schedule = kernel::make_schedule(kernel, options.vector_bytes);
    // A reduction is short of threads: what is known of its shape saves each of them much of its arithmetic.
    return CudaWriter(kernel, schedule, options, /*fold=*/kernel.has_reduction()).run();
  }
  const Kernel special = kernel::specialize(kernel, *options.known);
  const auto schedule = kernel::make_schedule(special, options.vector_bytes);
  return CudaWriter(special, schedule, options, /*fold=*/true).run();
}

}  // namespace jitney::compiler
