// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

namespace jitney::cli {

/// From now on SIGINT ends the process at once with exit code 130. Compiler workers see their parent gone and end too;
/// a file that was being written never appears. Unless the parent had SIGINT ignored (a background job): then it stays
/// so.
void exit_on_interrupt();

/// While it lives the first SIGINT is only noted; the second ends the process as above. One at a time.
class NotedInterrupt {
 public:
  NotedInterrupt();
  ~NotedInterrupt();
  NotedInterrupt(const NotedInterrupt&) = delete;
  NotedInterrupt& operator=(const NotedInterrupt&) = delete;
  static bool came();
};

}  // namespace jitney::cli
