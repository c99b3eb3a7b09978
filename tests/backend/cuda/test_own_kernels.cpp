// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// The backend's own kernels: that they compile for every generation, and on a device that they are right.
#include "backend/conformance.h"
#include "backend/cuda/attention_kernel.h"
#include "backend/cuda/compiling_services.h"
#include "backend/cuda/product_kernels.h"

namespace jitney::backend {
namespace {

using cuda::Product;

MatMulCall product(DType type, std::int64_t m, std::int64_t k, std::int64_t n, bool transposed) {
  MatMulCall call{.a = tensor({m, k}, type), .b = tensor({k, n}, type), .c = tensor({m, n}, type)};
  if (transposed) call.b.strides = {1, k};
  call.constant_b = true;
  return call;
}

AttentionCall attention(DType type, std::int64_t rows, std::int64_t keys, std::int64_t depth, std::int64_t width) {
  return {.q = tensor({1, 2, rows, depth}, type),
          .k = tensor({1, 2, keys, depth}, type),
          .v = tensor({1, 2, keys, width}, type),
          .mask = {},
          .y = tensor({1, 2, rows, width}, type),
          .scale = 0.25f};
}

TEST(OwnKernels, CompileForEveryGeneration) {
  std::vector<std::string> sources;
  for (const DType type : {DType::f16, DType::bf16}) {
    sources.push_back(cuda::gelu_source(type));
    AttentionCall call = attention(type, 5, 7, 24, 72);
    sources.push_back(cuda::attention_source(call, 2));
    call = attention(type, 5, 7, 64, 64);
    call.mask = tensor({1, 2, 5, 7}, type);
    sources.push_back(cuda::attention_source(call, 4));
    for (const bool transposed : {false, true}) {
      auto p = *cuda::product_of(product(type, 8, 64, 64, transposed));
      p.activation = Product::Activation::gelu_erf;
      sources.push_back(cuda::few_rows_source(p, transposed ? 2 : 4));
    }
  }
  sources.push_back(cuda::attention_source(attention(DType::f16, 5, 7, 128, 128), 1));
  for (const auto& [length, split] : {std::pair{64, 1}, {17, 2}, {64, 2}, {3, 4}, {64, 4}}) {
    AttentionCall call = attention(DType::f32, 5, 7, length, length);
    sources.push_back(cuda::attention_source(call, split));
    call.mask = tensor({1, 2, 5, 7});
    sources.push_back(cuda::attention_source(call, split));
  }
  for (const char* architecture : {"sm_75", "sm_90", "sm_120"}) {
    CompilingServices services({std::string("--gpu-architecture=") + architecture, "--std=c++17", "-default-device"});
    for (const auto& source : sources) {
      const auto binary = services.compile("own", source);
      EXPECT_TRUE(binary) << architecture << ": " << binary.error().message;
    }
  }
}

TEST(OwnKernels, WhichCallsTheyTake) {
  const auto few = [](const MatMulCall& call, int capability) {
    const auto p = cuda::product_of(call);
    return p && cuda::is_for_few_rows(*p, capability);
  };
  EXPECT_TRUE(few(product(DType::f16, 8, 64, 64, false), 75));
  EXPECT_TRUE(few(product(DType::bf16, 16, 64, 64, true), 80));
  EXPECT_FALSE(few(product(DType::bf16, 16, 64, 64, true), 75)) << "its matrix instructions know no bf16";
  EXPECT_FALSE(few(product(DType::f16, 17, 64, 64, false), 90));
  EXPECT_FALSE(few(product(DType::f16, 0, 64, 64, false), 90));
  EXPECT_FALSE(few(product(DType::f32, 8, 64, 64, false), 90));
  EXPECT_FALSE(few(product(DType::f16, 8, 30, 64, false), 90));
  EXPECT_TRUE(cuda::is_for_attention_kernel(attention(DType::f16, 5, 128, 64, 64), 90));
  EXPECT_FALSE(cuda::is_for_attention_kernel(attention(DType::f16, 5, 1024, 64, 64), 90)) << "cuDNN is faster";
  EXPECT_FALSE(cuda::is_for_attention_kernel(attention(DType::f16, 5, 0, 64, 64), 90));
  EXPECT_FALSE(cuda::is_for_attention_kernel(attention(DType::f16, -1, 7, 64, 64), 90));
  EXPECT_TRUE(cuda::is_for_attention_kernel(attention(DType::f32, 5, 100'000, 3, 64), 90)) << "nobody else does it";
  EXPECT_TRUE(cuda::is_for_attention_kernel(attention(DType::f32, 5, 0, 64, 64), 90));
  EXPECT_TRUE(cuda::is_attention_in_f32(attention(DType::f32, -1, -1, 64, 64)));
  EXPECT_FALSE(cuda::is_attention_in_f32(attention(DType::f32, 5, 7, 64, 65))) << "cuBLASLt is faster";
  EXPECT_FALSE(cuda::is_attention_in_f32(AttentionCall{}));
}

/// With a device only.
class OwnKernelsOnDevice : public BackendCalls {
 protected:
  /// `rounds_before`: the product of a GELU is rounded, too, and what becomes of it.
  void expect_own(const LibraryCall& call, bool rounds_before = false) {
    const auto values = random_values(call, random_);
    const auto ready = ReadyCall::make(backend_, call, values, {.services = GetParam().services()});
    ASSERT_TRUE(ready) << ready.error().message << "\n" << describe(call);
    EXPECT_NE((*ready)->primitive().implementation().find(expected_), std::string::npos)
        << (*ready)->primitive().implementation() << " " << describe(call);
    ASSERT_TRUE((*ready)->run());
    const auto result = (*ready)->fetch(), expected = reference(call, values);
    if (!rounds_before) {
      EXPECT_EQ(compare(call, result, expected), "") << describe(call);
      return;
    }
    const DType type = operands_of(call).back().dtype;
    // GELU's slope is up to 1.13 where it is as large as its argument, and 0.13 for arguments down to -4 where it is
    // small.
    const double small = 0.13 * 4 * (tolerance(type, 1, 1) - tolerance(DType::f32, 1, 1));
    for (std::size_t i = 0; i < result.size(); ++i)
      ASSERT_NEAR(result[i], expected[i], small + 2.2 * tolerance(type, terms_of(call), expected[i]))
          << i << " " << describe(call);
  }
  std::mt19937 random_{20260102};
  std::string expected_ = "own:";
};

TEST_P(OwnKernelsOnDevice, AttentionsAreRight) {
  for (const DType type : {DType::f16, DType::bf16})
    for (const auto& [rows, keys] :
         std::vector<std::pair<std::int64_t, std::int64_t>>{{1, 1}, {1, 200}, {17, 31}, {40, 65}})
      for (const auto& [depth, width] : {std::pair{64, 64}, {40, 24}, {128, 128}, {16, 72}}) {
        AttentionCall call = attention(type, rows, keys, depth, width);
        expect_own(call);
        call.mask = tensor({1, 2, rows, keys}, type);
        call.mask.shape[1] = 1;  // all heads share it
        call.mask.strides = {rows * keys, 0, keys, 1};
        expect_own(call);
        call.mask = tensor({1, 1, 1, keys}, type);
        call.mask.strides = {0, 0, 0, 1};
        // Heads side by side, in rows that are not aligned.
        call.q.strides = {rows * (2 * depth + 1), depth, 2 * depth + 1, 1};
        call.y.strides = {rows * 2 * width, width, 2 * width, 1};
        expect_own(call);
      }
  for (const auto& [rows, keys] : std::vector<std::pair<std::int64_t, std::int64_t>>{{1, 200}, {17, 31}, {130, 65}})
    for (const auto& [depth, width] : {std::pair{64, 64}, {40, 24}, {17, 3}, {1, 62}, {64, 20}}) {
      AttentionCall call = attention(DType::f32, rows, keys, depth, width);
      expect_own(call);
      call.mask = tensor({1, 1, 1, keys});
      call.mask.strides = {0, 0, 0, 1};
      call.q.strides = {rows * (2 * depth + 1), depth, 2 * depth + 1, 1};
      expect_own(call);
      // Everything across memory.
      call.q = tensor({1, 2, rows, depth});
      for (TensorDesc* t : {&call.q, &call.k, &call.v, &call.y})
        t->strides = {2 * t->shape[2] * t->shape[3], t->shape[2] * t->shape[3], 1, t->shape[2]};
      expect_own(call);
    }
  expect_own(attention(DType::f32, 3, 0, 8, 8));
  expect_own(attention(DType::f32, 2, 1025, 16, 16));
  expect_own(attention(DType::f32, 9000, 3, 8, 8));
  // So many blocks that none divides the keys.
  expect_own(attention(DType::f16, 4300, 3, 8, 8));
}

TEST_P(OwnKernelsOnDevice, ARowOfLowestNumbersIsTheMean) {
  // What exporters write for -inf: a row where all keys have it is no NaN.
  for (const DType type : {DType::f32, DType::f16, DType::bf16})
    for (const std::int64_t keys : {5, 70}) {
      AttentionCall call = attention(type, 20, keys, 64, 64);
      call.mask = tensor({1, 2, 20, keys}, type);
      auto values = random_values(call, random_);
      const double lowest = type == DType::f32   ? std::numeric_limits<float>::lowest()
                            : type == DType::f16 ? -65504.0
                                                 : -3.3895313892515355e38;
      for (std::int64_t row = 0; row < 40; row += 3) {
        std::fill_n(values[3].begin() + row * keys, keys, lowest);
        // The lowest of f16 leaves a score some of its bits: how many is the arithmetic's affair.
        if (type == DType::f16) std::fill_n(values[0].begin() + row * 64, 64, 0.0);
      }
      const auto ready = ReadyCall::make(backend_, call, values, {.services = GetParam().services()});
      ASSERT_TRUE(ready) << ready.error().message;
      ASSERT_TRUE((*ready)->run());
      EXPECT_EQ(compare(call, (*ready)->fetch(), reference(call, values)), "") << describe(call);
    }
}

TEST_P(OwnKernelsOnDevice, ProductsOfFewRowsAreRight) {
  for (const DType type : {DType::f16, DType::bf16})
    for (const std::int64_t m : {1, 8, 16})
      for (const auto& [k, n] : {std::pair{64, 4096}, {1028, 40}, {4, 2}, {100, 66}, {8, 8190}})
        for (const bool transposed : {false, true}) {
          MatMulCall call = product(type, m, k, n, transposed);
          expect_own(call);
          call.has_bias = true;
          call.bias_dtype = type;
          if (n % 8 == 0 && k % 8 == 0) {
            call.epilogue = {{.kind = PostOp::Kind::add_operand, .operand = call.c}, {.kind = PostOp::Kind::gelu_erf}};
            expect_own(call);
          }
          call.epilogue.clear();
          call.a.strides[0] += 3;
          expect_own(call);
        }
}

TEST_P(OwnKernelsOnDevice, GeluBehindAnyProduct) {
  expected_ = "+gelu";
  for (const DType type : {DType::f16, DType::bf16})
    for (const std::int64_t m : {17, 128, 1000}) {
      MatMulCall call = product(type, m, 64, 200, false);
      call.has_bias = true;
      call.bias_dtype = type;
      call.epilogue = {{.kind = PostOp::Kind::gelu_erf}};
      if (!backend_->offers(0, call)) GTEST_SKIP() << "there is no cuBLASLt";
      expect_own(call, true);
    }
}

const Joining kCuda{.backend = "cuda", .services = [] { return &CompilingServices::of_cuda(); }};
INSTANTIATE_TEST_SUITE_P(Cuda, OwnKernelsOnDevice, testing::Values(kCuda));

}  // namespace
}  // namespace jitney::backend
