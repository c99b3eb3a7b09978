// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/resource.h>

#include <cstdint>
#include <optional>

namespace jitney {

/// How large a file this process may write (ulimit -f, RLIMIT_FSIZE), in bytes; nothing when there is no limit. Files
/// in memory count. Writing past it raises SIGXFSZ, which ends a process that does not ignore it: a library leaves
/// signals alone and asks first. Thread-safe.
inline std::optional<std::uint64_t> file_size_limit() {
  rlimit most{};
  if (::getrlimit(RLIMIT_FSIZE, &most) != 0 || most.rlim_cur == RLIM_INFINITY) return std::nullopt;
  return most.rlim_cur;
}

}  // namespace jitney
