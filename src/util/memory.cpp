// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "util/memory.h"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
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
  // Not getrusage(): its number begins with what the process that started this one held.
  std::FILE* file = std::fopen("/proc/self/status", "re");
  if (file == nullptr) return 0;
  char line[256];
  unsigned long long kib = 0;
  while (std::fgets(line, sizeof(line), file) != nullptr && std::sscanf(line, "VmHWM: %llu kB", &kib) != 1) {
  }
  std::fclose(file);
  return static_cast<std::size_t>(kib) * 1024;
}

}  // namespace jitney
