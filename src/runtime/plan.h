// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include <jitney/tensor.h>

#include "runtime/form_slot.h"
#include "runtime/memory_plan.h"
#include "runtime/program.h"

namespace jitney::runtime {

/// Where the memory behind an operand comes from.
struct Slot {
  enum class Kind : std::uint8_t { arena, constant, input, output } kind = Kind::arena;
  std::size_t at = 0;  ///< arena: byte offset; else the index of the constant (a value id), input or output
};

class CallSet;
class InPlaceRules;

/// One launch (or one run of the interpreter) with everything that depends on shapes worked out.
struct PlannedStep {
  int step = 0;
  std::int64_t rounds = 0;                         ///< LaunchArgs::rounds
  std::int64_t points = 0, grain = 1;              ///< of a library call: the elements of its result
  std::size_t first_number = 0, number_count = 0;  ///< in Plan::numbers
  std::size_t first_slot = 0, slot_count = 0;      ///< in Plan::slots
};

/// A program bound to concrete input shapes. Immutable but for counts and what appears when it is needed; shared by
/// threads.
struct Plan : std::enable_shared_from_this<Plan> {
  Plan();
  ~Plan();
  std::vector<std::vector<std::int64_t>> input_shapes, output_shapes;
  std::vector<std::size_t> input_bytes, output_bytes;
  ir::SymbolValues symbols;
  std::vector<PlannedStep> steps;
  std::vector<std::int64_t> numbers;
  std::vector<Slot> slots;
  std::size_t arena_bytes = 0;
  bool has_calls = false;
  mutable std::uint64_t fitting_profiles = 0;  ///< bit i: profile i; set before it is shared
  mutable std::atomic<std::uint64_t> last_used{0};
  mutable std::atomic<std::uint64_t> runs{0};  ///< counted where graphs are captured
  /// Callers came with other addresses, and library calls name these: graphs get buffers of their own.
  mutable std::atomic<bool> addresses_vary{false};
  mutable std::atomic<std::uint64_t> uses{0};        ///< counted where kernels are specialized lazily
  mutable std::atomic<std::uint64_t> worth_from{1};  ///< so many uses before, a shape is worth kernels of its own
  mutable FormSlot forms;

  // Library calls are planned when the plan runs first, on the device: asking for output shapes plans none.
  mutable std::mutex calls_mutex;
  mutable std::shared_ptr<const CallSet> calls;
  mutable std::atomic<const CallSet*> calls_ready{nullptr};

  /// Made when it is asked for first: few runs have outputs over inputs.
  const InPlaceRules& in_place(const Program& program) const;

 private:
  mutable std::once_flag in_place_once_;
  mutable std::unique_ptr<const InPlaceRules> in_place_;
};

/// Errors are the user's: shapes that conflict, or that need more memory than can be counted.
Expected<std::shared_ptr<const Plan>> make_plan(const Program& program,
                                                std::vector<std::vector<std::int64_t>> input_shapes,
                                                std::size_t alignment);

/// Lifetimes of the intermediate buffers (region outputs that are no graph outputs): value id and steps; sizes 0.
struct Intermediate {
  ir::ValueId value;
  int first, last;
};
std::vector<Intermediate> intermediates(const Program& program);

/// A buffer that may be written where another lies: the call at step `first` of `onto` adds `from` to its own result
/// element by element, and nothing reads `from` afterwards.
struct InPlace {
  ir::ValueId from, onto;
};
std::vector<InPlace> in_place_sums(const Program& program);

}  // namespace jitney::runtime
