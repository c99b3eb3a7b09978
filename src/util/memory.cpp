// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "util/memory.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <limits>

#include "util/cgroup.h"

namespace jitney {

std::size_t usable_memory() {
  static const std::size_t bytes = [] {
    const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    const std::uint64_t unlimited = std::numeric_limits<std::int64_t>::max();
    const std::uint64_t machine = pages > 0 && page > 0 ? static_cast<std::uint64_t>(pages) * page : unlimited;
    return static_cast<std::size_t>(std::min(machine, cgroup_memory_limit().value_or(unlimited)));
  }();
  return bytes;
}

std::size_t peak_memory() {
  rusage usage{};
  return getrusage(RUSAGE_SELF, &usage) == 0 ? static_cast<std::size_t>(usage.ru_maxrss) * 1024 : 0;
}

}  // namespace jitney
