// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "backend/cpu/host_memory.h"
#include "backend/cpu/native/native_primitive.h"

namespace jitney::backend::native {

/// Library calls that Jitney's own code does, because it is faster here than the library: f32 products with constant
/// weights (gemm/), 3x3 convolutions by Winograd's algorithm (winograd/), and attention (attention/). The first two
/// take a bias, one addend, and one clip; products an activation instead, too. Thread-safe; one object a process.
class NativeCalls {
 public:
  /// `memory` holds packed weights, and outlives them. `vector_bytes`: of the registers that may be used.
  NativeCalls(HostMemory& memory, int vector_bytes) : memory_(memory), vector_bytes_(vector_bytes) {}

  /// Whether plan() would take a call like this. Extents of -1 are unknown, and do not speak against it.
  bool offers(const LibraryCall& call) const;
  /// Whether a call like this without an epilogue is better done here than by a library. What offers() then refuses is
  /// left out of the call.
  bool prefers(const LibraryCall& call) const;
  /// Null where it is not for us, or not better done here; `must`: there is no library that could.
  std::shared_ptr<const NativePrimitive> plan(const LibraryCall& call, int threads, bool must);
  Expected<std::shared_ptr<const PackedWeights>> pack(const NativePrimitive& primitive, const WeightsSource& source);
  /// Whether these are weights in the primitive's layout.
  static bool fits(const NativePrimitive& primitive, const PackedWeights* weights);

 private:
  std::shared_ptr<const NativePrimitive> make(const LibraryCall& call, int threads, bool must) const;

  struct Planned {
    LibraryCall call;
    int threads;
    std::weak_ptr<const NativePrimitive> primitive;
  };
  struct Entry {
    std::string key;
    std::weak_ptr<const PackedWeights> packed;
  };
  HostMemory& memory_;
  const int vector_bytes_;
  std::mutex mutex_;
  std::vector<Planned> planned_;
  std::vector<Entry> entries_;  ///< what is packed in this process; holds nothing alive
};

}  // namespace jitney::backend::native
