// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "compiler/worker_process.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>

#include "compiler/time_limit.h"
#include "util/file_size_limit.h"

namespace jitney::compiler {
namespace {

using Reason = CompileFailure::Reason;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

tl::unexpected<CompileFailure> fail(Reason reason, std::string message) {
  return tl::unexpected(CompileFailure{reason, std::move(message)});
}

int milliseconds_until(Clock::time_point deadline) {
  auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 1 << 30));
}

}  // namespace

WorkerProcess::Outcome<std::unique_ptr<WorkerProcess>> WorkerProcess::start(const Options& options) {
  auto child = spawn(options.path,
                     {fmt::format("--parent={}", ::getpid()), fmt::format("--idle-ms={}", options.idle_timeout.count()),
                      fmt::format("--memory-limit={}", options.memory_limit),
                      fmt::format("--background={}", options.background ? 1 : 0)},
                     options.background);
  if (!child) {
    bool missing = child.error() == ENOENT || child.error() == EACCES || child.error() == ENOEXEC;
    return fail(missing ? Reason::no_compiler : Reason::resources,
                fmt::format("cannot start the compiler '{}': {}", options.path, std::strerror(child.error())));
  }
  std::unique_ptr<WorkerProcess> worker(new WorkerProcess);
  worker->options_ = options;
  worker->child_ = std::move(*child);
  return worker;
}

WorkerProcess::~WorkerProcess() {
  kill();
  while (!reap(1000ms)) {
  }
}

WorkerProcess::Outcome<Hello> WorkerProcess::hello(const Stops& stops) {
  auto message = converse({}, MessageType::hello, stops);
  if (!message) return tl::unexpected(message.error());
  auto hello = decode_hello(message->payload);
  if (!hello) return tl::unexpected(garbage(hello.error().message));
  greeted_ = true;
  return std::move(*hello);
}

WorkerProcess::Outcome<Result> WorkerProcess::exchange(const Request& request, const Stops& stops) {
  auto message = converse(encode(request), MessageType::result, stops);
  if (!message) return tl::unexpected(message.error());
  auto result = decode_result(message->payload);
  if (!result) return tl::unexpected(garbage(result.error().message));
  if (result->id != request.id) return tl::unexpected(garbage("the result of another request"));
  return std::move(*result);
}

WorkerProcess::Outcome<Message> WorkerProcess::converse(std::span<const std::byte> to_send, MessageType wanted,
                                                        const Stops& stops) {
  auto message = pump(to_send, wanted, stops);
  if (!message) return tl::unexpected(message.error());
  if (*message) return std::move(**message);
  if (stops.requested()) return fail(Reason::cancelled, "cancelled");
  return tl::unexpected(ended());
}

WorkerProcess::Outcome<std::optional<Message>> WorkerProcess::pump(std::span<const std::byte> to_send,
                                                                   MessageType wanted, const Stops& stops) {
  TimeLimit limit(pid(), options_.time_limit);
  // Killing wakes the poll below: the socket hangs up.
  auto stop = [this] { kill(); };
  std::stop_callback on_caller(stops.caller, stop), on_pool(stops.pool, stop);
  std::byte chunk[64 << 10];
  for (;;) {
    if (stops.requested()) return fail(Reason::cancelled, "cancelled");
    auto message = reader_.next();
    if (!message) return tl::unexpected(garbage(message.error().message));
    if (*message) {
      if ((*message)->type != wanted) return tl::unexpected(garbage("a message out of turn"));
      return std::move(**message);
    }
    int left = limit.left();
    if (left == 0) {
      kill();
      return tl::unexpected(timed_out(limit));
    }
    pollfd fds[] = {{socket(), static_cast<short>(to_send.empty() ? POLLIN : POLLIN | POLLOUT), 0},
                    {death_fd(), POLLIN, 0}};
    if (::poll(fds, 2, left) < 0 && errno != EINTR) {
      return fail(Reason::resources, fmt::format("cannot wait for the compiler: {}", std::strerror(errno)));
    }
    if (fds[0].revents & POLLOUT) {
      ssize_t n = ::send(socket(), to_send.data(), to_send.size(), MSG_NOSIGNAL);
      if (n > 0) to_send = to_send.subspan(static_cast<std::size_t>(n));
      if (n < 0 && (errno == EPIPE || errno == ECONNRESET)) to_send = {};  // it may have said why
    }
    ssize_t n = ::recv(socket(), chunk, sizeof chunk, 0);
    if (n > 0) {
      reader_.feed(std::span(chunk).first(static_cast<std::size_t>(n)));
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR) || (fds[1].revents & POLLIN)) {
      return std::nullopt;
    }
  }
}

bool WorkerProcess::rests() const {
  pollfd p{socket(), POLLIN, 0};
  return reader_.empty() && ::poll(&p, 1, 0) == 0;
}

void WorkerProcess::kill() const {
  if (reaped_) return;
  // An idle-priority process on a busy machine would take long even to die. Where this is not permitted, it does.
  sched_param zero{};
  (void)::sched_setscheduler(pid(), SCHED_OTHER, &zero);
  if (child_.pidfd) {
    ::syscall(SYS_pidfd_send_signal, death_fd(), SIGKILL, nullptr, 0);
  } else {
    ::kill(pid(), SIGKILL);
  }
}

bool WorkerProcess::reap(std::chrono::milliseconds limit) {
  auto deadline = Clock::now() + limit;
  while (!reaped_) {
    int status = 0;
    pid_t got = ::waitpid(pid(), &status, WNOHANG);
    if (got == pid() || (got < 0 && errno == ECHILD)) {
      wait_status_ = got == pid() ? status : -1;
      reaped_ = true;
      break;
    }
    int left = milliseconds_until(deadline);
    if (left == 0) return false;
    pollfd p{death_fd(), POLLIN, 0};
    ::poll(&p, 1, child_.pidfd ? left : 1);
  }
  return true;
}

CompileFailure WorkerProcess::timed_out(const TimeLimit& limit) const {
  double seconds = std::chrono::duration<double>(options_.time_limit).count();
  if (limit.starved())
    return {Reason::starved, fmt::format("the machine is so busy that the compiler got less than its {:g} s of time in "
                                         "{:g} s",
                                         seconds, seconds * TimeLimit::kPatience)};
  return {Reason::timed_out, fmt::format("the compiler {} its time limit of {:g} s",
                                         greeted_ ? "ran into" : "did not start within", seconds)};
}

CompileFailure WorkerProcess::ended() {
  if (!reap(100ms)) return garbage("it hung up and went on running");
  std::string words = last_words();
  std::string tail = words.empty() ? "" : ": " + words;
  if (wait_status_ == -1)
    return {Reason::crashed, "the compiler ended, for a reason that another part of this program took note of" + tail};
  if (WIFSIGNALED(wait_status_)) {
    int signal = WTERMSIG(wait_status_);
    if (signal == SIGKILL)
      return {Reason::resources, "the compiler was killed (SIGKILL), most likely because memory ran out"};
    const char* name = ::sigabbrev_np(signal);
    return {Reason::crashed, fmt::format("the compiler crashed (SIG{}){}", name ? name : std::to_string(signal), tail)};
  }
  int code = WEXITSTATUS(wait_status_);
  if (code == kExitNoMemory) {
    return {Reason::resources,
            fmt::format("the compiler ran out of memory (its limit is {} MiB)", options_.memory_limit >> 20)};
  }
  if (code == kExitFileTooLarge) {
    auto limit = file_size_limit();
    return {Reason::resources,
            fmt::format("its code is larger than the limit on file sizes (ulimit -f{}), which counts "
                        "files in memory",
                        limit ? fmt::format(", {} bytes", *limit) : "")};
  }
  if (!greeted_)
    return {Reason::no_compiler,
            fmt::format("the compiler '{}' did not start (exit code {}){}", options_.path, code, tail)};
  return {Reason::crashed, fmt::format("the compiler ended without an answer (exit code {}){}", code, tail)};
}

CompileFailure WorkerProcess::garbage(const std::string& why) const {
  kill();
  return {Reason::garbage, fmt::format("the compiler '{}' gave no valid answer: {}", options_.path, why)};
}

std::string WorkerProcess::last_words() const {
  off_t length = ::lseek(child_.output.get(), 0, SEEK_CUR);
  if (length <= 0) return "";
  std::string text(static_cast<std::size_t>(std::min<off_t>(length, 300)), '\0');
  ssize_t n = ::pread(child_.output.get(), text.data(), text.size(), 0);
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  std::replace(text.begin(), text.end(), '\n', ' ');
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

}  // namespace jitney::compiler
