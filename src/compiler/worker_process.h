// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>

#include "compiler/compiler.h"
#include "compiler/protocol.h"
#include "compiler/spawn.h"

namespace jitney::compiler {

class TimeLimit;

/// Two reasons to give up: the caller's, and the pool's end.
struct Stops {
  std::stop_token caller, pool;
  bool requested() const { return caller.stop_requested() || pool.stop_requested(); }
};

/// One child process that compiles, and this end of its socket. Used by one thread at a time. After any failure
/// the worker is dead or about to be and must be thrown away; the destructor kills it and waits for it.
class WorkerProcess {
 public:
  struct Options {
    std::string path;
    std::chrono::milliseconds idle_timeout{0};
    std::int64_t memory_limit = 0;
    std::chrono::milliseconds time_limit{0};  ///< for one answer, counted as TimeLimit says
    bool background = false;                  ///< at idle priority, for good
  };
  template <class T>
  using Outcome = tl::expected<T, CompileFailure>;

  /// Starts the program without waiting for its hello. Fails with no_compiler or resources.
  static Outcome<std::unique_ptr<WorkerProcess>> start(const Options& options);
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  Outcome<Hello> hello(const Stops& stops);
  Outcome<Result> exchange(const Request& request, const Stops& stops);

  /// Whether a worker at rest is still there: it has said nothing since its last answer and not hung up.
  bool rests() const;
  /// SIGKILL. The process cannot be mistaken for another one, since nobody but this object waits for it.
  void kill() const;
  /// Waits for the process to end, at most so long. True if it is gone (and no zombie is left).
  bool reap(std::chrono::milliseconds limit);

  pid_t pid() const { return child_.pid; }
  bool background() const { return options_.background; }
  int socket() const { return child_.socket.get(); }
  int death_fd() const { return child_.pidfd.get(); }  ///< readable once it has ended; -1 on kernels without

 private:
  WorkerProcess() = default;
  Outcome<Message> converse(std::span<const std::byte> to_send, MessageType wanted, const Stops& stops);
  /// The same, but nothing when the worker ended. Waits for no process, so that a stop may kill it meanwhile.
  Outcome<std::optional<Message>> pump(std::span<const std::byte> to_send, MessageType wanted, const Stops& stops);
  CompileFailure timed_out(const TimeLimit& limit) const;
  CompileFailure ended();
  CompileFailure garbage(const std::string& why) const;
  std::string last_words() const;

  Options options_;
  Child child_;
  MessageReader reader_;
  bool greeted_ = false;
  bool reaped_ = false;
  int wait_status_ = -1;  ///< as waitpid gave it; -1 if another part of the program took it
};

}  // namespace jitney::compiler
