// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Our own products, with what only they have: shapes on both sides of each choice, and matrices for which fewer
// multiplications would not be safe.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "backend/cpu/gemm/gemm.h"
#include "backend/cpu/gemm/strassen.h"
#include "backend/cpu/host_memory.h"

namespace jitney::backend::gemm {
namespace {

struct Aligned {
  explicit Aligned(std::size_t floats)
      : data(static_cast<float*>(std::aligned_alloc(64, (floats * 4 + 127) / 64 * 64))) {
    std::fill_n(data, floats, 0.f);
  }
  ~Aligned() { std::free(data); }
  Aligned(const Aligned&) = delete;
  float* data;
};

class Gemm : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    kernels_ = kernels(GetParam());
    if (kernels_ == nullptr || kernels_->lanes * 4 != GetParam()) GTEST_SKIP() << "not on this processor";
  }

  struct Problem {
    Shape s;
    std::int64_t a_stride = 0, c_stride = 0;
    int threads = 1;
    bool has_bias = false, has_addend = false;
    Activation activation = Activation::none;
    std::vector<float> a, b, bias, c;
  };

  Problem problem(Shape s, std::mt19937& random) const {
    Problem p{.s = s, .a_stride = s.k, .c_stride = s.n, .a = {}, .b = {}, .bias = {}, .c = {}};
    std::normal_distribution<float> normal;
    auto fill = [&](std::vector<float>& v, std::int64_t count) {
      v.resize(static_cast<std::size_t>(count));
      for (float& x : v) x = normal(random);
    };
    fill(p.a, s.m * s.k);
    fill(p.b, s.k * s.n);
    fill(p.bias, s.n);
    fill(p.c, s.m * s.n);
    return p;
  }

  static double activated(Activation activation, double x) {
    switch (activation) {
      case Activation::gelu_erf: return x / 2 * (1 + std::erf(x / std::sqrt(2.0)));
      case Activation::gelu_tanh: return x / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
      case Activation::silu: return x / (1 + std::exp(-x));
      default: return x;
    }
  }

  std::vector<float> result(const Problem& p) const {
    Aligned packed(packed_size(*kernels_, p.s.k, p.s.n));
    pack(*kernels_, p.s.k, p.s.n, p.b.data(), p.s.n, 1, packed.data, p.threads);
    Aligned scratch(scratch_size(*kernels_, p.s, p.a_stride, p.threads));
    std::vector<float> c = p.c;
    const Epilogue e{.bias = p.has_bias ? p.bias.data() : nullptr,
                     .addend = p.has_addend ? c.data() : nullptr,
                     .activation = p.activation};
    run(*kernels_, p.s, e, p.a.data(), p.a_stride, packed.data, c.data(), p.c_stride, scratch.data, p.threads);
    return c;
  }

  /// The greatest error in units of the sum of what is added up, and the row where it is.
  static std::pair<double, std::int64_t> worst(const Problem& p, const std::vector<float>& c) {
    std::pair<double, std::int64_t> worst{0, -1};
    std::vector<double> sum(static_cast<std::size_t>(p.s.n)), size(sum.size());
    for (std::int64_t i = 0; i < p.s.m; ++i) {
      for (std::int64_t j = 0; j < p.s.n; ++j) {
        const auto at = static_cast<std::size_t>(j);
        sum[at] = p.has_bias ? p.bias[at] : 0;
        if (p.has_addend) sum[at] += p.c[static_cast<std::size_t>(i * p.c_stride + j)];
        size[at] = 1e-2 + std::abs(sum[at]);
      }
      for (std::int64_t k = 0; k < p.s.k; ++k) {
        const double x = p.a[static_cast<std::size_t>(i * p.a_stride + k)];
        for (std::size_t j = 0; j < sum.size(); ++j) {
          const double product = x * p.b[static_cast<std::size_t>(k * p.s.n) + j];
          sum[j] += product;
          size[j] += std::abs(product);
        }
      }
      for (std::size_t j = 0; j < sum.size(); ++j) {
        const double expected = activated(p.activation, sum[j]);
        const double got = c[static_cast<std::size_t>(i * p.c_stride) + j];
        if (std::isnan(expected) && std::isnan(got)) continue;
        const double error = std::isnan(got) ? 1e30 : std::abs(got - expected) / size[j];
        if (error > worst.first) worst = {error, i};
      }
    }
    return worst;
  }

  const Kernels* kernels_ = nullptr;
};

INSTANTIATE_TEST_SUITE_P(Registers, Gemm, testing::Values(32, 64),
                         [](const auto& info) { return "Of" + std::to_string(info.param) + "Bytes"; });

TEST_P(Gemm, ProductsOfManyShapesAreRight) {
  std::mt19937 random(1);
  auto any = [&](auto... of) {
    const std::int64_t all[] = {of...};
    return all[random() % sizeof...(of)];
  };
  int halved = 0;
  for (int i = 0; i < 120; ++i) {
    Problem p =
        problem({any(1, 7, 64, 65, 101, 197, 300), any(1, 5, 256, 258, 384, 770, 1600), any(1, 33, 128, 192, 384, 640)},
                random);
    p.threads = static_cast<int>(any(1, 2, 3));
    p.has_bias = random() % 2;
    p.has_addend = random() % 2;
    p.activation = static_cast<Activation>(random() % 4);
    halved += strassen::pays(*kernels_, p.s, p.threads);
    const auto [error, row] = worst(p, result(p));
    EXPECT_LT(error, 2e-6) << p.s.m << "x" << p.s.k << "x" << p.s.n << ", threads " << p.threads << ", row " << row
                           << ", activation " << static_cast<int>(p.activation);
  }
  EXPECT_GT(halved, 5) << "these shapes do not reach what they are for";
}

TEST_P(Gemm, ARowThatIsNotFiniteSpoilsNoOther) {
  std::mt19937 random(2);
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 1e38f}) {
    for (const std::int64_t where : {0, 40, 64, 100, 127, 128}) {
      Problem p = problem({129, 384, 1024}, random);
      ASSERT_TRUE(strassen::pays(*kernels_, p.s, 1));
      p.a[static_cast<std::size_t>(where * p.a_stride + 3)] = bad;
      const auto c = result(p);
      for (std::int64_t i = 0; i < p.s.m; ++i)
        for (std::int64_t j = 0; j < p.s.n; ++j)
          ASSERT_TRUE(i == where || std::isfinite(c[static_cast<std::size_t>(i * p.s.n + j)]))
              << i << ", not " << where;
    }
  }
}

TEST_P(Gemm, RowsAndColumnsOfUnlikeSizeKeepTheirPrecision) {
  std::mt19937 random(3);
  for (const bool rows : {true, false}) {
    for (const float factor : {1e6f, 1e-6f, 0.f}) {
      Problem p = problem({128, 512, 768}, random);
      ASSERT_TRUE(strassen::pays(*kernels_, p.s, 1));
      if (rows)
        for (std::int64_t k = 0; k < p.s.k; ++k) p.a[static_cast<std::size_t>(5 * p.a_stride + k)] *= factor;
      else
        for (std::int64_t k = 0; k < p.s.k; ++k) p.b[static_cast<std::size_t>(k * p.s.n + 7)] *= factor;
      // Without the check, the row that a great one was added to was wrong in its first digit.
      EXPECT_LT(worst(p, result(p)).first, 2e-6) << (rows ? "row times " : "column times ") << factor;
    }
  }
}

TEST_P(Gemm, StridesAndThreadsDoNotMatter) {
  std::mt19937 random(4);
  Problem p = problem({150, 512, 768}, random);
  const auto dense = result(p);
  EXPECT_LT(worst(p, dense).first, 2e-6);
  for (const std::int64_t stride : {513, 1024, 640}) {
    Problem wide = p;
    wide.a_stride = stride;
    wide.a.assign(static_cast<std::size_t>(p.s.m * stride), std::numeric_limits<float>::quiet_NaN());
    for (std::int64_t i = 0; i < p.s.m; ++i) std::copy_n(p.a.begin() + i * p.s.k, p.s.k, wide.a.begin() + i * stride);
    for (const int threads : {1, 2, 4}) {
      wide.threads = threads;
      EXPECT_EQ(result(wide), dense) << stride << ", threads " << threads;
    }
  }
}

}  // namespace
}  // namespace jitney::backend::gemm
