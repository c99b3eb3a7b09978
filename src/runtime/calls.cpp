// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/calls.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>
#include <system_error>
#include <thread>

#include "passes/call.h"
#include "runtime/pace.h"
#include "util/log.h"
#include "util/reloadable.h"
#include "util/threads.h"

namespace jitney::runtime {

using backend::LibraryCall;
using backend::TensorDesc;

namespace {

/// Threads that plan calls: each has handles of its own in the libraries, which cost time and memory, too.
constexpr std::size_t kMostPlanners = 8;
/// Longer sequences and larger batches than this take so long themselves that planning them is little.
constexpr std::int64_t kMostRehearsed = 4096;

/// Calls `work` with 0 to count - 1, by that many threads at most; by fewer where the system gives no more.
void for_each_side_by_side(std::size_t count, std::size_t threads, const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next{0};
  const auto take = [&] {
    for (std::size_t n; (n = next.fetch_add(1)) < count;) work(n);
  };
  std::vector<std::jthread> helpers;
  try {
    for (std::size_t t = 1; t < std::min(count, threads); ++t) helpers.emplace_back(take);
  } catch (const std::system_error& e) {
    log_info("calls are planned by fewer threads: {}", e.what());
  }
  take();
}

}  // namespace

Expected<std::unique_ptr<CallSet::Invocations>> CallSet::borrow(const Target& target) const {
  {
    std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto invocations = std::move(idle_.back());
      idle_.pop_back();
      return invocations;
    }
  }
  auto made = std::make_unique<Invocations>();
  std::vector<std::shared_ptr<const backend::PackedWeights>> weights(calls.size());
  {
    std::lock_guard lock(mutex_);
    made->generation = generation_;
    for (std::size_t i = 0; i < calls.size(); ++i) {
      weights[i] = calls[i].weights;
      made->plain.push_back(calls[i].plain);
    }
  }
  made->of.resize(calls.size());
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (!calls[i].primitive || (calls[i].comes_and_goes && !weights[i] && !made->plain[i].data)) continue;
    JITNEY_TRY(made->of[i], target.backend->invocation(target.device, calls[i].primitive, std::move(weights[i])));
  }
  return made;
}

void CallSet::give_back(std::unique_ptr<Invocations> invocations) const {
  std::lock_guard lock(mutex_);
  if (invocations->generation == generation_) idle_.push_back(std::move(invocations));
}

void CallSet::hold(std::size_t call, const PlannedCall& with, std::size_t step, const WeightBudget& budget) const {
  std::vector<std::unique_ptr<Invocations>> gone;
  std::lock_guard lock(mutex_);
  if (!budget.stays(step)) return;
  calls[call].weights = with.weights;
  calls[call].plain = with.plain;
  gone.swap(idle_);
  ++generation_;
}

void CallSet::drop(std::span<const PlannedStep> steps, const WeightBudget& budget) const {
  std::vector<std::unique_ptr<Invocations>> gone;
  std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (!calls[i].comes_and_goes || budget.stays(static_cast<std::size_t>(steps[i].step))) continue;
    calls[i].weights = nullptr;
    calls[i].plain = {};
  }
  gone.swap(idle_);
  ++generation_;
}

CallPlanner::CallPlanner(std::shared_ptr<const Program> program, Target target,
                         std::shared_ptr<backend::PlanServices> services, std::shared_ptr<const WeightBudget> budget)
    : program_(std::move(program)),
      target_(std::move(target)),
      services_(std::move(services)),
      budget_(std::move(budget)),
      packed_(program_->steps.size()) {
  has_convolutions_ = std::ranges::any_of(program_->steps, [](const Step& step) {
    return step.is_call && std::ranges::any_of(step.node->graph("body").nodes, [](const ir::Node& node) {
             return node.op == ir::Op::conv || node.op == ir::Op::conv_transpose;
           });
  });
}

std::vector<CallPlanner::Ahead> CallPlanner::side_by_side(const Plan& plan, const Constants& constants,
                                                          backend::StreamHandle stream, backend::Haste haste,
                                                          const std::stop_token& stop) {
  std::vector<const PlannedStep*> steps;
  for (const PlannedStep& p : plan.steps)
    if (program_->steps[static_cast<std::size_t>(p.step)].is_call && p.points != 0) steps.push_back(&p);
  std::vector<Ahead> ahead(steps.size());
  // Equal calls, of which models have one a layer, are planned once.
  std::vector<std::size_t> distinct, first(steps.size());
  for (std::size_t n = 0; n < steps.size(); ++n) {
    auto call = describe(plan.symbols, *steps[n], ahead[n].planned);
    if (!call) continue;
    ahead[n].call = std::move(*call);
    const auto same = std::ranges::find_if(distinct, [&](std::size_t d) { return ahead[d].call == ahead[n].call; });
    first[n] = same == distinct.end() ? distinct.emplace_back(n) : *same;
  }
  // What is timed must have the device for itself; and libraries that load kernels would wait for copies.
  const bool times = services_ != nullptr && services_->times_tactics();
  const std::size_t most = haste != backend::Haste::ahead
                               ? std::min(static_cast<std::size_t>(usable_cores()), kMostPlanners)
                               : std::size_t{1};  // nobody waits
  for_each_side_by_side(distinct.size(), times ? 1 : most, [&](std::size_t i) {
    Ahead& one = ahead[distinct[i]];
    const auto plan_it = [&] {
      return target_.backend->plan(target_.device, *one.call,
                                   {.stream = stream, .services = services_.get(), .haste = haste});
    };
    auto made = haste == backend::Haste::ahead ? Pace::of_process().run(stop, plan_it) : plan_it();
    if (made) one.primitive = std::move(*made);
  });
  for (std::size_t n = 0; n < steps.size(); ++n)
    if (ahead[n].call) ahead[n].primitive = ahead[first[n]].primitive;
  for_each_side_by_side(steps.size(), most, [&](std::size_t n) { prepare_weights(ahead[n], *steps[n], constants); });
  return ahead;
}

Expected<std::shared_ptr<const CallSet>> CallPlanner::plan(const Plan& plan, Constants& constants,
                                                           backend::StreamHandle stream, backend::Haste haste,
                                                           const std::stop_token& stop) {
  // A device's libraries take tens of milliseconds a call, and weights their way; what was made is shared while held.
  std::vector<Ahead> held;
  // At once there is less to do than helpers take to start, but for convolutions.
  if (!target_.info.host_memory && (haste != backend::Haste::at_once || has_convolutions_))
    held = side_by_side(plan, constants, stream, haste, stop);
  auto set = std::make_shared<CallSet>();
  set->calls.resize(plan.steps.size());
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = program_->steps[static_cast<std::size_t>(plan.steps[i].step)];
    if (!step.is_call || plan.steps[i].points == 0) continue;
    auto planned = plan_step(plan, plan.steps[i], constants, stream, haste, set->calls[i]);
    // Weights that cannot be had now may be there the next time.
    if (!planned && set->calls[i].primitive) return tl::unexpected(planned.error());
    if (!planned) {
      set->calls[i] = {};
      warn_once("library call " + step.node->name,
                fmt::format("'{}' runs in the reference interpreter, which is right but slow: {}", step.node->name,
                            planned.error().message));
      continue;
    }
    set->scratch_bytes = std::max(set->scratch_bytes, set->calls[i].primitive->scratch_bytes());
    set->is_provisional = set->is_provisional || set->calls[i].primitive->is_provisional();
  }
  return std::shared_ptr<const CallSet>(std::move(set));
}

void CallPlanner::rehearse(const Plan& plan, backend::StreamHandle stream, bool with_services,
                           const std::stop_token& stop) {
  std::vector<LibraryCall> done;
  for (const auto& [name, value] : plan.symbols) {
    const auto range = program_->graph.symbols.find(name);
    if (range == program_->graph.symbols.end()) continue;
    std::vector<std::int64_t> extents;
    for (std::int64_t e = 1; e <= kMostRehearsed; e *= 2)
      if (e >= range->second.min && e <= range->second.max && e != value) extents.push_back(e);
    // Those like the first one are the likeliest.
    std::ranges::stable_sort(extents, {}, [&](std::int64_t e) {
      return std::abs(std::log2(static_cast<double>(e) / static_cast<double>(std::max<std::int64_t>(value, 1))));
    });
    for (const std::int64_t extent : extents) {
      ir::SymbolValues symbols = plan.symbols;
      symbols[name] = extent;
      for (const PlannedStep& p : plan.steps) {
        if (!program_->steps[static_cast<std::size_t>(p.step)].is_call || p.points == 0) continue;
        PlannedCall unused;
        auto call = describe(symbols, p, unused);
        if (!call || std::ranges::find(done, *call) != done.end()) continue;
        if (stop.stop_requested()) return;
        Pace::of_process().run(stop, [&] {
          if (stop.stop_requested()) return 0;
          target_.backend->rehearse(target_.device, *call,
                                    {.stream = stream,
                                     .services = with_services ? services_.get() : nullptr,
                                     .haste = backend::Haste::ahead});
          return 0;
        });
        done.push_back(std::move(*call));
      }
    }
  }
}

namespace {

/// Views count an extent of 1 as stride 0; libraries want strides as if it were larger.
void give_ones_strides(const std::vector<std::int64_t>& shape, std::vector<std::int64_t>& strides) {
  for (std::size_t d = shape.size(); d-- > 0;)
    if (shape[d] == 1)
      strides[d] = d + 1 == shape.size() ? 1 : std::max<std::int64_t>(strides[d + 1] * shape[d + 1], 1);
}

/// What packings of equal bytes are told apart by.
std::string packing_of(const TensorDesc& w, std::size_t offset) {
  return fmt::format("{} {} [{}] [{}]", offset, to_string(w.dtype), fmt::join(w.shape, ","), fmt::join(w.strides, ","));
}

/// The call's constant operand, and where it is among the region's inputs (input 1, always).
TensorDesc* packed_operand(LibraryCall& call) {
  if (auto* m = std::get_if<backend::MatMulCall>(&call)) return m->constant_b ? &m->b : nullptr;
  if (auto* c = std::get_if<backend::ConvolutionCall>(&call)) return c->constant_w ? &c->w : nullptr;
  return nullptr;
}

}  // namespace

Expected<LibraryCall> CallPlanner::describe(const ir::SymbolValues& symbols, const PlannedStep& p,
                                            PlannedCall& planned) const {
  const ir::Graph& g = program_->graph;
  const Step& step = program_->steps[static_cast<std::size_t>(p.step)];
  const ir::Graph& body = step.node->graph("body");
  std::vector<passes::CallOperand> operands(step.node->inputs.size());
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const auto& value = g.value(step.node->inputs[i]);
    const auto& view = program_->views[static_cast<std::size_t>(step.node->inputs[i])];
    JITNEY_TRY(operands[i].strides, ir::evaluate(view.strides, symbols));
    JITNEY_TRY(auto shape, ir::evaluate(value.shape, symbols));
    JITNEY_TRY(auto offset, view.offset.evaluate(symbols));
    give_ones_strides(shape, operands[i].strides);
    operands[i].is_constant = g.is_constant(view.root);
    planned.offsets.push_back(static_cast<std::size_t>(offset) * size_of(value.dtype));
  }
  planned.offsets.resize(step.roots.size(), 0);
  Status evaluated;
  auto call = passes::describe_call(body, operands, [&](const ir::Dim& d) {
    auto v = d.evaluate(symbols);
    if (!v) evaluated = tl::unexpected(v.error());
    return v.value_or(-1);
  });
  JITNEY_CHECK(evaluated);
  if (!call) return internal_error("'{}' is no library call for these shapes", step.node->name);
  return std::move(*call);
}

void CallPlanner::prepare_weights(Ahead& ahead, const PlannedStep& p, const Constants& constants) {
  if (!ahead.primitive) return;
  const Step& step = program_->steps[static_cast<std::size_t>(p.step)];
  const TensorDesc* w = packed_operand(*ahead.call);
  if (w == nullptr) return;
  const auto root = program_->views[static_cast<std::size_t>(step.node->inputs[1])].root;
  if (constants.at(root) != nullptr || !stays(static_cast<std::size_t>(p.step))) return;
  {
    const std::lock_guard lock(mutex_);
    if (packed_[static_cast<std::size_t>(p.step)]) return;  // for another shape, and that one will do
  }
  auto weights = constants.hold(root);
  if (!weights || weights->data == nullptr) return;
  ahead.weights = std::move(*weights);
  const auto digest = content_digest(*program_->graph.value(root).constant);
  if (!digest) return;
  const std::string content = *digest + " " + packing_of(*w, ahead.planned.offsets[1]);
  backend::WeightsSource source{.content = content};
  source.plain = static_cast<const char*>(ahead.weights.data) + ahead.planned.offsets[1];
  if (auto packed = target_.backend->pack(target_.device, *ahead.primitive, source)) ahead.packed = std::move(*packed);
}

Status CallPlanner::pack(const PlannedStep& p, Constants& constants, PlannedCall& planned) {
  const Step& step = program_->steps[static_cast<std::size_t>(p.step)];
  auto& preferred = packed_[static_cast<std::size_t>(p.step)];
  auto& b = *target_.backend;
  const auto root = program_->views[static_cast<std::size_t>(step.node->inputs[1])].root;
  const Tensor& constant = *program_->graph.value(root).constant;
  const auto source_of = [&](const std::string& digest) { return digest + " " + planned.packing; };
  const void* plain = constants.at(root);
  if (plain == nullptr && preferred) {
    // What was packed for another shape serves this one, mostly, and the original need not come back.
    JITNEY_TRY(const std::string digest, content_digest(constant));
    const std::string content = source_of(digest);
    backend::WeightsSource source{.content = content};
    source.packed = preferred.get();
    auto packed = b.pack(target_.device, *planned.primitive, source);
    if (packed) planned.weights = std::move(*packed);
  }
  if (!planned.weights) {
    Constants::Held held;  // first of all, so that digest and packing need one reading
    if (plain == nullptr) {
      JITNEY_TRY(held, constants.hold(root));
      plain = held.data;
    }
    JITNEY_TRY(const std::string digest, content_digest(constant));
    const std::string content = source_of(digest);
    backend::WeightsSource source{.content = content};
    source.plain = static_cast<const char*>(plain) + planned.offsets[1];
    JITNEY_TRY(planned.weights, b.pack(target_.device, *planned.primitive, source));
    if (!planned.weights && held.data != nullptr) {
      if (planned.comes_and_goes)
        planned.plain = std::move(held);
      else
        constants.keep(root, std::move(held));
    }
  }
  if (!preferred && stays(static_cast<std::size_t>(p.step))) preferred = planned.weights;
  return {};
}

Status CallPlanner::bring_weights(const PlannedStep& p, Constants& constants, PlannedCall& call) {
  const std::lock_guard lock(mutex_);
  return pack(p, constants, call);
}

void CallPlanner::drop() {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < packed_.size(); ++i)
    if (!stays(i)) packed_[i] = nullptr;
}

Status CallPlanner::plan_step(const Plan& plan, const PlannedStep& p, Constants& constants,
                              backend::StreamHandle stream, backend::Haste haste, PlannedCall& planned) {
  const Step& step = program_->steps[static_cast<std::size_t>(p.step)];
  JITNEY_TRY(LibraryCall call, describe(plan.symbols, p, planned));
  std::lock_guard lock(mutex_);
  auto& preferred = packed_[static_cast<std::size_t>(p.step)];
  auto& b = *target_.backend;
  JITNEY_TRY(planned.primitive,
             b.plan(target_.device, call,
                    {.stream = stream, .weights = preferred.get(), .services = services_.get(), .haste = haste}));
  planned.operations = passes::operation_count(call);
  if (const TensorDesc* w = packed_operand(call)) {
    const auto root = program_->views[static_cast<std::size_t>(step.node->inputs[1])].root;
    // Then there is nothing to look for by the weights' digest.
    if (constants.at(root) != nullptr && planned.primitive->reads_plain_weights()) return {};
    planned.packing = packing_of(*w, planned.offsets[1]);
    planned.comes_and_goes = budget_ && budget_->total() > 0 && constants.at(root) == nullptr;
    if (!planned.comes_and_goes || stays(static_cast<std::size_t>(p.step))) JITNEY_CHECK(pack(p, constants, planned));
  }
  log_debug("'{}' is done by {}", step.node->name, planned.primitive->implementation());
  return {};
}

}  // namespace jitney::runtime
