// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/onednn/invocation.h"

#include <algorithm>
#include <cstring>

#include "backend/cpu/onednn/fork_gate.h"
#include "backend/cpu/parallel_for.h"
#include "backend/cpu/team.h"

namespace jitney::backend::onednn {
namespace {

constexpr std::size_t kAlignment = 64;

struct CopyJob {
  char* to;
  const char* from;
};

void copy(int threads, void* to, const void* from, std::size_t bytes) {
  constexpr std::int64_t kWorthAThread = 1 << 16;
  CopyJob job{static_cast<char*>(to), static_cast<const char*>(from)};
  parallel_for(
      threads, 0, static_cast<std::int64_t>(bytes), kWorthAThread,
      [](void* context, std::int64_t begin, std::int64_t end) {
        const auto& j = *static_cast<const CopyJob*>(context);
        std::memcpy(j.to + begin, j.from + begin, static_cast<std::size_t>(end - begin));
      },
      &job);
}

Status prepare(std::unique_ptr<Bound>& bound, const Steps& steps) {
  if (bound) return {};
  const ForkGate gate;
  JITNEY_CHECK(steps.compile());
  JITNEY_TRY(bound, Bound::make(steps));
  return {};
}

}  // namespace

Expected<std::unique_ptr<Bound>> Bound::make(const Steps& steps) {
  auto bound = std::make_unique<Bound>();
  for (const auto& step : steps.list) {
    Run run{step.compiled.get(), {}};
    for (const auto& b : step.bindings) {
      dnnl_memory_t raw = nullptr;
      JITNEY_CHECK(check(api().memory_create(&raw, b.desc.get(), engine(), DNNL_MEMORY_NONE), "memory object"));
      bound->slots_.push_back({Memory(raw), b.operand, b.offset, nullptr});
      run.arguments.push_back({b.argument, raw});
    }
    bound->runs_.push_back(std::move(run));
  }
  return bound;
}

template <class Address>
void Bound::bind(const Address& address, char* scratch) {
  for (auto& slot : slots_) {
    void* wanted = slot.operand < 0 ? scratch + slot.offset : address(slot.operand);
    if (wanted == slot.bound) continue;
    api().memory_set_data_handle(slot.memory.get(), wanted);
    slot.bound = wanted;
  }
}

Status Bound::execute(dnnl_stream_t stream) const {
  for (const auto& run : runs_) {
    const auto status =
        api().primitive_execute(run.primitive, stream, static_cast<int>(run.arguments.size()), run.arguments.data());
    if (status != dnnl_success) return check(status, "primitive to run");
  }
  return {};
}

Expected<std::unique_ptr<PlannedInvocation>> PlannedInvocation::make(std::shared_ptr<const PlannedPrimitive> primitive,
                                                                     std::shared_ptr<const Packed> weights) {
  auto result = std::make_unique<PlannedInvocation>();
  const auto* layout = primitive->weights();
  if ((layout != nullptr) != (weights != nullptr)) {
    return internal_error("a library call got {} packed weights", layout != nullptr ? "no" : "unasked-for");
  }
  if (layout != nullptr && api().memory_desc_equal(layout, weights->desc()) == 0) {
    return internal_error("a library call got weights that were packed for another one");
  }
  result->primitive_ = std::move(primitive);
  result->weights_ = std::move(weights);
  const Program* team = result->primitive_->team();
  if (team == nullptr) return result;
  dnnl_stream_t raw = nullptr;
  JITNEY_CHECK(check(api().stream_create(&raw, engine(), dnnl_stream_default_flags), "stream"));
  result->stream_.reset(raw);
  if (team->apart && team->in_place) return result;
  if (team->apart) JITNEY_CHECK(prepare(result->team_.apart, *team->apart));
  if (team->in_place) JITNEY_CHECK(prepare(result->team_.in_place, *team->in_place));
  return result;
}

Status PlannedInvocation::run(std::span<void* const> pointers, void* scratch) {
  const Program* team = primitive_->team();
  if (team == nullptr) return {};
  if (pointers.size() != primitive_->recipe().operands.size()) {
    return internal_error("a {} with {} operands was run with {}", primitive_->recipe().name,
                          primitive_->recipe().operands.size(), pointers.size());
  }
  const int threads = primitive_->threads();
  if (threads == 1 || team_size(threads) == threads) {
    return run(*team, team_, threads, pointers, static_cast<char*>(scratch));
  }
  JITNEY_TRY(const Program* alone, primitive_->alone());
  char* room = static_cast<char*>(scratch);
  if (alone->scratch_bytes > team->scratch_bytes) {
    own_scratch_.resize(alone->scratch_bytes + kAlignment);
    room = own_scratch_.data() + (kAlignment - reinterpret_cast<std::uintptr_t>(own_scratch_.data()) % kAlignment);
  }
  return run(*alone, alone_, 1, pointers, room);
}

Status PlannedInvocation::run(const Program& program, Ways& ways, int threads, std::span<void* const> pointers,
                              char* scratch) {
  const Recipe& r = primitive_->recipe();
  void* const y = pointers.back();
  const auto pointer = [&](int operand) { return pointers[static_cast<std::size_t>(operand)]; };
  const bool adds_in_place = program.in_place && pointer(r.sum_operand) == y;
  const bool takes_in_place = adds_in_place || !program.apart;
  // What else lies in the output's place is saved before it is written over.
  bool is_saved = false;
  for (const int operand : r.like_output) {
    if (pointer(operand) != y || (adds_in_place && operand == r.sum_operand)) continue;
    is_saved = true;
  }
  if (is_saved) copy(threads, scratch + program.copy_offset, y, program.copy_bytes);
  if (takes_in_place && !adds_in_place) {
    const auto bytes = api().memory_desc_get_size(r.desc(r.output()));
    copy(threads, y, pointer(r.sum_operand), bytes);
  }
  const auto address = [&](int operand) -> void* {
    if (operand == r.weights && weights_) return weights_->data();
    const bool is_moved =
        is_saved && pointer(operand) == y && std::ranges::find(r.like_output, operand) != r.like_output.end();
    return is_moved ? scratch + program.copy_offset : pointer(operand);
  };
  const TeamScope scope(threads);
  auto& bound = takes_in_place ? ways.in_place : ways.apart;
  if (!bound) JITNEY_CHECK(prepare(bound, takes_in_place ? *program.in_place : *program.apart));
  bound->bind(address, scratch);
  return bound->execute(stream_.get());
}

}  // namespace jitney::backend::onednn
