// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "run_kernels.h"

#include <map>

#include "golden_graphs.h"
#include "passes/views.h"

namespace jitney::compiler::test {

using ir::ValueId;

namespace {

struct LaunchArgs {  // as the prelude has it
  void* const* pointers;
  const std::int64_t* numbers;
  std::int32_t* fault;
};
using Entry = void(const LaunchArgs*, std::int64_t, std::int64_t);

}  // namespace

bool converts_f16() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("x86-64-v3") != 0;
#else
  return true;
#endif
}

std::vector<std::string> this_machine() {
  auto options = baseline_target();
  if (options.back() == "x86-64-v2" && converts_f16()) options.back() = "x86-64-v3";
  return options;
}

CompiledGraph::CompiledGraph(const ir::Graph& lowered, Compiler& compiler, const Emit& emit) : graph_(lowered) {
  for (const auto& kernel : kernels_of(graph_)) {
    kernels_.push_back(emit(kernel));
    CompileRequest r = request(kernels_.back().source(), kernel.name);
    r.options = this_machine();
    auto outcome = compiler.compile(r);
    if (!outcome) throw std::runtime_error(outcome.error().message + "\n" + kernels_.back().code);
    objects_.push_back(std::make_unique<Loaded>(outcome->binary));
  }
}

std::vector<Tensor> CompiledGraph::run(const std::vector<Tensor>& inputs, double cut) const {
  std::vector<std::vector<std::int64_t>> shapes;
  shapes.reserve(inputs.size());
  for (const auto& t : inputs) shapes.push_back(t.shape());
  const auto symbols = value_or_throw(ir::bind_symbols(graph_, shapes));
  const auto views = value_or_throw(passes::compute_views(graph_));
  std::map<ValueId, Tensor> buffers;
  for (std::size_t i = 0; i < inputs.size(); ++i) buffers.emplace(graph_.inputs[i], inputs[i]);
  for (std::size_t i = 0; i < graph_.values.size(); ++i)
    if (graph_.values[i].constant) buffers.emplace(static_cast<ValueId>(i), *graph_.values[i].constant);

  std::size_t next = 0;
  std::int32_t fault = 0;
  for (const auto& node : graph_.nodes) {
    if (node.op != ir::Op::region) continue;
    const EmittedKernel& emitted = kernels_[next];
    auto* entry = objects_[next++]->symbol<Entry>(emitted.symbol.c_str());
    std::vector<void*> pointers;
    pointers.reserve(node.inputs.size() + node.outputs.size());
    for (ValueId in : node.inputs) pointers.push_back(buffers.at(views[static_cast<std::size_t>(in)].root).data());
    for (ValueId out : node.outputs) {
      const auto& v = graph_.value(out);
      buffers.insert_or_assign(out, Tensor(v.dtype, value_or_throw(ir::evaluate(v.shape, symbols))));
      pointers.push_back(buffers.at(out).data());
    }
    std::vector<std::int64_t> numbers;
    numbers.reserve(emitted.numbers.size());
    for (const auto& d : emitted.numbers) numbers.push_back(value_or_throw(d.evaluate(symbols)));
    const auto points = value_or_throw(emitted.points.evaluate(symbols));
    if (points == 0) continue;
    const LaunchArgs args{pointers.data(), numbers.data(), &fault};
    const auto middle =
        static_cast<std::int64_t>(cut * static_cast<double>(points)) / emitted.granule * emitted.granule;
    entry(&args, 0, middle);
    entry(&args, middle, points);
  }
  EXPECT_EQ(fault, 0);
  std::vector<Tensor> results;
  results.reserve(graph_.outputs.size());
  for (ValueId out : graph_.outputs) results.push_back(buffers.at(views[static_cast<std::size_t>(out)].root));
  return results;
}

}  // namespace jitney::compiler::test
