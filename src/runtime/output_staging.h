// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "runtime/plan.h"
#include "runtime/target.h"

namespace jitney::runtime {

/// Outputs whose memory overlaps an input's (a state that is updated in place). Where a kernel may write an element
/// before it is read for the last time, such an output is computed elsewhere and copied at the end; else
/// (runtime/in_place.h) it is written where it belongs. For one run.
class OutputStaging {
 public:
  OutputStaging(const Target& target, const Program& program, const Plan& plan)
      : target_(target), program_(program), plan_(plan) {}
  ~OutputStaging();
  OutputStaging(const OutputStaging&) = delete;
  OutputStaging& operator=(const OutputStaging&) = delete;

  /// An error of the user's where two outputs share memory: neither would be right, nor what is computed from one.
  Status check_apart(std::span<void* const> outputs) const;
  /// Whether any of them must be. Inputs as the kernels read them: those that were copied do not count.
  bool is_needed(std::span<void* const> inputs, std::span<void* const> outputs) const;
  /// Where to write instead, in the order of `stream`.
  Expected<std::vector<void*>> place(std::span<void* const> inputs, std::span<void* const> outputs,
                                     backend::StreamHandle stream);
  /// Copies what was written to where it belongs, behind what the stream holds.
  Status finish();

 private:
  struct Staged {
    void *memory, *to;
    std::size_t bytes;
  };
  bool is_staged(std::span<void* const> inputs, std::size_t output, void* memory) const;

  const Target& target_;
  const Program& program_;
  const Plan& plan_;
  backend::StreamHandle stream_ = 0;
  std::vector<Staged> staged_;
};

}  // namespace jitney::runtime
