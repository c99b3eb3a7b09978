// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/team.h"

#include <algorithm>

#include "backend/cpu/denormals.h"
#include "backend/cpu/parallel_for.h"
#include "backend/cpu/static_tls.h"

#ifndef JITNEY_TSAN
// Of libgomp, as in parallel_for.cpp.
extern "C" {
int omp_get_max_threads();
void omp_set_num_threads(int threads);
int omp_get_dynamic();
void omp_set_dynamic(int dynamic);
int omp_get_thread_limit();
int omp_get_max_active_levels();
}
#endif

namespace jitney::backend {

#ifdef JITNEY_TSAN

// Those builds use no library, and each of their launches sets the mode of its own threads.
int team_size(int) { return 1; }
TeamScope::TeamScope(int) {}
TeamScope::~TeamScope() = default;
std::uintptr_t enter_team(int, bool) { return 0; }
void leave_team(std::uintptr_t) noexcept {}

#else

namespace {

/// The mode that a thread had before enter_team().
thread_local FlushDenormals::Mode saved_mode JITNEY_STATIC_TLS;
thread_local bool has_saved_mode JITNEY_STATIC_TLS = false;

void set_mode(void* flush, std::int64_t, std::int64_t) {
  if (has_saved_mode) return;
  saved_mode = FlushDenormals::set(*static_cast<const bool*>(flush));
  has_saved_mode = true;
}

void restore_mode(void*, std::int64_t, std::int64_t) {
  // A thread that the team has now but had not then has nothing to restore.
  if (has_saved_mode) FlushDenormals::restore(saved_mode);
  has_saved_mode = false;
}

/// A token: the threads that the team has, those that the caller's had (0: the same), whether that was a wish only.
constexpr int kSavedShift = 20, kDynamicShift = 40;
constexpr std::uintptr_t kCount = (1u << 20) - 1;

}  // namespace

int team_size(int wanted) {
  if (must_run_alone() || omp_get_max_active_levels() < 1) return 1;
  return std::clamp(wanted, 1, std::max(omp_get_thread_limit(), 1));
}

TeamScope::TeamScope(int threads) {
  const int current = omp_get_max_threads();
  saved_dynamic_ = omp_get_dynamic() != 0;
  if (saved_dynamic_) omp_set_dynamic(0);
  if (current == threads && !saved_dynamic_) return;
  saved_threads_ = current;
  omp_set_num_threads(threads);
}

TeamScope::~TeamScope() {
  if (saved_threads_ == 0) return;
  omp_set_num_threads(saved_threads_);
  if (saved_dynamic_) omp_set_dynamic(1);
}

std::uintptr_t enter_team(int threads, bool flush) {
  const int team = team_size(threads);
  std::uintptr_t token = static_cast<std::uintptr_t>(team);
  if (const int current = omp_get_max_threads(); current != team) {
    token |= (static_cast<std::uintptr_t>(current) & kCount) << kSavedShift;
    omp_set_num_threads(team);
  }
  if (omp_get_dynamic() != 0) {
    token |= std::uintptr_t{1} << kDynamicShift;
    omp_set_dynamic(0);
  }
  on_every_thread(team, set_mode, &flush);
  return token;
}

void leave_team(std::uintptr_t token) noexcept {
  on_every_thread(static_cast<int>(token & kCount), restore_mode, nullptr);
  if (const auto saved = token >> kSavedShift & kCount; saved != 0) omp_set_num_threads(static_cast<int>(saved));
  if ((token >> kDynamicShift & 1) != 0) omp_set_dynamic(1);
}

#endif

}  // namespace jitney::backend
