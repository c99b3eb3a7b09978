// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/program.h"

#include <algorithm>
#include <map>

#include "ir/hosted.h"
#include "passes/regions.h"
#include "util/log.h"
#include "util/trace.h"

namespace jitney::runtime {

namespace {

// What a kernel on a GPU can be given, in words of 8 bytes, its range and fault word left aside.
constexpr std::size_t kMostParameters = 4092;

Step make_step(const ir::Node& node, const Program& program, const compiler::EmitOptions& options,
               backend::SourceLanguage language) {
  Step step;
  step.node = &node;
  std::vector<ir::Dim> offsets;
  std::vector<std::vector<ir::Dim>> strides;
  for (ir::ValueId in : node.inputs) {
    const auto& view = program.views[static_cast<std::size_t>(in)];
    step.roots.push_back(view.root);
    offsets.push_back(view.offset);
    strides.push_back(view.strides);
  }
  for (ir::ValueId out : node.outputs) step.roots.push_back(out);
  if (node.integer("kind") == static_cast<std::int64_t>(passes::RegionKind::call)) {
    step.is_call = true;
    return step;
  }
  auto built = kernel::build(node, offsets, strides);
  if (!built) {
    step.why_interpreted = built.error().message;
    return step;
  }
  step.kernel = std::move(*built);
  step.reads_indirect = step.kernel->algorithm || std::any_of(step.kernel->exprs.begin(), step.kernel->exprs.end(),
                                                              [](const auto& e) { return !e.access.indirect.empty(); });
  // A device without a language still gets sources, so that everything above the seam can be tested on it.
  step.emitted = compiler::emit(*step.kernel, options, language);
  const std::size_t parameters = step.roots.size() + step.emitted.numbers.size();
  if (language == backend::SourceLanguage::cuda && parameters > kMostParameters) {
    step.why_interpreted =
        fmt::format("its kernel would take {} parameters; a GPU's can take {}", parameters, kMostParameters);
    step.kernel.reset();
  }
  return step;
}

}  // namespace

Expected<std::shared_ptr<const Program>> make_program(const EngineImpl& engine, const backend::Backend& backend,
                                                      int device, const backend::DeviceInfo& info, bool bf16) {
  if (ir::has_hosted(engine.graph()))
    return user_error("model '{}' is several programs, because extents or control flow follow from its data",
                      engine.graph().name);
  JITNEY_TRY(auto program, make_program(engine.graph(), backend, device, info, bf16));
  return std::shared_ptr<const Program>(std::move(program));
}

Expected<std::shared_ptr<Program>> make_program(const ir::Graph& graph, const backend::Backend& backend, int device,
                                                const backend::DeviceInfo& info, bool bf16) {
  const TraceSpan span("lower", info.name);
  auto program = std::make_shared<Program>();
  passes::LowerOptions lowering;
  lowering.bf16 = bf16;
  lowering.offers = [&](const backend::LibraryCall& call) { return backend.offers(device, call); };
  JITNEY_TRY(program->graph, passes::lower(graph, lowering, &program->passes));
  if (log_enabled(LogLevel::graphs))
    log_line(LogLevel::graphs, fmt::format("fused graph for {}:\n{}", info.name, print(program->graph)));
  JITNEY_TRY(program->views, passes::compute_views(program->graph));
  compiler::EmitOptions options{.vector_bytes = info.vector_bytes};
  std::map<std::pair<std::string, std::string>, int> known;
  for (const auto& node : program->graph.nodes) {
    if (node.op != ir::Op::region) continue;
    Step step = make_step(node, *program, options, info.language);
    if (step.kernel) {
      auto [it, is_new] =
          known.try_emplace({step.emitted.defines, step.emitted.code}, static_cast<int>(program->sources.size()));
      if (is_new) {
        program->sources.push_back(step.emitted);
        program->source_names.push_back(node.name);
      }
      step.distinct = it->second;
    } else if (!step.is_call) {
      log_info("'{}' runs in the reference interpreter: {}", node.name, step.why_interpreted);
    }
    program->steps.push_back(std::move(step));
  }
  return program;
}

}  // namespace jitney::runtime
