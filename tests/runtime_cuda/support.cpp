// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime_cuda/support.h"

namespace jitney::runtime {
namespace {

/// What a fake kernel with operands x and y does.
template <class F>
auto map_kernel(FakeDriver& fake, F f) {
  return [&fake, f](const FakeDriver::Launch& launch) {
    const auto x = launch.words[0], y = launch.words[1];
    const std::uint64_t count = launch.words[launch.words.size() - 2];
    fake.touch(x, count * sizeof(float), "kernel");
    fake.touch(y, count * sizeof(float), "kernel");
    for (std::uint64_t i = 0; i < count; ++i)
      reinterpret_cast<float*>(y)[i] = f(reinterpret_cast<const float*>(x)[i]);  // NOLINT(performance-no-int-to-ptr)
  };
}

class FakePrimitive final : public backend::Primitive {
 public:
  std::size_t scratch_bytes() const override { return 8; }
  std::string implementation() const override { return "fake"; }
  bool is_reference() const override { return false; }
};

}  // namespace

Status FakeBackend::run(int, backend::Invocation&, std::span<void* const> pointers, void*,
                        backend::StreamHandle stream) {
  const auto y = reinterpret_cast<std::uint64_t>(pointers[0]), z = reinterpret_cast<std::uint64_t>(pointers[1]);
  fake_.put(backend::cuda::stream_of(stream),
            [this, y, z] { map_kernel(fake_, [](float v) { return v + 1; })({1, 1, {y, z, 0, 5, 0}, 0}); });
  return {};
}

FakeExecutor::FakeExecutor() : backend_(std::make_unique<FakeBackend>(fake_)) {
  fake_.kernels["double"] = map_kernel(fake_, [](float v) { return 2 * v; });
  fake_.kernels["increment"] = map_kernel(fake_, [](float v) { return v + 1; });
}

void FakeExecutor::TearDown() {
  executor_.reset();
  fake_.drain();
  backend_.reset();
  EXPECT_EQ(fake_.breaches, std::vector<std::string>{});
}

void FakeExecutor::make(bool captures, bool is_call) {
  program_ = std::make_shared<Program>();
  ir::Graph& g = program_->graph;
  const ir::Shape shape = {ir::Dim(kCount)};
  const auto x = g.add_value("x", DType::f32, shape);
  g.inputs = {x};
  g.nodes.reserve(2);
  const auto y = g.add_node(ir::Op::relu, "double", {x}, DType::f32, shape);
  const auto z = g.add_node(ir::Op::relu, "increment", {y}, DType::f32, shape);
  g.outputs = {z};
  for (const auto v : {x, y, z}) {
    passes::StridedView view;
    view.root = v;
    program_->views.push_back(view);
  }
  program_->steps.resize(2);
  program_->sources.resize(2);
  for (std::size_t i = 0; i < 2; ++i) {
    program_->steps[i].node = &g.nodes[i];
    program_->steps[i].roots = {static_cast<ir::ValueId>(i), static_cast<ir::ValueId>(i + 1)};
    program_->steps[i].distinct = static_cast<int>(i);
  }
  // The body of a library call is looked at for packed weights, of which this one has none.
  if (is_call) program_->steps[1].distinct = -1;

  plan_ = std::make_shared<Plan>();
  plan_->input_shapes = plan_->output_shapes = {{kCount}};
  plan_->arena_bytes = kBytes;
  plan_->slots = {{Slot::Kind::input, 0}, {Slot::Kind::arena, 0}, {Slot::Kind::arena, 0}, {Slot::Kind::output, 0}};
  plan_->steps = {{.step = 0, .points = kCount, .slot_count = 2},
                  {.step = 1, .points = kCount, .first_slot = 2, .slot_count = 2}};
  const auto info = value_or_throw(backend_->device_info(0));
  executor_ = std::make_unique<Executor>(program_, Target{backend_.get(), 0, info}, backend::StreamOptions{});
  captures_ = captures;
  if (auto ready = executor_->prepare(); !ready) throw Error(ready.error().kind, ready.error().message);
  if (is_call) {
    program_->steps[1].is_call = true;
    plan_->has_calls = true;
    auto calls = std::make_shared<CallSet>();
    calls->calls.resize(2);
    calls->calls[1] = {std::make_shared<FakePrimitive>(), nullptr, {0, 0}, 0};
    calls->scratch_bytes = 8;
    plan_->calls = calls;
    plan_->calls_ready = calls.get();
  }
  kernels_.clear();
  constexpr std::string_view kText = ".version 8.0\n.target sm_90\n";
  const auto module = value_or_throw(backend_->load(0, std::as_bytes(std::span(kText))));
  for (const char* name : {"double", "increment"})
    kernels_.push_back(value_or_throw(backend_->kernel(0, module, name)));
}

float* FakeExecutor::tensor(CUstream stream, float value) {
  auto* memory = static_cast<float*>(value_or_throw(backend_->allocate(0, kBytes, handle(stream))));
  std::fill_n(memory, kCount, value);
  return memory;
}

void FakeExecutor::produce(CUstream stream, float* x, float value) {
  fake_.put(stream, [this, x, value] {
    fake_.touch(reinterpret_cast<CUdeviceptr>(x), kBytes, "producer");
    std::fill_n(x, kCount, value);
  });
}

void FakeExecutor::consume(CUstream stream, const float* z, float& result) {
  fake_.put(stream, [this, z, &result] {
    fake_.touch(reinterpret_cast<CUdeviceptr>(z), kBytes, "consumer");
    result = z[kCount - 1];
  });
}

Status FakeExecutor::run(CUstream stream, float* x, float* z) {
  void* const in[] = {x};
  void* const out[] = {z};
  return executor_->run(*plan_, kernels_, in, out,
                        {.stream = handle(stream), .is_callers_stream = true, .captures = captures_});
}

Status FakeExecutor::run_and_wait(float* x, float* z) {
  void* const in[] = {x};
  void* const out[] = {z};
  return executor_->run(*plan_, kernels_, in, out, {.captures = captures_});
}

}  // namespace jitney::runtime
