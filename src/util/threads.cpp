// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "util/threads.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "util/cgroup.h"

namespace jitney {
namespace {

int cores_in_mask() {
  // The mask has as many bits as the kernel was built for; the call fails with EINVAL until the set is large enough.
  for (int cpus = 1024; cpus <= 1 << 20; cpus *= 4) {
    cpu_set_t* set = CPU_ALLOC(cpus);
    if (set == nullptr) break;
    const std::size_t bytes = CPU_ALLOC_SIZE(cpus);
    const bool ok = sched_getaffinity(0, bytes, set) == 0;
    const int count = ok ? CPU_COUNT_S(bytes, set) : 0;
    CPU_FREE(set);
    if (ok) return count;
  }
  return static_cast<int>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
}

}  // namespace

int usable_cores() {
  static const auto quota = cgroup_cpu_limit();
  int cores = cores_in_mask();
  // Up, not down: with 1.5 cores two threads finish sooner than one.
  if (quota) cores = std::min(cores, static_cast<int>(std::ceil(std::min(*quota, 1e6))));
  return std::max(1, cores);
}

}  // namespace jitney
