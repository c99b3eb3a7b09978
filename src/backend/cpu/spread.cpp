// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/spread.h"

#include <sched.h>

#include <bit>
#include <chrono>
#include <type_traits>

#include "backend/cpu/static_tls.h"

namespace jitney::backend {
namespace {

/// As long as schedulers may take to balance loads, twice.
constexpr std::int64_t kWatchful = std::chrono::nanoseconds(std::chrono::milliseconds(100)).count();
/// An empty region takes some microseconds.
constexpr std::int64_t kLook = std::chrono::nanoseconds(std::chrono::milliseconds(2)).count();
constexpr int kMost = 64;  ///< processors: a word of them

constinit thread_local Watch watch JITNEY_STATIC_TLS;
static_assert(std::is_trivially_destructible_v<Watch>);
thread_local std::uint64_t allowed_before JITNEY_STATIC_TLS = 0;  ///< 0: this thread is not bound

std::int64_t now() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

/// The processors that the calling thread may use; 0 where a word cannot say it.
std::uint64_t affinity() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return 0;
  std::uint64_t word = 0;
  for (int i = 0; i < kMost; ++i) word |= std::uint64_t{CPU_ISSET(i, &set) != 0} << i;
  return CPU_COUNT(&set) == std::popcount(word) ? word : 0;
}

bool set_affinity(std::uint64_t word) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int i = 0; i < kMost; ++i)
    if ((word >> i & 1) != 0) CPU_SET(i, &set);
  return sched_setaffinity(0, sizeof(set), &set) == 0;
}

/// Number `index` of the processors in `word`, counted from `first`, round and round.
int processor(std::uint64_t word, int first, int index) {
  for (int at = first;; at = (at + 1) % kMost)
    if ((word >> at & 1) != 0 && index-- == 0) return at;
}

void leave_place() {
  if (allowed_before == 0) return;
  set_affinity(allowed_before);
  allowed_before = 0;
}

}  // namespace

Watch& Watch::mine() noexcept { return watch; }

void Watch::begin(int team) noexcept {
  leave_place();  // an execute that an error ended
  // Affinities hardly ever change; asking is a system call.
  constexpr unsigned kOften = 256;
  if (team != team_ || executes_++ % kOften == 0) may_bind_ = team > 1 && team == std::popcount(affinity());
  team_ = team;
  is_on_ = may_bind_;
  if (bind_until_ != 0 && now() > bind_until_) bind_until_ = 0;
  binds_ = bind_until_ != 0;
  is_bound_ = false;
}

bool Watch::end() noexcept {
  is_on_ = false;
  return is_bound_;
}

void Watch::enter_region() noexcept {
  // Looked up before anybody is woken, who may take the caller's place at once.
  if (!is_bound_) callers_.store(sched_getcpu(), std::memory_order_relaxed);
}

void Watch::settle(int index) noexcept {
  const int callers = callers_.load(std::memory_order_relaxed);
  const bool meets = !binds_ && sched_getcpu() == callers;
  if (meets) have_met_.store(true, std::memory_order_relaxed);
  if (meets || binds_) bind(index);
}

void Watch::leave_region() noexcept {
  if (is_bound_) return;
  if (have_met_.exchange(false, std::memory_order_relaxed)) {
    binds_ = true;
    bind_until_ = now() + kWatchful;
  }
  if (!binds_) return;
  is_bound_ = true;
  allowed_ = bind(0) ? allowed_before : 0;
}

bool Watch::bind(int index) noexcept {
  if (allowed_before != 0) return true;
  const int callers = callers_.load(std::memory_order_relaxed);
  std::uint64_t allowed = affinity();
  if (callers < 0 || callers >= kMost || (allowed >> callers & 1) == 0) return false;
  // A thread that the runtime made while the caller was bound has its place.
  if (is_bound_ && index != 0 && allowed == std::uint64_t{1} << callers && allowed_ != 0) allowed = allowed_;
  // With processors to spare it is better to leave the choice to those who know which of them are one core.
  if (team_ != std::popcount(allowed)) return false;
  if (!set_affinity(std::uint64_t{1} << processor(allowed, callers, index))) return false;
  allowed_before = allowed;
  return true;
}

void Watch::release() const noexcept {
  if (allowed_before != 0) return leave_place();
  // Made while the caller was bound, and not seen since.
  const int callers = callers_.load(std::memory_order_relaxed);
  if (allowed_ != 0 && callers >= 0 && affinity() == std::uint64_t{1} << callers) set_affinity(allowed_);
}

bool Watch::wants_region() noexcept {
  if (!is_on_ || is_bound_) return false;
  const std::int64_t time = now();
  if (time < next_look_) return false;
  next_look_ = time + kLook;
  return true;
}

}  // namespace jitney::backend
