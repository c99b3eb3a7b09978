// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/conformance.h"

namespace jitney::backend {

ConvolutionCall some_convolution() {
  return {.x = tensor({2, 9, 9, 16}),
          .w = tensor({32, 16, 3, 3}),
          .y = tensor({2, 9, 9, 32}),
          .strides = {1, 1},
          .dilations = {1, 1},
          .pads_begin = {1, 1},
          .pads_end = {1, 1},
          .has_bias = true,
          .constant_w = true};
}

MatMulCall some_matmul() {
  return {.a = tensor({5, 32}), .b = tensor({32, 48}), .c = tensor({5, 48}), .has_bias = true, .constant_b = true};
}

PoolingCall some_pooling() {
  return {.x = tensor({1, 8, 8, 16}),
          .y = tensor({1, 4, 4, 16}),
          .kernel = {2, 2},
          .strides = {2, 2},
          .dilations = {1, 1},
          .pads_begin = {0, 0},
          .pads_end = {0, 0}};
}

void BackendCalls::expect_right(const LibraryCall& call, std::mt19937& random, const ReadyCall::Options& options) {
  const auto values = random_values(call, random);
  ReadyCall::Options with_services = options;
  with_services.services = GetParam().services();
  const auto ready = ReadyCall::make(backend_, call, values, with_services);
  ASSERT_TRUE(ready) << ready.error().message << "\n" << describe(call);
  const auto ran = (*ready)->run();
  ASSERT_TRUE(ran) << ran.error().message << "\n" << describe(call);
  EXPECT_EQ(compare(call, (*ready)->fetch(), reference(call, values)), "") << describe(call) << "\n"
                                                                           << (*ready)->primitive().implementation();
}

void BackendCalls::expect_right_where_offered(int count, const std::function<LibraryCall(std::mt19937&, DType)>& make) {
  std::mt19937 random(20260101);
  const auto two = make_stream(2);
  int offered = 0;
  for (int i = 0; i < count && !HasFatalFailure(); ++i) {
    const DType type = i % 3 == 2 ? DType::bf16 : i % 30 == 1 ? DType::f16 : DType::f32;
    const LibraryCall call = make(random, type);
    if (!backend_->offers(0, call)) continue;
    ++offered;
    expect_right(call, random, {.stream = i % 2 == 0 ? two : 0});
  }
  // A backend with a whole library behind it, and not a few kernels of its own, offers most of these.
  if (backend_->offers(0, some_pooling())) {
    EXPECT_GT(offered, count / 3);
  }
}

}  // namespace jitney::backend
