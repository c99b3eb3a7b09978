// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/constants.h"

#include <atomic>
#include <map>
#include <mutex>

#include "passes/call.h"
#include "util/reloadable.h"

namespace jitney::runtime {

Expected<void*> allocate_for(const char* what, const Target& target, std::size_t bytes, backend::StreamHandle stream) {
  auto memory = target.backend->allocate(target.device, bytes, stream);
  if (!memory && memory.error().kind == ErrorKind::environment)
    memory.error().message += fmt::format("; {} bytes were wanted for {}", bytes, what);
  return memory;
}

namespace {

/// One constant's copy on a device.
class Uploaded {
 public:
  Uploaded(Target target, void* memory, std::size_t bytes)
      : target_(std::move(target)), memory_(memory), bytes_(bytes) {}
  // Whoever used it has waited for its last use.
  ~Uploaded() { target_.backend->free(target_.device, memory_, bytes_, 0); }
  Uploaded(const Uploaded&) = delete;
  Uploaded& operator=(const Uploaded&) = delete;
  const void* data() const { return memory_; }

 private:
  const Target target_;
  void* const memory_;
  const std::size_t bytes_;
};

/// All of this process, by content. Never destroyed: contexts in static storage may outlive it.
struct Table {
  std::mutex mutex;
  std::map<std::string, std::weak_ptr<const Uploaded>> uploaded;
};
Table& table() {
  static auto* t = new Table;
  return *t;
}

Expected<std::shared_ptr<const Uploaded>> upload(const Target& target, const Tensor& constant) {
  auto& b = *target.backend;
  JITNEY_TRY(const std::string digest, content_digest(constant));
  const std::string key = fmt::format("{} {} {} {}", b.name(), target.device, constant.num_bytes(), digest);
  Table& t = table();
  // Held while copying, so that two contexts that start together do not both copy.
  const std::lock_guard lock(t.mutex);
  std::erase_if(t.uploaded, [](const auto& entry) { return entry.second.expired(); });
  if (const auto found = t.uploaded.find(key); found != t.uploaded.end())
    if (auto known = found->second.lock()) return known;
  JITNEY_TRY(const Tensor host, resident(constant));
  JITNEY_TRY(void* memory, allocate_for("a constant of the model", target, host.num_bytes(), 0));
  auto made = std::make_shared<const Uploaded>(target, memory, host.num_bytes());
  JITNEY_CHECK(b.copy(target.device, memory, host.data(), host.num_bytes(), backend::CopyKind::host_to_device, 0));
  JITNEY_CHECK(b.synchronize(target.device, 0));
  t.uploaded[key] = made;
  return made;
}

}  // namespace

std::vector<bool> plainly_read_constants(const Program& program) {
  std::vector<bool> result(program.graph.values.size(), false);
  for (const Step& step : program.steps) {
    const bool packs = step.is_call && passes::packs_second_operand(step.node->graph("body"));
    for (std::size_t i = 0; i < step.roots.size(); ++i)
      if (!(packs && i == 1)) result[static_cast<std::size_t>(step.roots[i])] = true;
  }
  for (const ir::ValueId out : program.graph.outputs)
    result[static_cast<std::size_t>(program.views[static_cast<std::size_t>(out)].root)] = true;
  return result;
}

Constants::Constants(std::shared_ptr<const Program> program, Target target)
    : program_(std::move(program)),
      target_(std::move(target)),
      addresses_(program_->graph.values.size(), nullptr),
      held_(addresses_.size()) {}

Status Constants::load() {
  const std::vector<bool> is_read_plainly = plainly_read_constants(*program_);
  for (std::size_t i = 0; i < addresses_.size(); ++i) {
    const auto id = static_cast<ir::ValueId>(i);
    if (!program_->graph.values[i].constant || !is_read_plainly[i]) continue;
    JITNEY_TRY(auto held, hold(id));
    keep(id, std::move(held));
  }
  return {};
}

void* Constants::at(ir::ValueId value) const {
  // Only a plan that waited for the call that kept a constant uses it; others may look.
  return std::atomic_ref(const_cast<void*&>(addresses_[static_cast<std::size_t>(value)]))
      .load(std::memory_order_relaxed);
}

Expected<Constants::Held> Constants::hold(ir::ValueId value) {
  const Tensor& constant = *program_->graph.value(value).constant;
  if (target_.info.host_memory) {
    JITNEY_TRY(Tensor t, resident(constant));
    auto owner = std::make_shared<const Tensor>(std::move(t));
    return Held{owner->data(), owner};
  }
  if (constant.num_bytes() == 0) return Held{};
  JITNEY_TRY(auto uploaded, upload(target_, constant));
  return Held{uploaded->data(), uploaded};
}

void Constants::keep(ir::ValueId value, Held held) {
  const auto i = static_cast<std::size_t>(value);
  held_[i] = std::move(held);
  std::atomic_ref(addresses_[i])
      .store(const_cast<void*>(held_[i].data),
             std::memory_order_relaxed);  // kernels only read operands that are inputs
}

}  // namespace jitney::runtime
