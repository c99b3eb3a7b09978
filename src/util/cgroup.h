// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

/// Limits that the control group (a container, a systemd slice) puts on this process, cgroup v2 and v1. The lowest
/// limit of the group and all its ancestors counts. `root` and `membership` are for tests.
namespace jitney {

struct CgroupPaths {
  std::string root = "/sys/fs/cgroup";
  std::string membership = "/proc/self/cgroup";
};

/// How many CPUs' worth of time the group may use, for instance 1.5; nothing when unlimited or unknown.
std::optional<double> cgroup_cpu_limit(const CgroupPaths& paths = {});

/// Bytes of memory the group may use; nothing when unlimited or unknown.
std::optional<std::uint64_t> cgroup_memory_limit(const CgroupPaths& paths = {});

}  // namespace jitney
