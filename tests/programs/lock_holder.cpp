// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// lock_holder PATH shared|exclusive TIMEOUT_MS: prints "locked", "timeout" or another fault, and holds the lock until
// its standard input ends.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "util/file_lock.h"

int main(int argc, char** argv) {
  using jitney::FileLock;
  if (argc != 4) return 2;
  const auto mode = std::string_view(argv[2]) == "shared" ? FileLock::Mode::shared : FileLock::Mode::exclusive;
  const auto lock =
      FileLock::acquire(argv[1], {.mode = mode, .timeout = std::chrono::milliseconds(std::atoi(argv[3]))});
  const bool timeout = !lock && lock.error().fault == jitney::LockFailure::Fault::timeout;
  std::puts(lock ? "locked" : timeout ? "timeout" : lock.error().message.c_str());
  std::fflush(stdout);
  while (lock && std::getchar() != EOF) {
  }
  return lock ? 0 : 1;
}
