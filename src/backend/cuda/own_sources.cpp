// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/own_sources.h"

#include <set>

#include "backend/cuda/attention_kernel.h"
#include "backend/cuda/product_kernels.h"
#include "backend/cuda/which_library.h"

namespace jitney::backend::cuda {
namespace {

/// Twice as many as any GPU has, and more.
constexpr int kMostMultiprocessors = 512;

template <class Choose>
std::set<int> all_choices(Choose choose) {
  std::set<int> all;
  for (int n = 1; n <= kMostMultiprocessors; ++n) all.insert(choose(n));
  return all;
}

}  // namespace

std::vector<OwnSource> own_sources(const LibraryCall& call, int compute_capability) {
  std::vector<OwnSource> sources;
  if (const auto* m = std::get_if<MatMulCall>(&call)) {
    const auto product = product_of(*m);
    if (!product) return sources;
    if (is_for_few_rows(*product, compute_capability)) {
      for (const int vector : all_choices([&](int n) { return few_rows_vector(*product, n); }))
        sources.push_back({"product of few rows", few_rows_source(*product, vector)});
    } else if (product->activation == Product::Activation::gelu_erf) {
      sources.push_back({"gelu", gelu_source(product->dtype)});
    }
  }
  const auto* a = std::get_if<AttentionCall>(&call);
  if (a && library_for(call) != Library::none && is_for_attention_kernel(*a, compute_capability)) {
    // In f32 no library stands in where a later shape wants another division: all of them.
    const std::set<int> splits =
        is_attention_in_f32(*a) ? std::set{1, 2, 4} : all_choices([&](int n) { return attention_split(*a, n); });
    for (const int split : splits) sources.push_back({"attention", attention_source(*a, split)});
  }
  return sources;
}

}  // namespace jitney::backend::cuda
