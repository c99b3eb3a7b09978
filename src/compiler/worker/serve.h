// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "compiler/protocol.h"
#include "util/expected.h"

/// What every compiler worker has in common: its options, its isolation, the conversation over the socket.
namespace jitney::compiler {

/// One compiler inside its worker process. Used by one thread.
class WorkerProgram {
 public:
  virtual ~WorkerProgram() = default;
  /// The program's name, for its usage message.
  virtual std::string_view name() const = 0;
  /// Whatever decides the bytes apart from the request: the compiler's version and how it is driven. A failure is said
  /// on the standard error stream and ends the process before it has said hello: this compiler is not there.
  virtual Expected<std::string> identity() = 0;
  /// Other files that the compiler depends on and that are not mapped as code when the hello is said.
  virtual std::vector<std::string> further_files() { return {}; }
  /// Once, in the isolated process, before the hello: handlers of what the compiler does when it gives up.
  virtual void install_handlers() {}
  /// Once, after the hello, while the parent sends its request.
  virtual void initialize() {}
  /// Everything of the result but its id and its seconds. Does not throw.
  virtual Result compile(const Request& request) = 0;
};

/// For a compiler that gives up on itself: sends the reason as the answer to the request at hand, and aborts.
[[noreturn]] void give_up(std::string_view reason);

/// The compiler's memory is at an end: so is the process, with the exit code that says so.
[[noreturn]] void out_of_memory();

/// The main program of a worker. Never returns: nothing is torn down, since destructors cost milliseconds.
[[noreturn]] void run_worker(int argc, char** argv, WorkerProgram& program);

}  // namespace jitney::compiler
