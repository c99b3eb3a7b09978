// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "compiler/descriptor.h"
#include "util/expected.h"

namespace jitney::compiler {

/// A child process with one end of a socket pair as its standard input. What it prints goes into a small memory
/// file that cannot grow, so that a dying child's last words can be told.
struct Child {
  pid_t pid = -1;
  Descriptor socket;  ///< our end, non-blocking
  Descriptor pidfd;   ///< empty on kernels without
  Descriptor output;  ///< its position is how much was printed
};

/// Starts a program in its own process group (a Ctrl-C is not for it), with default signals and no descriptor but the
/// standard three. In the background it gets idle priority; else the calling thread's, but never more than an ordinary
/// process has. Safe in a program with threads: nothing of it runs in the child.
/// Raises no SIGXFSZ, whatever the limit on file sizes. Failure: errno as kind of trouble, for the caller to name.
tl::expected<Child, int> spawn(const std::string& path, const std::vector<std::string>& arguments, bool background);

}  // namespace jitney::compiler
