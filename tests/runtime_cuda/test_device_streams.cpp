// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <thread>

#include "runtime_cuda/device.h"

/// Callers' streams on a real device: producers that are slow, consumers that come at once, inputs that are freed.
namespace jitney {
namespace {

using testing::OnDevice;
using testing::small_network;

constexpr std::int64_t kRows = 128, kElements = kRows * 64;
constexpr std::size_t kBytes = kElements * sizeof(float);

struct Case {
  const char* name;
  int stream;  ///< -1: one that was made; else the handle
  bool graphs, product;
};

class DeviceStreams : public OnDevice, public ::testing::WithParamInterface<Case> {
 protected:
  ExecutionContext context(bool product, bool graphs) {
    return ExecutionContext(
        testing::engine_of(small_network(product)),
        {.device = kDevice,
         .runtime_cache = "none",
         .cuda_graph_strategy = graphs ? CudaGraphStrategy::whole_graph_capture : CudaGraphStrategy::disabled,
         .dynamic_shapes_kernel_specialization_strategy = DynamicShapesKernelSpecializationStrategy::none});
  }
  /// What a row of equal values becomes, by a call that waits.
  Tensor expected(bool product, float value) {
    if (!reference_) reference_.emplace(context(product, false));
    Tensor x(DType::f32, {kRows, 64});
    std::fill_n(x.as<float>(), kElements, value);
    DeviceTensor in(x, kDevice), out(DType::f32, {kRows, 64}, kDevice);
    const TensorView i = in.view(), o = out.view();
    reference_->execute({&i, 1}, {&o, 1});
    return out.download();
  }
  std::optional<ExecutionContext> reference_;
};

TEST_P(DeviceStreams, ProducersConsumersAndFreedInputs) {
  const Case c = GetParam();
  const StreamHandle s = c.stream < 0 ? stream() : static_cast<StreamHandle>(c.stream);
  auto ctx = context(c.product, c.graphs);
  const auto slow = slow_fill();
  constexpr int kRuns = 8;
  constexpr double kSlow = 0.01;
  DeviceTensor kept(DType::f32, {kRuns, kRows, 64}, kDevice);
  double longest = 0;
  for (int i = 0; i < kRuns; ++i) {
    // In the order of the stream: the next round's memory may be this one's.
    DeviceTensor in(DType::f32, {kRows, 64}, kDevice, s), out(DType::f32, {kRows, 64}, kDevice, s);
    const TensorView x = in.view(), y = out.view();
    fill(slow, x.data, kElements, i, kSlow, s);
    const auto begin = std::chrono::steady_clock::now();
    ctx.execute({&x, 1}, {&y, 1}, s);
    if (i > 3)
      longest = std::max(longest, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    value_or_throw(backend_->copy(0, static_cast<char*>(kept.view().data) + static_cast<std::size_t>(i) * kBytes,
                                  y.data, kBytes, backend::CopyKind::device_to_device, s));
    // Overwritten as soon as the call is behind it.
    fill(slow, x.data, kElements, -1000, 0, s);
  }
  ctx.synchronize(s);
  EXPECT_LT(longest, kSlow / 2) << "the call waited for the producer";
  const Tensor all = kept.download();
  for (int i = 0; i < kRuns; ++i) {
    const Tensor want = expected(c.product, static_cast<float>(i));
    for (int e = 0; e < kElements; ++e)
      ASSERT_NEAR(all.as<float>()[i * kElements + e], want.as<float>()[e], 1e-4 + 1e-5 * std::abs(want.as<float>()[e]))
          << "run " << i << " element " << e;
  }
  if (c.graphs) {
    EXPECT_LE(ctx.stats().graphs_captured, c.product ? 2u : 1u);
    EXPECT_GE(ctx.stats().graph_replays, 7u);
    EXPECT_EQ(ctx.stats().graph_fallbacks, 0u);
  }
}

INSTANTIATE_TEST_SUITE_P(All, DeviceStreams,
                         ::testing::Values(Case{"made", -1, false, false}, Case{"made_graph", -1, true, false},
                                           Case{"made_product_graph", -1, true, true}, Case{"legacy", 0, false, false},
                                           Case{"legacy_graph", 0, true, true}, Case{"legacy_by_name", 1, false, true},
                                           Case{"per_thread", 2, false, false},
                                           Case{"per_thread_graph", 2, true, true}),
                         [](const auto& info) { return info.param.name; });

using DeviceThreads = DeviceStreams;

TEST_P(DeviceThreads, ManyThreadsOnStreamsOfTheirOwn) {
  auto ctx = context(GetParam().product, GetParam().graphs);
  constexpr int kThreads = 8, kRuns = 60;
  std::vector<StreamHandle> streams;
  std::vector<Tensor> want;
  for (int t = 0; t < kThreads; ++t) {
    streams.push_back(t % 4 == 3 ? 0 : stream());
    want.push_back(expected(GetParam().product, static_cast<float>(t)));
  }
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      const StreamHandle s = streams[static_cast<std::size_t>(t)];
      Tensor x(DType::f32, {kRows, 64});
      std::fill_n(x.as<float>(), kElements, static_cast<float>(t));
      for (int i = 0; i < kRuns; ++i) {
        DeviceTensor in(x, kDevice, s), out(DType::f32, {kRows, 64}, kDevice, s);
        const TensorView a = in.view(), b = out.view();
        ctx.execute({&a, 1}, {&b, 1}, s);
        const Tensor got = out.download();
        if (!testing::close(got, want[static_cast<std::size_t>(t)], 1e-4)) ++wrong;
      }
    });
  for (auto& t : threads) t.join();
  EXPECT_EQ(wrong, 0);
}

INSTANTIATE_TEST_SUITE_P(All, DeviceThreads,
                         ::testing::Values(Case{"launched", -1, false, true}, Case{"graphs", -1, true, true}),
                         [](const auto& info) { return info.param.name; });

class DeviceInputs : public OnDevice {};

TEST_F(DeviceInputs, OfAnyStridesAndBorrowed) {
  ExecutionContext ctx(testing::engine_of(small_network()), {.device = kDevice, .runtime_cache = "none"});
  std::mt19937 rng(5);
  const Tensor base = testing::random_tensor(DType::f32, {64, 96}, rng);
  const DeviceTensor memory(base, kDevice);
  auto* data = static_cast<float*>(memory.view().data);
  const StreamHandle s = stream();
  struct View {
    std::int64_t offset, rows;
    std::vector<std::int64_t> strides;
  };
  for (const View& v : {View{0, 64, {96, 1}}, View{0, 96, {1, 96}}, View{3, 40, {96, 1}}, View{0, 7, {0, 1}},
                        View{95 + 63 * 96, 64, {-96, -1}}, View{0, 0, {96, 1}}, View{0, 1, {5, 1}}}) {
    int deleted = 0;
    {
      const auto x =
          DeviceTensor::borrow(data + v.offset, DType::f32, {v.rows, 64}, v.strides, kDevice, [&] { ++deleted; });
      Tensor dense(DType::f32, {v.rows, 64});
      for (std::int64_t i = 0; i < v.rows; ++i)
        for (std::int64_t j = 0; j < 64; ++j)
          dense.as<float>()[i * 64 + j] = base.as<float>()[v.offset + i * v.strides[0] + j * v.strides[1]];
      EXPECT_TRUE(testing::close(x.download(), dense, 0));
      const Tensor want = value_or_throw(ir::interpret(small_network(), {dense}))[0];
      const DeviceTensor y(DType::f32, {v.rows, 64}, kDevice);
      const TensorView in = x.view(), out = y.view();
      ctx.execute({&in, 1}, {&out, 1});
      EXPECT_TRUE(testing::close(y.download(), want, 1e-5)) << v.offset;
      for (const StreamHandle on : {s, StreamHandle{0}}) {
        const DeviceTensor z(DType::f32, {v.rows, 64}, kDevice);
        const TensorView again = z.view();
        ctx.execute({&in, 1}, {&again, 1}, on);
        ctx.synchronize(on);
        EXPECT_TRUE(testing::close(z.download(), want, 1e-5)) << v.offset;
      }
    }
    EXPECT_EQ(deleted, 1);
  }
}

TEST_F(DeviceInputs, BadIndicesOfAsynchronousCallsAreToldLater) {
  ir::Graph g;
  g.symbols["n"] = {};
  std::mt19937 rng(1);
  const auto table = g.add_constant("table", testing::random_tensor(DType::f32, {10, 8}, rng));
  const auto ids = g.add_value("ids", DType::i64, {ir::Dim::symbol("n")});
  g.inputs = {ids};
  g.outputs = {g.add_node(ir::Op::gather, "take", {table, ids}, DType::f32, {ir::Dim::symbol("n"), 8},
                          {{"axis", std::int64_t{0}}})};
  for (const auto strategy : {CudaGraphStrategy::disabled, CudaGraphStrategy::whole_graph_capture}) {
    ExecutionContext ctx(testing::engine_of(g),
                         {.device = kDevice, .runtime_cache = "none", .cuda_graph_strategy = strategy});
    Tensor good(DType::i64, {4}), bad(DType::i64, {4});
    for (int i = 0; i < 4; ++i) good.as<std::int64_t>()[i] = i, bad.as<std::int64_t>()[i] = i == 2 ? 10 : i;
    const DeviceTensor a(good, kDevice), b(bad, kDevice), y(DType::f32, {4, 8}, kDevice);
    const TensorView va = a.view(), vb = b.view(), vy = y.view();
    const StreamHandle s = stream();
    for (int i = 0; i < 3; ++i) {
      ctx.execute({&va, 1}, {&vy, 1}, s);
      EXPECT_NO_THROW(ctx.synchronize(s));
      ctx.execute({&vb, 1}, {&vy, 1}, s);
      try {
        ctx.synchronize(s);
        FAIL() << "nobody told";
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::user);
        EXPECT_NE(std::string(error.what()).find("'take' was out of range in an earlier call"), std::string::npos)
            << error.what();
      }
      EXPECT_NO_THROW(ctx.synchronize(s)) << "told once";
      EXPECT_THROW(ctx.execute({&vb, 1}, {&vy, 1}), Error) << "a call that waits tells itself";
    }
  }
}

}  // namespace
}  // namespace jitney
