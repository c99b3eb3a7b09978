// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "kernel/kernel.h"
#include "kernel/schedule.h"

namespace jitney::compiler {

/// A kernel as source, and what to call it with. Sources are canonical: two kernels that differ in model names or in
/// shapes only have the same source, so they are compiled once.
struct EmittedKernel {
  backend::SourceLanguage language = backend::SourceLanguage::c;
  std::string defines, code;    ///< what stands before and after the prelude; these two decide the binary with it
  std::string prelude() const;  ///< the parts of the language's prelude that the code needs
  std::string source() const;   ///< the whole translation unit
  std::string symbol = "jitney_kernel";
  /// LaunchArgs::numbers in order, to be evaluated when shapes are bound.
  std::vector<ir::Dim> numbers;
  /// Size of the parallel iteration space, and the rough cost of one point in operations.
  ir::Dim points, cost_per_point;
  /// GPU: threads of a block, and how many points a block does at a time; 0 elsewhere.
  int block_threads = 0, block_points = 0;
  /// GPU: rounds that a block takes for its points where several blocks may divide them; 0: they may not.
  ir::Dim rounds = 0;
  /// The parallel space may be split at multiples of this; 1 in the generic form.
  std::int64_t granule = 1;
};

struct EmitOptions {
  int vector_bytes = 64;     ///< of the target
  bool model_names = false;  ///< operands named as in the model: for people, not for compiling
  /// The specialized form: values of symbols. Numbers that follow from these, and numbers that are constants already,
  /// are folded into the code and are no launch arguments; what a shape makes unnecessary (tails, axes of extent 1,
  /// gathers with stride 1) is left out. Runs at these shapes only. Unset: the generic form, for any shape.
  std::optional<ir::SymbolValues> known{};
};

/// C for Clang (src/compiler/prelude_c.inc first). Pure.
EmittedKernel emit_c(const kernel::Kernel& kernel, const EmitOptions& options);

/// The same by a schedule of the caller's, in the generic form: `options.known` is not looked at.
EmittedKernel emit_c(const kernel::Kernel& kernel, const kernel::Schedule& schedule, const EmitOptions& options);

/// CUDA C++ for NVRTC (src/compiler/prelude_cuda.inc first). Pure; of the options, only model_names matters.
EmittedKernel emit_cuda(const kernel::Kernel& kernel, const EmitOptions& options);

/// A kernel that is an algorithm. There is one form, the generic one: `options.known` is not looked at.
EmittedKernel emit_algorithm(const kernel::Kernel& kernel, const EmitOptions& options,
                             backend::SourceLanguage language);

/// In the language of a device; C where it has none.
EmittedKernel emit(const kernel::Kernel& kernel, const EmitOptions& options, backend::SourceLanguage language);

}  // namespace jitney::compiler
