// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Native graphs: a plan that runs again is captured once and replayed. A captured graph reads and writes buffers of its
// own, and inputs and outputs are copied from and to the caller's, so that new addresses need no new capture.
#include <algorithm>

#include "runtime/executor.h"
#include "util/log.h"
#include "util/tensor_bytes.h"

namespace jitney::runtime {
namespace {

// Graphs that are kept, for all plans of one context.
constexpr std::size_t kGraphs = 32;

}  // namespace

GraphCounts Executor::graph_counts() const {
  const std::lock_guard lock(graphs_mutex_);
  return graph_counts_;
}

bool Executor::is_capturable(const Plan& plan, const std::vector<backend::KernelHandle>& kernels,
                             const CallSet* calls) const {
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = program_->steps[static_cast<std::size_t>(plan.steps[i].step)];
    if (plan.steps[i].points == 0 && step.distinct >= 0) continue;
    const bool is_call = step.is_call && (plan.steps[i].points == 0 || (calls && calls->calls[i].primitive));
    const bool is_kernel = step.distinct >= 0 && kernels[static_cast<std::size_t>(step.distinct)] != 0;
    if (!is_call && !is_kernel) return false;  // the interpreter works on the host
  }
  return true;
}

void Executor::destroy(Captured& c) {
  auto& b = *target_.backend;
  if (c.graph != 0) b.destroy_graph(target_.device, c.graph);
  for (auto* buffers : {&c.inputs, &c.outputs})
    for (auto& buffer : *buffers) b.free(target_.device, buffer.data, buffer.bytes, stream_);
  release(c.space);
  if (c.invocations) c.calls->give_back(std::move(c.invocations));
}

Expected<std::unique_ptr<Executor::Captured>> Executor::capture(const Plan& plan,
                                                                const std::vector<backend::KernelHandle>& kernels,
                                                                const CallSet* calls, bool specialized) {
  auto& b = *target_.backend;
  auto made = std::make_unique<Captured>();
  // What was made so far goes on every way out.
  struct Guard {
    Executor& executor;
    std::unique_ptr<Captured>& captured;
    ~Guard() {
      if (captured) executor.destroy(*captured);
    }
  } guard{*this, made};
  made->plan = plan.shared_from_this();
  made->calls = calls;
  made->space.forms = specialized ? plan.forms.get() : nullptr;
  if (calls) {
    JITNEY_TRY(made->invocations, calls->borrow(target_));
  }
  std::vector<void*> inputs, outputs;
  const auto& g = program_->graph;
  auto take = [&](std::vector<Buffer>& into, std::vector<void*>& addresses, std::size_t bytes) -> Status {
    JITNEY_TRY(void* data, b.allocate(target_.device, bytes, stream_));
    into.push_back({data, bytes});
    addresses.push_back(data);
    return {};
  };
  for (std::size_t i = 0; i < g.inputs.size(); ++i)
    JITNEY_CHECK(take(made->inputs, inputs, checked_bytes(g.value(g.inputs[i]).dtype, plan.input_shapes[i])));
  for (std::size_t i = 0; i < g.outputs.size(); ++i)
    JITNEY_CHECK(take(made->outputs, outputs, checked_bytes(g.value(g.outputs[i]).dtype, plan.output_shapes[i])));
  JITNEY_CHECK(bind(plan, calls, inputs, outputs, made->space));
  // Allocations are ordered by the stream: outside of the capture they must have happened.
  JITNEY_CHECK(b.synchronize(target_.device, stream_));
  JITNEY_CHECK(b.begin_capture(target_.device, stream_));
  const Status launched = launch(plan, kernels, made->space, calls, made->invocations.get());
  auto graph = b.end_capture(target_.device, stream_);  // also after a failure, which else would last
  JITNEY_CHECK(launched);
  if (!graph) return tl::unexpected(graph.error());
  made->graph = *graph;
  return made;
}

Status Executor::replay(Captured& c, std::span<void* const> inputs, std::span<void* const> outputs) {
  auto& b = *target_.backend;
  std::fill(c.space.faults.begin(), c.space.faults.end(), 0);
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (c.inputs[i].bytes > 0)
      JITNEY_CHECK(b.copy(target_.device, c.inputs[i].data, inputs[i], c.inputs[i].bytes,
                          backend::CopyKind::device_to_device, stream_));
  JITNEY_CHECK(b.replay(target_.device, c.graph, stream_));
  for (std::size_t i = 0; i < outputs.size(); ++i)
    if (c.outputs[i].bytes > 0)
      JITNEY_CHECK(b.copy(target_.device, outputs[i], c.outputs[i].data, c.outputs[i].bytes,
                          backend::CopyKind::device_to_device, stream_));
  JITNEY_CHECK(b.synchronize(target_.device, stream_));
  return check_faults(*c.plan, c.space);
}

Expected<bool> Executor::run_graph(const Plan& plan, const std::vector<backend::KernelHandle>& kernels,
                                   const CallSet* calls, std::span<void* const> inputs, std::span<void* const> outputs,
                                   bool specialized) {
  // The first run loads and plans what a capture must not.
  if (plan.runs.fetch_add(1, std::memory_order_relaxed) == 0) return false;
  std::unique_ptr<Captured> captured, outdated;
  {
    const std::lock_guard lock(graphs_mutex_);
    const auto forms = specialized ? plan.forms.get() : nullptr;
    const auto found = std::ranges::find_if(graphs_, [&](const auto& g) { return g->plan.get() == &plan; });
    if (found != graphs_.end()) {
      // What was captured before the shape's own kernels were ready would freeze the slower ones.
      ((*found)->space.forms == forms ? captured : outdated) = std::move(*found);
      graphs_.erase(found);
    }
  }
  if (outdated) destroy(*outdated);
  const bool is_new = !captured;
  if (is_new) {
    if (!is_capturable(plan, kernels, calls)) {
      const std::lock_guard lock(graphs_mutex_);
      ++graph_counts_.fallbacks;
      return false;
    }
    auto made = capture(plan, kernels, calls, specialized);
    if (!made) {
      warn_once("graph capture", "this model runs without graphs: " + made.error().message);
      const std::lock_guard lock(graphs_mutex_);
      ++graph_counts_.fallbacks;
      return false;
    }
    captured = std::move(*made);
  }
  const Status ran = replay(*captured, inputs, outputs);
  std::unique_ptr<Captured> oldest;
  {
    const std::lock_guard lock(graphs_mutex_);
    graph_counts_.captured += is_new;
    ++graph_counts_.replayed;
    graphs_.push_back(std::move(captured));
    if (graphs_.size() > kGraphs) {
      oldest = std::move(graphs_.front());
      graphs_.erase(graphs_.begin());
    }
  }
  if (oldest) destroy(*oldest);
  JITNEY_CHECK(ran);
  return true;
}

}  // namespace jitney::runtime
