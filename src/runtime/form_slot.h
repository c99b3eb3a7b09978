// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>

namespace jitney::runtime {

class Forms;

/// The place in a plan where its specialized kernels appear. Thread-safe. A run takes what is there when it starts and
/// keeps it until it ends; what appears or is dropped meanwhile does not concern it.
class FormSlot {
 public:
  enum class State : std::uint8_t {
    none,     ///< nobody asked for them
    waiting,  ///< asked for
    making,
    ready,
    failed,  ///< they cannot be had, and are not asked for again
  };

  friend std::string_view to_string(State state) {
    constexpr std::string_view kNames[] = {"none", "waiting", "making", "ready", "failed"};
    return kNames[static_cast<std::size_t>(state)];
  }

  State state() const { return state_.load(std::memory_order_acquire); }
  /// What is there; null before. A plan without specialized kernels pays one load.
  std::shared_ptr<const Forms> get() const {
    if (state() != State::ready) return nullptr;
    const std::lock_guard lock(mutex_);
    return forms_;
  }
  /// Whether it was in `from` and now is in `to`: of several threads one succeeds. Not to or from ready.
  bool move(State from, State to) { return state_.compare_exchange_strong(from, to, std::memory_order_acq_rel); }
  void put(std::shared_ptr<const Forms> forms) {
    {
      const std::lock_guard lock(mutex_);
      forms_ = std::move(forms);
    }
    unused_.store(true, std::memory_order_relaxed);
    state_.store(State::ready, std::memory_order_release);
  }
  /// True once for what was put last: for whoever uses it first.
  bool is_first_use() const {
    return unused_.load(std::memory_order_relaxed) && unused_.exchange(false, std::memory_order_relaxed);
  }
  /// Back to none. Runs that hold them are not disturbed.
  std::shared_ptr<const Forms> drop() {
    const std::lock_guard lock(mutex_);
    if (!forms_) return nullptr;
    state_.store(State::none, std::memory_order_release);
    return std::move(forms_);
  }

 private:
  std::atomic<State> state_{State::none};
  mutable std::atomic<bool> unused_{false};
  mutable std::mutex mutex_;
  std::shared_ptr<const Forms> forms_;
};

}  // namespace jitney::runtime
