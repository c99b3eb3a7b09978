// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cli/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>

#include "cli/exit_codes.h"

namespace jitney::cli {
namespace {

// Without locks, so that a signal handler may use them.
std::atomic<bool> noting{false}, noted{false};

/// A progress bar may stand on the line; the shell's prompt goes below it.
extern "C" void interrupted(int) {
  if (noting && !noted.exchange(true)) return;
  if (isatty(STDERR_FILENO) == 1) [[maybe_unused]]
    const auto wrote = write(STDERR_FILENO, "\n", 1);
  _exit(kInterrupted);
}

}  // namespace

NotedInterrupt::NotedInterrupt() {
  noted = false;
  noting = true;
}
NotedInterrupt::~NotedInterrupt() { noting = false; }
bool NotedInterrupt::came() { return noted; }

void exit_on_interrupt() {
  struct sigaction old{};
  if (sigaction(SIGINT, nullptr, &old) == 0 && old.sa_handler == SIG_IGN) return;
  struct sigaction action{};
  action.sa_handler = interrupted;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
}

}  // namespace jitney::cli
