// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cublasLt.h>
#include <cuda.h>

#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "backend/backend.h"
#include "backend/cuda/cublaslt_product.h"
#include "backend/cuda/known_algorithms.h"
#include "backend/cuda/own_kernels.h"
#include "backend/cuda/product.h"
#include "backend/cuda/tuning.h"

namespace jitney::backend::cuda {

/// The CUDA backend's library calls, as backend.h describes them: products by cuBLASLt, convolutions and attention by
/// cuDNN, each where its library is installed. One object a process: equal calls share a primitive, equal weights a
/// packing. Thread-safe. The device's context is current in every call but offers().
class LibraryCalls {
 public:
  /// What calls are planned for.
  struct Chip {
    int device = 0, compute_capability = 0, multiprocessors = 1;
    std::size_t cache_bytes = 0;
  };

  /// `memory` allocates, copies, frees, loads and launches, and outlives this.
  explicit LibraryCalls(Backend& memory) : memory_(memory), kernels_(memory) {}
  LibraryCalls(const LibraryCalls&) = delete;

  static bool offers(const LibraryCall& call);
  Expected<std::shared_ptr<const Primitive>> plan(const Chip& chip, const LibraryCall& call,
                                                  const PlanOptions& options);
  /// What plan() at once falls back on: algorithms of products, and kernels of this backend. cuDNN is not asked, whose
  /// plans are for one shape each.
  void rehearse(const Chip& chip, const LibraryCall& call, const PlanOptions& options);
  Expected<std::shared_ptr<const PackedWeights>> pack(int device, const Primitive& primitive,
                                                      const WeightsSource& source);
  static Expected<std::unique_ptr<Invocation>> invocation(std::shared_ptr<const Primitive> primitive,
                                                          std::shared_ptr<const PackedWeights> weights);
  static Status run(Invocation& invocation, std::span<void* const> pointers, void* scratch, CUstream stream);
  /// Lines for `jitney doctor`.
  static std::vector<std::string> diagnose();

 private:
  struct Planned {
    int device;
    LibraryCall call;
    std::weak_ptr<const Primitive> primitive;
  };
  struct Packing {
    std::string key;
    std::weak_ptr<const PackedWeights> weights;
  };
  Expected<cublasLtHandle_t> handle(int device);
  Expected<std::shared_ptr<const Primitive>> make(const Chip& chip, const LibraryCall& call,
                                                  const PlanOptions& options);
  /// The first packing that `is_it` says yes to; null where there is none. The lock is held.
  template <class IsIt>
  std::shared_ptr<const PackedWeights> find_packed(IsIt is_it);
  /// Null where there is none, and where there is only a provisional one but time. The lock is held.
  std::shared_ptr<const Primitive> find(int device, const LibraryCall& call, std::size_t hash, Haste haste);
  Expected<std::shared_ptr<const Primitive>> plan_product(const Chip& chip, const Product& product,
                                                          const PlanOptions& options);
  /// cuBLASLt's part of it: without GELU by erf, which it does not have.
  Expected<std::shared_ptr<const CublasLtProduct>> plan_cublaslt(const Chip& chip, Product product,
                                                                 const PlanOptions& options, bool is_stopgap = false);
  Tuning tuning(const Chip& chip, PlanServices* services) {
    return {.services = services,
            .backend = &memory_,
            .device = chip.device,
            .multiprocessors = chip.multiprocessors,
            .cache_bytes = chip.cache_bytes};
  }

  Backend& memory_;
  OwnKernels kernels_;
  KnownAlgorithms algorithms_;
  std::mutex mutex_;
  static constexpr std::size_t kFewPlanned = 256;
  std::unordered_multimap<std::size_t, Planned> planned_;  ///< by hash
  std::size_t most_planned_ = kFewPlanned;                 ///< before those that are gone are taken out
  std::vector<Packing> packed_;
  std::map<int, cublasLtHandle_t> handles_;
};

}  // namespace jitney::backend::cuda
