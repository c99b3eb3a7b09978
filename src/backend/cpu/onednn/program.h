// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "backend/cpu/onednn/recipe.h"

namespace jitney::backend::onednn {

/// Memory that a step reads or writes.
struct Binding {
  int argument;
  MemoryDesc desc;
  int operand = -1;        ///< of the call; -1: scratch
  std::size_t offset = 0;  ///< in scratch
};

/// One oneDNN primitive.
struct Step {
  Description description;
  std::vector<Binding> bindings;
  mutable Compiled compiled;  ///< set by Steps::compile()
};

/// Primitives that run one after the other. Compiling is put off until they are needed.
class Steps {
 public:
  std::vector<Step> list;
  /// Compiles what is not compiled yet. Needs the number of threads the descriptions were made for. Thread-safe.
  Status compile() const;

 private:
  mutable std::mutex mutex_;
  mutable bool is_compiled_ = false;
};

/// How one call is done with a certain number of threads. There are two ways, and at least one of them: `apart` reads
/// every operand where it lies; `in_place` adds the sum's operand where it lies in the output's place. Immutable but
/// for the compiling. Either can do with any weights in the layout that it names.
struct Program {
  std::unique_ptr<Steps> apart, in_place;
  MemoryDesc weights;             ///< the layout of packed weights; null where there are none
  std::size_t scratch_bytes = 0;  ///< of either way
  std::size_t copy_offset = 0;    ///< where in scratch an operand is saved that lies in the output's place
  std::size_t copy_bytes = 0;
  std::string implementation;
  bool is_reference = false;
};

/// What a new program should do about the layout of the weights.
struct Layout {
  const_dnnl_memory_desc_t desc = nullptr;
  bool is_fixed = false;  ///< they are in that layout, at whatever cost; else it is preferred where it costs nothing
};

/// Plans for as many threads as OpenMP would take now on this thread. Error(environment) where oneDNN has nothing.
Expected<std::unique_ptr<Program>> make_program(const Recipe& recipe, const Layout& layout);

}  // namespace jitney::backend::onednn
