// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cublasLt.h>

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "backend/cuda/product.h"

namespace jitney::backend::cuda {

/// What cuBLASLt multiplies with: by operands that are aligned to 16 bytes, and by others.
struct ProductAlgorithms {
  cublasLtMatmulAlgo_t aligned{}, unaligned{};
  bool has_aligned = false, has_unaligned = false;
};

/// The algorithms that products of this process have, for others like them that cannot wait: cuBLASLt's heuristics take
/// some hundred microseconds for each product, and an algorithm that is new milliseconds at its first run, for its code
/// to be loaded. An algorithm is right for any extents that the library's check lets pass. Thread-safe.
class KnownAlgorithms {
 public:
  /// Its code is loaded, or will be by a run that comes anyway.
  void add(int device, const Product& product, const ProductAlgorithms& algorithms);
  /// Those of the product that is nearest: of the same types, layouts and epilogue, its rows differing by the least
  /// factor, and other extents rather not. Nothing where all are far.
  std::optional<ProductAlgorithms> like(int device, const Product& product) const;

 private:
  struct Known {
    std::string kind;
    std::int64_t m, n, k;
    ProductAlgorithms algorithms;
  };
  mutable std::mutex mutex_;
  std::vector<Known> known_;
};

}  // namespace jitney::backend::cuda
