// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "jitney/torch/hand_over.h"

#include <map>
#include <mutex>

namespace jitney::torch_runtime {
namespace {

std::mutex mutex;
std::int64_t next = 1;

std::map<std::int64_t, c10::intrusive_ptr<Engine>>& waiting() {
  // Never destroyed: an engine that nobody took outlives what it would need for its end.
  static auto& engines = *new std::map<std::int64_t, c10::intrusive_ptr<Engine>>;
  return engines;
}

}  // namespace

std::int64_t hand_over(const c10::intrusive_ptr<Engine>& engine) {
  const std::lock_guard lock(mutex);
  waiting().emplace(next, engine);
  return next++;
}

c10::intrusive_ptr<Engine> take_over(std::int64_t number) {
  const std::lock_guard lock(mutex);
  const auto found = waiting().extract(number);
  return found.empty() ? c10::intrusive_ptr<Engine>() : found.mapped();
}

}  // namespace jitney::torch_runtime
