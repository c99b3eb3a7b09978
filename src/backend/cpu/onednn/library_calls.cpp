// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/library_calls.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <unordered_map>

#include "backend/cpu/onednn/call_key.h"
#include "backend/cpu/onednn/fork_gate.h"
#include "backend/cpu/onednn/invocation.h"
#include "backend/cpu/onednn/validate.h"
#include "backend/cpu/team.h"

namespace jitney::backend {

using onednn::library;
using onednn::Packed;
using onednn::PlannedPrimitive;

struct LibraryCalls::Tables {
  HostMemory& memory;
  onednn::PackedTable packed;
  std::atomic<bool> is_used = false;
  std::mutex mutex;
  /// By call and threads: what is planned, each with another layout of weights. Holds nothing alive.
  std::unordered_map<std::string, std::vector<std::weak_ptr<const PlannedPrimitive>>> primitives;
  std::size_t sweep_at = 64;

  explicit Tables(HostMemory& m) : memory(m) {}

  /// One that is there already; with weights in the layout of `wanted` if that is given.
  std::shared_ptr<const PlannedPrimitive> find(const std::string& key, const_dnnl_memory_desc_t wanted) {
    const std::lock_guard lock(mutex);
    const auto at = primitives.find(key);
    if (at == primitives.end()) return nullptr;
    for (const auto& weak : at->second) {
      auto p = weak.lock();
      if (p && (wanted == nullptr || p->weights() == nullptr || is_layout(*p, wanted))) return p;
    }
    return nullptr;
  }

  /// Adds a primitive, unless another thread was faster: then gives that one.
  std::shared_ptr<const PlannedPrimitive> add(const std::string& key, std::shared_ptr<const PlannedPrimitive> made) {
    if (auto other = find(key, made->weights())) return other;
    const std::lock_guard lock(mutex);
    if (primitives.size() >= sweep_at) sweep();
    auto& list = primitives[key];
    std::erase_if(list, [](const auto& weak) { return weak.expired(); });
    list.push_back(made);
    return made;
  }

 private:
  static bool is_layout(const PlannedPrimitive& p, const_dnnl_memory_desc_t wanted) {
    return onednn::api().memory_desc_equal(p.weights(), wanted) != 0;
  }

  void sweep() {
    std::erase_if(primitives, [](const auto& entry) {
      return std::ranges::all_of(entry.second, [](const auto& weak) { return weak.expired(); });
    });
    sweep_at = std::max<std::size_t>(64, 2 * primitives.size());
  }
};

LibraryCalls::LibraryCalls(HostMemory& memory) : tables_(std::make_unique<Tables>(memory)) {}
LibraryCalls::~LibraryCalls() = default;

bool LibraryCalls::offers(const LibraryCall& call) const {
  return library() && onednn::validate(call, library()->isa).has_value();
}

bool LibraryCalls::is_used() const { return tables_->is_used.load(std::memory_order_relaxed); }

Expected<std::shared_ptr<const Primitive>> LibraryCalls::plan(const LibraryCall& call, int threads,
                                                              const PackedWeights* preferred) {
  if (!library()) return environment_error("the 'cpu' backend has no library: {}", library().error().message);
  const onednn::ForkGate gate;
  tables_->is_used.store(true, std::memory_order_relaxed);
  const int team = team_size(threads);
  const auto* packed = static_cast<const Packed*>(preferred);
  const std::string key = std::to_string(team) + " " + onednn::call_key(call);
  if (auto found = tables_->find(key, packed == nullptr ? nullptr : packed->desc())) return found;
  JITNEY_TRY(auto made, PlannedPrimitive::plan(call, team, packed));
  return tables_->add(key, std::move(made));
}

Expected<std::shared_ptr<const PackedWeights>> LibraryCalls::pack(const Primitive& primitive,
                                                                  const WeightsSource& source) {
  const auto& planned = static_cast<const PlannedPrimitive&>(primitive);
  if (planned.weights() == nullptr) return nullptr;
  const auto* from_packed = static_cast<const Packed*>(source.packed);
  if ((from_packed != nullptr) == (source.plain != nullptr)) {
    return internal_error("weights to pack come from exactly one place");
  }
  const onednn::ForkGate gate;
  const TeamScope scope(team_size(planned.threads()));
  const auto& recipe = planned.recipe();
  return tables_->packed.get(tables_->memory, source.content, from_packed ? from_packed->data() : source.plain,
                             from_packed ? from_packed->desc() : recipe.desc(recipe.weights), planned.weights());
}

Expected<std::unique_ptr<Invocation>> LibraryCalls::invocation(std::shared_ptr<const Primitive> primitive,
                                                               std::shared_ptr<const PackedWeights> weights) {
  if (!primitive) return internal_error("an invocation of no primitive");
  return onednn::PlannedInvocation::make(std::static_pointer_cast<const PlannedPrimitive>(std::move(primitive)),
                                         std::static_pointer_cast<const Packed>(std::move(weights)));
}

Status LibraryCalls::run(Invocation& invocation, std::span<void* const> pointers, void* scratch) {
  return static_cast<onednn::PlannedInvocation&>(invocation).run(pointers, scratch);
}

std::string LibraryCalls::diagnose() {
  const auto& found = library();
  if (!found) return "library calls: none; " + found.error().message;
  return fmt::format("library calls: oneDNN {} from {}", found->version, found->file);
}

}  // namespace jitney::backend
