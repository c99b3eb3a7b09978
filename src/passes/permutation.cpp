// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "passes/permutation.h"

namespace jitney::passes {

Permutation to_channels_last(std::size_t rank) {
  Permutation perm{0};
  for (std::size_t d = 2; d < rank; ++d) perm.push_back(static_cast<std::int64_t>(d));
  perm.push_back(1);
  return perm;
}

Permutation inverse(const Permutation& perm) {
  Permutation result(perm.size());
  for (std::size_t i = 0; i < perm.size(); ++i)
    result[static_cast<std::size_t>(perm[i])] = static_cast<std::int64_t>(i);
  return result;
}

Permutation compose(const Permutation& first, const Permutation& second) { return permuted(first, second); }

bool is_identity(const Permutation& perm) {
  for (std::size_t i = 0; i < perm.size(); ++i)
    if (perm[i] != static_cast<std::int64_t>(i)) return false;
  return true;
}

}  // namespace jitney::passes
