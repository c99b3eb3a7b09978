// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "backend/cpu/onednn/primitive.h"

namespace jitney::backend::onednn {

/// The steps of one way through a program with memory objects of their own.
class Bound {
 public:
  static Expected<std::unique_ptr<Bound>> make(const Steps& steps);
  /// Where each operand lies: an address by operand.
  template <class Address>
  void bind(const Address& address, char* scratch);
  Status execute(dnnl_stream_t stream) const;

 private:
  struct Slot {
    Memory memory;
    int operand;
    std::size_t offset;
    const void* bound;  ///< what it was told last
  };
  struct Run {
    dnnl_primitive_t primitive;
    std::vector<dnnl_exec_arg_t> arguments;
  };
  std::vector<Slot> slots_;
  std::vector<Run> runs_;
};

/// A call in one workspace. Its parts are made when a way is first taken, so that a steady run allocates nothing here.
class PlannedInvocation final : public Invocation {
 public:
  static Expected<std::unique_ptr<PlannedInvocation>> make(std::shared_ptr<const PlannedPrimitive> primitive,
                                                           std::shared_ptr<const Packed> weights);
  Status run(std::span<void* const> pointers, void* scratch);

 private:
  struct Ways {
    std::unique_ptr<Bound> apart, in_place;
  };
  Status run(const Program& program, Ways& ways, int threads, std::span<void* const> pointers, char* scratch);

  std::shared_ptr<const PlannedPrimitive> primitive_;
  std::shared_ptr<const Packed> weights_;
  Stream stream_;
  Ways team_, alone_;
  std::vector<char> own_scratch_;  ///< of the way alone, which may need more than was promised
};

}  // namespace jitney::backend::onednn
