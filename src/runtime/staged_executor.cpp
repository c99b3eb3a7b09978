// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/staged_executor.h"

#include <array>

#include "ir/read_dims.h"
#include "runtime/hosted_ops.h"

namespace jitney::runtime {

namespace {

// Plans that are kept for one stage. Loops whose extents grow see many.
constexpr std::size_t kPlansPerStage = 256;

std::vector<std::vector<std::int64_t>> shapes_of(const std::vector<Cell>& cells) {
  std::vector<std::vector<std::int64_t>> shapes;
  for (const Cell& c : cells) shapes.push_back(c.shape);
  return shapes;
}

}  // namespace

StagedExecutor::StagedExecutor(std::shared_ptr<const StagedProgram> program, Target target,
                               backend::StreamOptions options, bool captures)
    : program_(std::move(program)), cells_(std::move(target)), options_(options), captures_(captures) {}

Status StagedExecutor::prepare(const KernelSet& kernels, std::shared_ptr<backend::PlanServices> services) {
  kernels_ = &kernels;
  for (const StagedGraph& graph : program_->graphs) {
    Values& values = constants_.emplace_back(graph.graph->values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!graph.graph->values[i].constant) continue;
      JITNEY_TRY(values[i], Cells::of_constant(*graph.graph->values[i].constant));
    }
  }
  for (const Stage& stage : program_->stages) {
    auto ready = std::make_unique<Ready>(kPlansPerStage);
    ready->executor = std::make_unique<Executor>(stage.program, cells_.target(), options_, services);
    JITNEY_CHECK(ready->executor->prepare());
    stages_.push_back(std::move(ready));
  }
  return {};
}

GraphCounts StagedExecutor::graph_counts() const {
  GraphCounts sum;
  for (const auto& stage : stages_) {
    const GraphCounts c = stage->executor->graph_counts();
    sum.captured += c.captured;
    sum.replayed += c.replayed;
    sum.updated += c.updated;
    sum.fallbacks += c.fallbacks;
  }
  return sum;
}

std::uint64_t StagedExecutor::interpreted_operators() const {
  std::uint64_t sum = 0;
  for (const auto& stage : stages_) sum += stage->executor->interpreted_operators();
  return sum;
}

void StagedExecutor::release_memory() {
  for (const auto& stage : stages_) stage->executor->release_memory();
}

Expected<std::vector<Cell>> StagedExecutor::run(const std::vector<Cell>& inputs, Interrupt& interrupt,
                                                bool is_transient) {
  const StagedGraph& model = program_->graphs.front();
  JITNEY_TRY(ir::SymbolValues symbols, ir::bind_symbols(*model.graph, shapes_of(inputs)));
  JITNEY_TRY(std::vector<Cell> outputs, run_graph(model, inputs, {std::move(symbols), interrupt, is_transient}));
  for (Cell& out : outputs) {
    JITNEY_TRY(out, cells_.to_device(out));
  }
  return outputs;
}

Expected<std::vector<Cell>> StagedExecutor::run_graph(const StagedGraph& graph, std::vector<Cell> inputs, Scope scope) {
  ir::SymbolValues& symbols = scope.symbols;
  const ir::Graph& g = *graph.graph;
  Values values = constants_[static_cast<std::size_t>(&graph - program_->graphs.data())];
  for (std::size_t i = 0; i < inputs.size(); ++i) values[static_cast<std::size_t>(g.inputs[i])] = std::move(inputs[i]);
  inputs.clear();
  for (const StagedGraph::Step& step : graph.steps) {
    JITNEY_CHECK(scope.interrupt.check());
    const ir::Node& node = *step.node;
    const auto explain = [&](Failure f) {
      if (node.op != ir::Op::stage)
        f.message = fmt::format("{} '{}': {}", ir::info(node.op).name, node.name, f.message);
      return f;
    };
    JITNEY_TRY(std::vector<Cell> results, run_step(graph, step, values, scope).map_error(explain));
    if (node.op == ir::Op::read_dims && results[0].dtype == DType::i64) {
      const auto* first = results[0].as<std::int64_t>();
      JITNEY_CHECK(ir::bind_numbers(node, {first, first + results[0].num_elements()}, symbols).map_error(explain));
    } else {
      JITNEY_CHECK(ir::bind_outputs(g, node, shapes_of(results), symbols).map_error(explain));
    }
    for (const ir::Guard& guard : step.guards) JITNEY_CHECK(ir::check_guard(guard, symbols));
    for (std::size_t i = 0; i < results.size(); ++i)
      values[static_cast<std::size_t>(node.outputs[i])] = std::move(results[i]);
    for (const ir::ValueId id : step.done) values[static_cast<std::size_t>(id)].reset();
  }
  std::vector<Cell> outputs;
  for (const ir::ValueId id : g.outputs) {
    auto& value = values[static_cast<std::size_t>(id)];
    if (value) {
      outputs.push_back(*value);
    } else {
      return internal_error("output '{}' was not computed", g.value(id).name);
    }
  }
  return outputs;
}

Expected<std::vector<Cell>> StagedExecutor::run_step(const StagedGraph& graph, const StagedGraph::Step& step,
                                                     const Values& values, const Scope& scope) {
  const ir::Graph& g = *graph.graph;
  const ir::Node& node = *step.node;
  Values inputs;
  std::vector<Cell> present;
  for (const ir::ValueId id : node.inputs) {
    if (id == ir::kNoValue) {
      inputs.emplace_back();
    } else if (const auto& value = values[static_cast<std::size_t>(id)]) {
      inputs.push_back(value);
    } else {
      return internal_error("'{}' was not computed", g.value(id).name);
    }
    if (inputs.back()) present.push_back(*inputs.back());
  }
  switch (node.op) {
    case ir::Op::stage: return run_stage(step.stage, std::move(present), scope);
    case ir::Op::branch: return run_branch(step, std::move(present), scope);
    case ir::Op::loop: return run_loop(step, std::move(present), scope);
    default: return run_hosted(node, inputs, scope.symbols);
  }
}

Expected<std::vector<Cell>> StagedExecutor::run_stage(int index, std::vector<Cell> inputs, const Scope& scope) {
  stage_runs_.fetch_add(1, std::memory_order_relaxed);
  const Stage& stage = program_->stages[static_cast<std::size_t>(index)];
  Ready& ready = *stages_[static_cast<std::size_t>(index)];
  const ir::Graph& g = stage.program->graph;
  std::vector<TensorView> views;
  std::vector<void*> pointers;
  for (Cell& in : inputs) {
    JITNEY_TRY(in, cells_.to_device(in));
    views.push_back({.data = in.data(), .dtype = in.dtype, .shape = in.shape, .strides = {}, .device = {}});
    pointers.push_back(in.data());
  }
  std::vector<std::array<std::int64_t, 1>> extents;
  extents.reserve(stage.extents.size());
  for (const std::string& name : stage.extents) {
    const auto found = scope.symbols.find(name);
    if (found == scope.symbols.end())
      return user_error("'{}' needs the extent '{}', which nothing defines", stage.name, name);
    extents.push_back({found->second});
    views.push_back({.data = nullptr, .dtype = DType::u8, .shape = extents.back(), .strides = {}, .device = {}});
    pointers.push_back(nullptr);
  }
  auto plan = ready.plans.find(views);
  if (!plan) {
    std::vector<std::vector<std::int64_t>> shapes;
    for (const TensorView& v : views) shapes.emplace_back(v.shape.begin(), v.shape.end());
    JITNEY_TRY(plan, make_plan(*stage.program, std::move(shapes), cells_.target().info.alignment));
    plans_made_.fetch_add(1, std::memory_order_relaxed);
    plan = ready.plans.add(std::move(plan));
  }
  std::vector<Cell> outputs;
  std::vector<void*> results;
  for (std::size_t i = 0; i < g.outputs.size(); ++i) {
    JITNEY_TRY(Cell out, cells_.on_device(g.value(g.outputs[i]).dtype, plan->output_shapes[i]));
    results.push_back(out.data());
    outputs.push_back(std::move(out));
  }
  JITNEY_CHECK(
      ready.executor->run(*plan, kernels_->handles(), pointers, results,
                          {.captures = captures_, .is_transient = scope.is_transient, .interrupt = &scope.interrupt}));
  return outputs;
}

Expected<std::vector<Cell>> StagedExecutor::run_hosted(const ir::Node& node, const Values& given,
                                                       const ir::SymbolValues& symbols) {
  hosted_runs_.fetch_add(1, std::memory_order_relaxed);
  Values inputs = given;
  for (auto& in : inputs) {
    if (!in) continue;
    JITNEY_TRY(*in, cells_.to_host(*in));
  }
  const HostedCall call{node, inputs, cells_};
  switch (node.op) {
    case ir::Op::nonzero: return run_nonzero(call);
    case ir::Op::compress: return run_compress(call);
    case ir::Op::unique: return run_unique(call);
    case ir::Op::non_max_suppression: return run_non_max_suppression(call);
    default: break;
  }
  if (node.op != ir::Op::read_dims) return internal_error("the runtime does not know {}", ir::info(node.op).name);
  std::vector<Tensor> operands;
  std::vector<const Tensor*> pointers;
  for (const auto& in : inputs) operands.push_back(Cells::tensor_of(*in));
  for (const Tensor& t : operands) pointers.push_back(&t);
  JITNEY_TRY(const auto dims, ir::evaluate(node.dims("given"), symbols));
  JITNEY_TRY(const auto found, ir::read_dims(node.text("rule"), fmt::format("'{}'", node.name), pointers, dims));
  if (ir::is_test(node.text("rule"))) {
    JITNEY_TRY(Cell holds, cells_.on_host(DType::boolean, {}));
    *holds.as<std::uint8_t>() = found[0] != 0;
    return std::vector<Cell>{std::move(holds)};
  }
  JITNEY_TRY(Cell out, cells_.on_host(DType::i64, {static_cast<std::int64_t>(found.size())}));
  std::copy(found.begin(), found.end(), out.as<std::int64_t>());
  return std::vector<Cell>{std::move(out)};
}

}  // namespace jitney::runtime
