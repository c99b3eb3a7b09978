// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "util/expected.h"
#include "util/trace_event.h"

namespace jitney {

struct TraceFacts {
  std::string process_name;
  pid_t process = 0;
  std::int64_t origin = 0;  ///< of the time axis, in nanoseconds of the steady clock
  std::uint64_t lost = 0;   ///< events that did not fit
};

/// Chrome's trace format, given to `write` piece by piece. Events in any order.
Status write_trace(const TraceFacts& facts, std::vector<const TraceEvent*> events,
                   const std::function<Status(const std::string&)>& write);

}  // namespace jitney
