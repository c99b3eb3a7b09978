// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/parallel_for.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>

#include "backend/cpu/denormals.h"
#include "backend/cpu/spread.h"

#ifdef JITNEY_TSAN
#include <thread>
#include <vector>
#else
// Declared here rather than through -fopenmp and omp.h: those choose the compiler's own runtime (Clang has another
// one), and this must be libgomp. GOMP_parallel is its stable entry for "omp parallel".
extern "C" {
void GOMP_parallel(void (*function)(void*), void* data, unsigned threads, unsigned flags);
int omp_get_thread_num();
int omp_get_num_threads();
int omp_in_parallel();
}
#endif

namespace jitney::backend {
namespace {

std::atomic<bool> is_forked_child = false;
[[maybe_unused]] const int fork_handler_registered =
    pthread_atfork(nullptr, nullptr, [] { is_forked_child.store(true, std::memory_order_relaxed); });

struct Work {
  RangeFunction function;
  void* context;
  std::int64_t begin;
  std::uint64_t iterations;
  std::uint64_t parts;
  bool sets_mode, flushes;  ///< whether each thread treats denormal numbers as the calling one does, and how that is
  Watch* watch = nullptr;   ///< the caller's, where its team is watched

  /// Part number `part` of `of`: sizes differ by one at most.
  void run(std::uint64_t part, std::uint64_t of) const {
    const std::uint64_t size = iterations / of, larger = iterations % of;
    const std::uint64_t first = part * size + std::min(part, larger);
    const std::uint64_t count = size + (part < larger ? 1 : 0);
    // Unsigned, because begin + first may pass through the whole range of int64.
    const auto from = static_cast<std::int64_t>(static_cast<std::uint64_t>(begin) + first);
    const auto to = static_cast<std::int64_t>(static_cast<std::uint64_t>(begin) + first + count);
    if (count == 0) return;
    if (!sets_mode) return function(context, from, to);
    const FlushDenormals mode(flushes);
    function(context, from, to);
  }
};

#ifdef JITNEY_TSAN

thread_local bool inside_region = false;
bool is_inside_region() { return inside_region; }

void run_region(const Work& work, int) {
  const auto run_part = [&](std::uint64_t part) {
    inside_region = true;
    work.run(part, work.parts);
    inside_region = false;
  };
  std::vector<std::thread> others;
  for (std::uint64_t part = 1; part < work.parts; ++part) others.emplace_back(run_part, part);
  run_part(0);
  for (auto& other : others) other.join();
}

#else

bool is_inside_region() { return omp_in_parallel() != 0; }

void run_region(Work& work, int threads) {
  Watch& watch = Watch::mine();
  if (watch.is_on()) (work.watch = &watch)->enter_region();
  // The whole team enters, even if there is work for a part of it only: libgomp ends the threads that a smaller team
  // leaves over and starts them again for the next larger one.
  GOMP_parallel(
      [](void* data) {
        const Work& w = *static_cast<const Work*>(data);
        // The runtime may have given fewer threads than asked for (OMP_THREAD_LIMIT, OMP_DYNAMIC).
        const auto team = static_cast<std::uint64_t>(omp_get_num_threads());
        const auto me = static_cast<std::uint64_t>(omp_get_thread_num());
        const std::uint64_t parts = std::min(w.parts, team);
        if (w.watch != nullptr && me != 0) w.watch->settle(static_cast<int>(me));
        if (me < parts) w.run(me, parts);
      },
      &work, static_cast<unsigned>(threads), 0);
  if (work.watch != nullptr) watch.leave_region();
}

#endif

}  // namespace

bool must_run_alone() { return is_inside_region() || is_forked_child.load(std::memory_order_relaxed); }

namespace {

void run(int threads, Work work, std::int64_t end, std::int64_t grain) {
  if (end <= work.begin) return;
  work.iterations = static_cast<std::uint64_t>(end) - static_cast<std::uint64_t>(work.begin);
  const std::uint64_t worth = work.iterations / static_cast<std::uint64_t>(std::max<std::int64_t>(grain, 1));
  work.parts = std::min(worth, static_cast<std::uint64_t>(std::max(threads, 1)));
  if (work.parts <= 1 || must_run_alone())
    work.function(work.context, work.begin, end);
  else
    run_region(work, threads);
}

}  // namespace

void on_every_thread(int threads, RangeFunction function, void* context) {
  run(threads, {function, context, 0, 0, 0, false, false}, threads, 1);
}

void parallel_for(int threads, std::int64_t begin, std::int64_t end, std::int64_t grain, RangeFunction function,
                  void* context) {
  run(threads, {function, context, begin, 0, 0, true, FlushDenormals::is_set()}, end, grain);
}

}  // namespace jitney::backend
