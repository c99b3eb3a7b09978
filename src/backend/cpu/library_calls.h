// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>

#include "backend/backend.h"
#include "backend/cpu/host_memory.h"

namespace jitney::backend {

/// The CPU backend's library calls, as backend.h describes them; by oneDNN, or none in builds without it. One object a
/// process: its tables are what the process shares. Thread-safe.
class LibraryCalls {
 public:
  /// `memory` holds packed weights, and outlives them.
  explicit LibraryCalls(HostMemory& memory);
  ~LibraryCalls();
  LibraryCalls(const LibraryCalls&) = delete;

  bool offers(const LibraryCall& call) const;
  Expected<std::shared_ptr<const Primitive>> plan(const LibraryCall& call, int threads, const PackedWeights* preferred);
  Expected<std::shared_ptr<const PackedWeights>> pack(const Primitive& primitive, const WeightsSource& source);
  static Expected<std::unique_ptr<Invocation>> invocation(std::shared_ptr<const Primitive> primitive,
                                                          std::shared_ptr<const PackedWeights> weights);
  static Status run(Invocation& invocation, std::span<void* const> pointers, void* scratch);
  /// Whether anything was planned so far.
  bool is_used() const;
  /// One line for `jitney doctor`. Loads the library.
  static std::string diagnose();

 private:
  struct Tables;
  std::unique_ptr<Tables> tables_;
};

}  // namespace jitney::backend
