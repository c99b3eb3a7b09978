// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/forms.h"

#include <map>

namespace jitney::runtime {
namespace {

struct Sources {
  std::vector<compiler::EmittedKernel> kernels;
  std::vector<std::string> names;
};

}  // namespace

Expected<std::shared_ptr<const Forms>> Forms::make(const Program& program, const Target& target, const Plan& plan,
                                                   cache::RuntimeCache& cache, compiler::Compiler& compiler,
                                                   const KernelSetOptions& options,
                                                   std::shared_ptr<const CallSet> calls) {
  const compiler::EmitOptions form{.vector_bytes = target.info.vector_bytes, .known = plan.symbols};
  auto sources = std::make_shared<Sources>();
  std::map<std::pair<std::string, std::string>, std::size_t> known;
  std::shared_ptr<Forms> made(new Forms);
  made->calls_ = std::move(calls);
  made->steps_.resize(plan.steps.size());
  constexpr std::size_t kNone = ~std::size_t{0};
  std::vector<std::size_t> source_of(plan.steps.size(), kNone);
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const auto& step = program.steps[static_cast<std::size_t>(plan.steps[i].step)];
    if (!step.kernel || plan.steps[i].points == 0) continue;
    if (step.kernel->algorithm) continue;  // has one form
    auto emitted = compiler::emit(*step.kernel, form, target.info.language);
    Step& s = made->steps_[i];
    s.first_number = made->numbers_.size();
    for (const auto& d : emitted.numbers) {
      JITNEY_TRY(const auto value, d.evaluate(plan.symbols));
      made->numbers_.push_back(value);
    }
    s.number_count = made->numbers_.size() - s.first_number;
    JITNEY_TRY(s.points, emitted.points.evaluate(plan.symbols));
    JITNEY_TRY(const auto cost, emitted.cost_per_point.evaluate(plan.symbols));
    s.grain = kernel::grain(cost);
    s.granule = emitted.granule;
    JITNEY_TRY(s.rounds, emitted.rounds.evaluate(plan.symbols));
    s.block_threads = emitted.block_threads;
    s.block_points = emitted.block_points;
    const auto [it, is_new] = known.try_emplace({emitted.defines, emitted.code}, sources->kernels.size());
    if (is_new) {
      sources->names.push_back(step.node->name);
      sources->kernels.push_back(std::move(emitted));
    }
    source_of[i] = it->second;
  }
  const Sources& all = *sources;
  made->kernels_ = std::make_unique<KernelSet>(KernelSources{all.kernels, all.names, std::move(sources)}, target, cache,
                                               compiler, options);
  for (std::size_t i = 0; i < source_of.size(); ++i)
    if (source_of[i] != kNone) made->steps_[i].kernel = made->kernels_->handles()[source_of[i]];
  return std::shared_ptr<const Forms>(std::move(made));
}

}  // namespace jitney::runtime
