// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

namespace jitney {

/// From now on, for this process and for ever: no network, no other program, no look into other processes, no file
/// opened for writing, made, renamed, removed or changed. What is open stays usable, and files in memory can be made
/// and written. Refused calls fail with EPERM. For a process that runs a compiler over what somebody else wrote.
/// Best effort: false where the system has no seccomp filters, or on a processor whose system calls are not known here.
bool confine_process();

}  // namespace jitney
