// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "ir/dim.h"

/// Permutations as the attribute of ir::Op::permute holds them: axis i of the result is axis perm[i] of the input.
namespace jitney::passes {

using Permutation = std::vector<std::int64_t>;

/// [n, c, s...] to [n, s..., c].
Permutation to_channels_last(std::size_t rank);
Permutation inverse(const Permutation& perm);
/// Permuting by `first`, then by `second`, in one.
Permutation compose(const Permutation& first, const Permutation& second);
bool is_identity(const Permutation& perm);

template <class T>
std::vector<T> permuted(const std::vector<T>& of, const Permutation& perm) {
  std::vector<T> result;
  for (auto axis : perm) result.push_back(of[static_cast<std::size_t>(axis)]);
  return result;
}

}  // namespace jitney::passes
