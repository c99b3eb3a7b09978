// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/known_algorithms.h"

#include <gtest/gtest.h>

namespace jitney::backend::cuda {
namespace {

Product product(std::int64_t m, std::int64_t n = 64, std::int64_t k = 32) {
  Product p;
  p.dtype = DType::f16;
  p.m = m;
  p.n = n;
  p.k = k;
  p.left = {.rows = n, .columns = k, .stride = n};
  p.right = {.rows = k, .columns = m, .stride = k};
  p.result = {.rows = n, .columns = m, .stride = n};
  return p;
}

ProductAlgorithms algorithms(std::uint64_t id) {
  ProductAlgorithms made{.has_aligned = true};
  made.aligned.data[0] = id;
  return made;
}

class KnownAlgorithmsTest : public ::testing::Test {
 protected:
  /// 0: none.
  std::uint64_t like(const Product& p, int device = 0) {
    const auto found = known_.like(device, p);
    return found ? found->aligned.data[0] : 0;
  }
  KnownAlgorithms known_;
};

TEST_F(KnownAlgorithmsTest, OfTheProductWhoseRowsDifferByTheLeastFactor) {
  EXPECT_EQ(like(product(8)), 0u);
  known_.add(0, product(16), algorithms(16));
  known_.add(0, product(256), algorithms(256));
  EXPECT_EQ(like(product(16)), 16u);
  EXPECT_EQ(like(product(63)), 16u);
  EXPECT_EQ(like(product(65)), 256u);
  EXPECT_EQ(like(product(1 << 16)), 256u) << "256 times as many";
  EXPECT_EQ(like(product((1 << 16) + 1)), 0u);
  known_.add(0, product(16), algorithms(17));
  EXPECT_EQ(like(product(16)), 17u) << "what came last";
  EXPECT_NE(like(product(0)), 0u) << "no rows are one";
}

TEST_F(KnownAlgorithmsTest, OtherColumnsAndDepthCountMore) {
  known_.add(0, product(1, 64), algorithms(1));
  known_.add(0, product(100, 128), algorithms(2));
  EXPECT_EQ(like(product(15, 64)), 1u);
  EXPECT_EQ(like(product(100, 160)), 2u);
  EXPECT_EQ(like(product(100, 1024)), 0u);
  EXPECT_EQ(like(product(100, 128, 256)), 0u);
}

TEST_F(KnownAlgorithmsTest, OfAnotherKindNone) {
  known_.add(0, product(16), algorithms(1));
  EXPECT_EQ(like(product(16), 1), 0u) << "another device";
  Product p = product(16);
  p.dtype = DType::bf16;
  EXPECT_EQ(like(p), 0u);
  p = product(16);
  p.left.transposed = true;
  EXPECT_EQ(like(p), 0u);
  p = product(16);
  p.activation = Product::Activation::relu;
  EXPECT_EQ(like(p), 0u);
  p = product(16);
  p.bias = 2;
  EXPECT_EQ(like(p), 0u);
  p = product(16);
  p.addend = 2;
  EXPECT_EQ(like(p), 0u);
  p = product(16);
  p.batch = 3;
  EXPECT_EQ(like(p), 0u);
  EXPECT_EQ(like(product(16, 63)), 0u) << "rows that are not aligned";
}

}  // namespace
}  // namespace jitney::backend::cuda
