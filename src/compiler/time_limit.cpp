// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "compiler/time_limit.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>

#include "compiler/descriptor.h"

namespace jitney::compiler {

using std::chrono::nanoseconds;

nanoseconds run_queue_wait(pid_t process) {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%ld/schedstat", static_cast<long>(process));
  Descriptor file(::open(path, O_RDONLY | O_CLOEXEC));
  if (!file) return nanoseconds(0);
  char text[128] = {};
  if (::read(file.get(), text, sizeof text - 1) <= 0) return nanoseconds(0);
  // Nanoseconds on a core, nanoseconds waiting for one, number of turns.
  unsigned long long ran = 0, waited = 0;
  if (std::sscanf(text, "%llu %llu", &ran, &waited) != 2) return nanoseconds(0);
  return nanoseconds(static_cast<std::int64_t>(waited));
}

TimeLimit::TimeLimit(pid_t process, std::chrono::milliseconds limit)
    : process_(process), limit_(limit), start_(Clock::now()), starved_before_(run_queue_wait(process)) {}

int TimeLimit::left() {
  auto now = [this] { return Clock::now() - start_; };
  auto remaining = [&] { return std::chrono::ceil<std::chrono::milliseconds>(limit_ + starved_ - now()).count(); };
  if (remaining() <= 0) {
    starved_ = std::max(starved_, run_queue_wait(process_) - starved_before_);
    starved_ = std::min(starved_, most_starved());
  }
  return static_cast<int>(std::clamp<std::int64_t>(remaining(), 0, 1 << 30));
}

}  // namespace jitney::compiler
