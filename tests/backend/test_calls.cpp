// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Library calls: what every backend that offers any must do. A backend that offers none refuses them all.
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "backend/calls.h"
#include "backend/conformance.h"
#include "backend/random_calls.h"

namespace jitney::backend {
namespace {

constexpr std::uint32_t kSeed = 20260101;

TEST_P(BackendCalls, WhatIsNotOfferedIsRefusedPolitely) {
  const LibraryCall calls[] = {some_convolution(), some_matmul(), some_pooling(), AttentionCall{}, CollectiveCall{}};
  for (const auto& call : calls) {
    if (backend_->offers(0, call)) continue;
    const auto primitive = backend_->plan(0, call, {});
    ASSERT_FALSE(primitive);
    EXPECT_EQ(primitive.error().kind, ErrorKind::environment);
    EXPECT_NE(primitive.error().message.find(GetParam().backend), std::string::npos) << primitive.error().message;
  }
  EXPECT_FALSE(backend_->plan(0, MatMulCall{}, {})) << "no shapes at all";
  auto integers = some_matmul();
  integers.a.dtype = integers.b.dtype = integers.c.dtype = DType::i64;
  EXPECT_FALSE(backend_->offers(0, integers));
  EXPECT_FALSE(backend_->plan(0, integers, {}));
  EXPECT_FALSE(backend_->offers(backend_->device_count(), some_convolution()));
}

TEST_P(BackendCalls, ExtentsThatALibraryCannotCountAreRefusedOrPlanned) {
  if (std::string(GetParam().backend) != "cpu") GTEST_SKIP() << "about a library of the host";
  for (const std::int64_t rows : {std::int64_t{1} << 31, std::int64_t{1} << 32, (std::int64_t{1} << 40) + 2}) {
    MatMulCall call = some_matmul();
    call.a = tensor({rows, 32}, DType::bf16), call.b = tensor({32, 48}, DType::bf16), call.c = tensor({rows, 48});
    backend_->plan(0, call, {});
    call.a = tensor({rows, 32}), call.b = tensor({32, 48}), call.constant_b = false;
    backend_->plan(0, call, {});
    PoolingCall pooling = some_pooling();
    pooling.x = tensor({rows, 8, 8, 16}), pooling.y = tensor({rows, 4, 4, 16});
    backend_->plan(0, pooling, {});
    ConvolutionCall convolution = some_convolution();
    convolution.x.shape[0] = convolution.y.shape[0] = rows;
    backend_->plan(0, convolution, {});
  }
}

TEST_P(BackendCalls, OffersWithoutExtents) {
  if (!backend_->offers(0, some_convolution())) GTEST_SKIP() << "it offers no convolutions";
  auto convolution = some_convolution();
  convolution.epilogue = {{.kind = PostOp::Kind::add_operand, .operand = convolution.y}, {.kind = PostOp::Kind::relu}};
  const bool adds = backend_->offers(0, convolution);
  for (auto* t : {&convolution.x, &convolution.y}) {
    t->shape[0] = t->shape[1] = t->shape[2] = -1;
    t->strides = {-1, -1, t->shape[3], 1};
  }
  PostOp residual{.kind = PostOp::Kind::add_operand, .operand = convolution.y};
  convolution.epilogue = {residual, {.kind = PostOp::Kind::relu}};
  EXPECT_EQ(backend_->offers(0, convolution), adds);
  EXPECT_FALSE(backend_->plan(0, convolution, {})) << "an unknown extent cannot be planned";
  auto matmul = some_matmul();
  for (auto* t : {&matmul.a, &matmul.c}) t->shape[0] = -1;
  EXPECT_TRUE(backend_->offers(0, matmul));
  EXPECT_FALSE(backend_->plan(0, matmul, {}));
}

TEST_P(BackendCalls, ConvolutionsAreRight) { expect_right_where_offered(300, random_convolution); }
TEST_P(BackendCalls, MatMulsAreRight) { expect_right_where_offered(500, random_matmul); }
TEST_P(BackendCalls, PoolingsAreRight) { expect_right_where_offered(200, random_pooling); }

TEST_P(BackendCalls, AttentionsAreRight) {
  std::mt19937 random(kSeed);
  const auto two = make_stream(2);
  int offered = 0;
  for (int i = 0; i < 60 && !HasFatalFailure(); ++i) {
    const bool is_narrow = i % 3 == 2;
    const LibraryCall call = random_attention(random, is_narrow ? DType::bf16 : DType::f32);
    if (!backend_->offers(0, call)) continue;
    ++offered;
    // By a library where there is one, by a kernel that is compiled for it elsewhere.
    expect_right(call, random,
                 {.stream = i % 2 == 0 ? two : 0, .services = is_narrow ? nullptr : GetParam().services()});
  }
  if (offered == 0) GTEST_SKIP() << "it offers no attention";
  // So many keys that they are not all packed at once.
  const AttentionCall many{
      .q = tensor({4, 1}), .k = tensor({33000, 1}), .v = tensor({33000, 127}), .mask = {}, .y = tensor({4, 127})};
  if (backend_->offers(0, many)) expect_right(many, random, {.stream = two, .services = GetParam().services()});
}

// Depths that are summed in parts, rows that lie powers of two apart, weights that fill a cache, a last narrow panel.
TEST_P(BackendCalls, LargeProductsAreRight) {
  struct Size {
    std::int64_t m, k, n, hole;
  };
  std::mt19937 random(kSeed);
  for (const Size& s : {Size{1, 1025, 96, 0},
                        {7, 2100, 128, 0},
                        {64, 1024, 160, 0},
                        {37, 2048, 64, 0},
                        {13, 1536, 96, 512},
                        {14, 2048, 1056, 0},
                        {250, 512, 64, 0},
                        {30, 3000, 97, 72}}) {
    for (const bool has_addend : {false, true}) {
      MatMulCall call{.a = tensor({s.m, s.k}), .b = tensor({s.k, s.n}), .c = tensor({s.m, s.n})};
      call.a.strides[0] += s.hole;
      call.has_bias = call.constant_b = true;
      if (has_addend) call.epilogue.push_back({.kind = PostOp::Kind::add_operand, .operand = call.c});
      call.epilogue.push_back({.kind = PostOp::Kind::clip, .alpha = -10.f, .beta = 20.f});
      if (!backend_->offers(0, call)) continue;
      expect_right(call, random, {.stream = make_stream(2)});
      if (has_addend) expect_right(call, random, {.stream = make_stream(3), .in_place = 3});
    }
  }
}

TEST_P(BackendCalls, WindowsOfThreeAreRight) {
  std::mt19937 random(kSeed);
  for (const DType type : {DType::f32, DType::bf16}) {
    for (const std::int64_t extent : {5, 14, 29}) {
      for (const bool has_residual : {false, true}) {
        ConvolutionCall call{.x = tensor({1, extent, extent, 64}, type),
                             .w = tensor({64, 64, 3, 3}, type),
                             .y = tensor({1, extent, extent - 1, 64}, type),
                             .strides = {1, 1},
                             .dilations = {1, 1},
                             .pads_begin = {1, 1},
                             .pads_end = {1, 0},
                             .has_bias = true,
                             .bias_dtype = type,
                             .constant_w = true};
        if (has_residual) call.epilogue.push_back({.kind = PostOp::Kind::add_operand, .operand = call.y});
        call.epilogue.push_back({.kind = PostOp::Kind::relu});
        if (!backend_->offers(0, call)) continue;
        expect_right(call, random, {.stream = make_stream(2)});
        if (has_residual) expect_right(call, random, {.stream = make_stream(2), .in_place = 3});
      }
    }
  }
}

TEST_P(BackendCalls, EveryPostOperationIsRight) {
  std::mt19937 random(kSeed);
  for (int kind = 0; kind <= static_cast<int>(PostOp::Kind::mul_operand); ++kind) {
    PostOp p{.kind = static_cast<PostOp::Kind>(kind), .alpha = -0.5f, .beta = 0.75f};
    const bool has_operand = p.kind == PostOp::Kind::add_operand || p.kind == PostOp::Kind::mul_operand;
    auto convolution = some_convolution();
    auto matmul = some_matmul();
    if (has_operand) p.operand = convolution.y;
    convolution.epilogue = {p};
    if (has_operand) p.operand = matmul.c;
    matmul.epilogue = {p};
    for (const LibraryCall& call : {LibraryCall(convolution), LibraryCall(matmul)}) {
      if (backend_->offers(0, call)) expect_right(call, random);
    }
  }
}

TEST_P(BackendCalls, AnOperandMayLieInTheOutputsPlace) {
  std::mt19937 random(kSeed);
  for (int i = 0; i < 200; ++i) {
    LibraryCall call;
    std::vector<PostOp>* epilogue = nullptr;
    const DType type = i % 3 == 2 ? DType::bf16 : DType::f32;
    if (i % 2 == 0) {
      auto c = random_convolution(random, type);
      c.epilogue = random_epilogue(random, c.y, 3);
      call = c;
      epilogue = &std::get<ConvolutionCall>(call).epilogue;
    } else {
      auto m = random_matmul(random, type);
      m.epilogue = random_epilogue(random, m.c, 3);
      call = m;
      epilogue = &std::get<MatMulCall>(call).epilogue;
    }
    if (!backend_->offers(0, call)) continue;
    const auto descs = operands_of(call);
    int operand = static_cast<int>(descs.size()) - 1;
    for (const auto& p : *epilogue) operand -= p.operand.shape.empty() ? 0 : 1;
    for (const auto& p : *epilogue) {
      if (p.operand.shape.empty()) continue;
      if (p.operand == descs.back()) expect_right(call, random, {.stream = make_stream(2), .in_place = operand});
      ++operand;
    }
  }
}

TEST_P(BackendCalls, APrimitiveAddsInPlaceAndApart) {
  auto call = some_convolution();
  call.epilogue = {{.kind = PostOp::Kind::add_operand, .operand = call.y}, {.kind = PostOp::Kind::relu}};
  if (!backend_->offers(0, call)) GTEST_SKIP() << "it does not offer a residual sum";
  std::mt19937 random(kSeed);
  for (const int in_place : {-1, 3, -1}) expect_right(call, random, {.in_place = in_place});
}

TEST_P(BackendCalls, EqualCallsShareAPrimitiveAndEqualWeightsAPacking) {
  if (!backend_->offers(0, some_convolution())) GTEST_SKIP() << "it offers no convolutions";
  std::mt19937 random(kSeed);
  const LibraryCall call = some_convolution();
  const auto values = random_values(call, random);
  const auto first = value_or_throw(ReadyCall::make(backend_, call, values, {.content = "some digest"}));
  ASSERT_TRUE(first->weights());
  const auto once = backend_->live_bytes();
  const auto second = value_or_throw(ReadyCall::make(backend_, call, values, {.content = "some digest"}));
  EXPECT_EQ(first->shared_primitive(), second->shared_primitive());
  EXPECT_EQ(first->weights(), second->weights());
  const auto third = value_or_throw(ReadyCall::make(backend_, call, values, {.content = "another digest"}));
  EXPECT_NE(first->weights(), third->weights());
  EXPECT_GT(once, live_before_ + static_cast<std::int64_t>(first->weights()->bytes()));
  for (const auto& ready : {first.get(), second.get(), third.get()}) {
    ASSERT_TRUE(ready->run());
    EXPECT_EQ(compare(call, ready->fetch(), reference(call, values)), "");
  }
}

TEST_P(BackendCalls, AnotherShapeTakesThePackedWeights) {
  if (!backend_->offers(0, some_convolution())) GTEST_SKIP() << "it offers no convolutions";
  std::mt19937 random(kSeed);
  const LibraryCall call = some_convolution();
  const auto values = random_values(call, random);
  const auto first = value_or_throw(ReadyCall::make(backend_, call, values, {.content = "w"}));
  for (const std::int64_t extent : {1, 3, 14, 30}) {
    auto other = some_convolution();
    other.x = tensor({1, extent, extent, 16});
    other.y = tensor({1, extent, extent, 32});
    auto other_values = random_values(other, random);
    other_values[1] = values[1];
    const auto ready = value_or_throw(
        ReadyCall::make(backend_, other, other_values, {.preferred = first->weights().get(), .content = "w"}));
    ASSERT_TRUE(ready->run());
    EXPECT_EQ(compare(other, ready->fetch(), reference(other, other_values)), "");
    // The same from weights that are packed already, for when the plain ones are gone.
    const auto repacked = backend_->pack(0, ready->primitive(), {.packed = first->weights().get(), .content = "w"});
    ASSERT_TRUE(repacked) << repacked.error().message;
    EXPECT_EQ(*repacked, ready->weights());
    const auto anew = backend_->pack(0, ready->primitive(), {.packed = first->weights().get(), .content = "other"});
    ASSERT_TRUE(anew) << anew.error().message;
    EXPECT_EQ((*anew)->bytes(), ready->weights()->bytes());
  }
}

TEST_P(BackendCalls, WeightsOfAnotherPrimitiveAreRefused) {
  if (!backend_->offers(0, some_convolution())) GTEST_SKIP() << "it offers no convolutions";
  std::mt19937 random(kSeed);
  const auto convolution =
      value_or_throw(ReadyCall::make(backend_, some_convolution(), random_values(some_convolution(), random), {}));
  const auto matmul =
      value_or_throw(ReadyCall::make(backend_, some_matmul(), random_values(some_matmul(), random), {}));
  EXPECT_FALSE(backend_->invocation(0, matmul->shared_primitive(), convolution->weights()));
  // What reads its weights where they are has none packed.
  EXPECT_EQ(backend_->invocation(0, matmul->shared_primitive(), nullptr).has_value(), matmul->weights() == nullptr);
}

TEST_P(BackendCalls, NoElementsAreNoWork) {
  auto convolution = some_convolution();
  convolution.x.shape[0] = convolution.y.shape[0] = 0;
  auto matmul = some_matmul();
  matmul.a.shape[0] = matmul.c.shape[0] = 0;
  auto nothing_to_add = some_matmul();
  nothing_to_add.a = tensor({5, 0});
  nothing_to_add.b = tensor({0, 48});
  for (const LibraryCall& call : {LibraryCall(convolution), LibraryCall(matmul), LibraryCall(nothing_to_add)}) {
    std::mt19937 random(kSeed);
    const auto values = random_values(call, random);
    const auto ready = ReadyCall::make(backend_, call, values, {});
    if (!ready) continue;
    const auto ran = (*ready)->run();
    EXPECT_TRUE(ran) << ran.error().message;
    EXPECT_EQ(compare(call, (*ready)->fetch(), reference(call, values)), "");
  }
}

TEST_P(BackendCalls, TwoThreadsRunOnePrimitive) {
  auto call = some_convolution();
  call.epilogue = {{.kind = PostOp::Kind::add_operand, .operand = call.y}};
  if (!backend_->offers(0, call)) GTEST_SKIP() << "it does not offer the call";
  const auto stream = make_stream(2);
  const auto work = [&](std::uint32_t seed) {
    std::mt19937 random(seed);
    const auto values = random_values(call, random);
    const auto ready = value_or_throw(ReadyCall::make(backend_, call, values, {.stream = stream}));
    const auto expected = reference(call, values);
    for (int i = 0; i < 50; ++i) {
      ready->upload(4, values.back());
      ASSERT_TRUE(ready->run());
      ASSERT_EQ(compare(call, ready->fetch(), expected), "");
    }
  };
  std::thread other(work, 1);
  work(2);
  other.join();
}

TEST_P(BackendCalls, ChildOfAForkRuns) {
  const auto info = backend_->device_info(0);
  if (info && !info->host_memory) GTEST_SKIP() << "a child has no access to what its parent's driver holds";
  std::mt19937 random(kSeed);
  auto residual = some_convolution();
  residual.epilogue = {{.kind = PostOp::Kind::add_operand, .operand = residual.y}, {.kind = PostOp::Kind::relu}};
  const LibraryCall calls[] = {some_convolution(), residual, some_matmul(), some_pooling()};
  const auto stream = make_stream(4);
  struct Planned {
    LibraryCall call;
    std::unique_ptr<ReadyCall> ready;
    std::vector<double> expected;
  };
  std::vector<Planned> planned;
  for (const auto& call : calls) {
    if (!backend_->offers(0, call)) continue;
    const auto values = random_values(call, random);
    auto ready = value_or_throw(ReadyCall::make(backend_, call, values, {.stream = stream}));
    ASSERT_TRUE(ready->run());
    planned.push_back({call, std::move(ready), reference(call, values)});
  }
  if (planned.empty()) GTEST_SKIP() << "it offers no calls";
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    for (auto& p : planned) {
      if (!p.ready->run() || !compare(p.call, p.ready->fetch(), p.expected).empty()) _exit(1);
      std::mt19937 anew(5);
      const auto values = random_values(p.call, anew);
      const auto ready = ReadyCall::make(backend_, p.call, values, {.stream = stream});
      if (!ready || !(*ready)->run() || !compare(p.call, (*ready)->fetch(), reference(p.call, values)).empty())
        _exit(2);
    }
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << "it hung or crashed";
  EXPECT_EQ(WEXITSTATUS(status), 0);
  for (auto& p : planned) {
    ASSERT_TRUE(p.ready->run());
    EXPECT_EQ(compare(p.call, p.ready->fetch(), p.expected), "");
  }
}

}  // namespace
}  // namespace jitney::backend
