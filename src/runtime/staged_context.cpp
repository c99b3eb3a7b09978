// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/staged_context.h"

#include "runtime/inspect.h"

namespace jitney::runtime {

Expected<std::unique_ptr<StagedContext>> StagedContext::open(const EngineImpl& engine, const Target& target,
                                                             const ContextOptions& options) {
  std::unique_ptr<StagedContext> context(new StagedContext);
  // Constants are shared; what is copied is nodes and names.
  context->graph_ = std::make_shared<const ir::Graph>(engine.graph());
  JITNEY_TRY(context->program_, make_staged_program(context->graph_, *target.backend, target.device, target.info,
                                                    options.precision == Precision::bf16));
  const bool captures =
      options.cuda_graph_strategy == CudaGraphStrategy::whole_graph_capture && options.device.type != Device::Type::cpu;
  context->executor_ = std::make_unique<StagedExecutor>(
      context->program_, target,
      backend::StreamOptions{.threads = options.threads, .keep_denormals = options.denormals == Denormals::keep},
      captures);
  return context;
}

Status StagedContext::prepare(const KernelSet& kernels, std::shared_ptr<backend::PlanServices> services) {
  JITNEY_CHECK(executor_->prepare(kernels, std::move(services)));
  is_ready_.store(true, std::memory_order_release);
  return {};
}

Expected<std::vector<Cell>> StagedContext::execute(std::span<const TensorView> inputs, Interrupt& interrupt,
                                                   bool is_transient) {
  std::vector<Cell> cells;
  const bool on_host = executor_->cells().target().info.host_memory;
  for (const TensorView& v : inputs) {
    // Somebody else's memory: nothing is freed.
    std::shared_ptr<void> memory(v.data, [](void*) {});
    cells.push_back({v.dtype, {v.shape.begin(), v.shape.end()}, std::move(memory), on_host});
  }
  JITNEY_TRY(std::vector<Cell> outputs, executor_->run(cells, interrupt, is_transient));
  for (Cell& out : outputs) {
    if (out.memory.use_count() <= 1) continue;
    // An input, or two outputs that are one value.
    JITNEY_TRY(Cell copy, executor_->cells().on_device(out.dtype, out.shape));
    JITNEY_CHECK(copy_out(out, copy.data()));
    out = std::move(copy);
  }
  return outputs;
}

Expected<std::vector<std::vector<std::int64_t>>> StagedContext::output_shapes(
    std::span<const TensorView> inputs) const {
  std::vector<std::vector<std::int64_t>> shapes, results;
  for (const TensorView& v : inputs) shapes.emplace_back(v.shape.begin(), v.shape.end());
  JITNEY_TRY(const ir::SymbolValues symbols, ir::bind_symbols(*graph_, shapes));
  for (std::size_t i = 0; i < graph_->outputs.size(); ++i) {
    auto shape = ir::evaluate(graph_->value(graph_->outputs[i]).shape, symbols);
    if (!shape)
      return user_error("the shape of output '{}', {}, follows from data: only execute tells it",
                        graph_->output_name(i), to_string(graph_->value(graph_->outputs[i]).shape));
    results.push_back(std::move(*shape));
  }
  return results;
}

void StagedContext::add_stats(ContextStats& s) const {
  s.stages = static_cast<int>(program_->stages.size());
  s.distinct_kernels = static_cast<int>(program_->kernels->sources.size());
  const bool ready = is_ready_.load(std::memory_order_acquire);
  for (const Stage& stage : program_->stages) {
    s.kernels += static_cast<int>(stage.program->steps.size());
    for (const auto& step : stage.program->steps) {
      s.library_calls += step.is_call;
      const bool missing = step.distinct < 0
                               ? !step.is_call
                               : ready && executor_->kernels().handles()[static_cast<std::size_t>(step.distinct)] == 0;
      s.interpreted += missing;
    }
  }
  s.plans = executor_->plans_made();
  s.hosted_runs = executor_->hosted_runs();
  s.stage_runs = executor_->stage_runs();
  s.host_copies = executor_->cells().copies();
  s.host_copied_bytes = executor_->cells().copied_bytes();
  if (!ready) return;
  const auto& c = executor_->kernels().counts();
  s.compiled = c.compiled;
  s.from_cache = c.from_cache;
  s.precompiled = c.precompiled;
  for (const auto& [reason, count] : c.not_precompiled) s.precompiled_misses[std::string(to_string(reason))] = count;
  s.failed = c.failed;
  s.compile_seconds = c.seconds;
  s.interpreted_operators = executor_->interpreted_operators();
  const GraphCounts graphs = executor_->graph_counts();
  s.graphs_captured = graphs.captured;
  s.graph_replays = graphs.replayed;
  s.graph_updates = graphs.updated;
  s.graph_fallbacks = graphs.fallbacks;
}

std::string StagedContext::inspect(const backend::DeviceInfo& device, bool source) const {
  std::string s = "== model: the runtime runs what is not in a stage ==\n" + print(*graph_);
  for (const Stage& stage : program_->stages) {
    // Its programs know the kernels of all stages; the heading counts them all.
    s += fmt::format("== stage '{}' ==\n", stage.name) + runtime::inspect(*stage.program, device, source);
  }
  return s;
}

}  // namespace jitney::runtime
