// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cli/process_clock.h"

#include <chrono>
#include <ctime>

namespace jitney::cli {
namespace {

using Clock = std::chrono::steady_clock;

Clock::time_point start_of_process() {
  timespec used{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return Clock::now() - std::chrono::seconds(used.tv_sec) - std::chrono::nanoseconds(used.tv_nsec);
}

const Clock::time_point kStart = start_of_process();

}  // namespace

double milliseconds_since_start() { return std::chrono::duration<double, std::milli>(Clock::now() - kStart).count(); }

}  // namespace jitney::cli
