// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "compiler/worker/isolate.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "compiler/priority.h"
#include "util/confine.h"

namespace jitney::compiler {
namespace {

pid_t g_parent = 0;

/// The death signal comes when the *thread* that started this process ends. Only when the whole process is gone
/// has the parent changed.
void on_parent_signal(int) {
  if (::getppid() != g_parent) ::_exit(0);
}

void close_inherited(int keep) {
  unsigned first = 3;
  auto close_range = [](unsigned from, unsigned to) {
    return from > to ? 0L : ::syscall(SYS_close_range, from, to, 0);
  };
  long rc = 0;
  if (keep >= 3) {
    rc = close_range(first, static_cast<unsigned>(keep) - 1);
    first = static_cast<unsigned>(keep) + 1;
  }
  if (rc == 0) rc = close_range(first, ~0u);
  if (rc == 0) return;
  for (int fd = 3; fd < 4096; ++fd) {  // kernels before 5.9
    if (fd != keep) ::close(fd);
  }
}

void reset_signals() {
  for (int s = 1; s < NSIG; ++s) ::signal(s, SIG_DFL);  // fails for those that cannot change, which is fine
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGINT, SIG_IGN);   // Ctrl-C goes to the whole terminal; the application decides what it means
  ::signal(SIGXFSZ, SIG_IGN);  // files in memory count for ulimit -f
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void volunteer_for_oom() {
  int fd = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  (void)!::write(fd, "1000", 4);
  ::close(fd);
}

void limit(int resource, std::int64_t bytes) {
  rlimit now{};
  if (::getrlimit(static_cast<__rlimit_resource>(resource), &now) != 0) return;
  rlim_t wanted = static_cast<rlim_t>(bytes);
  now.rlim_cur = now.rlim_max == RLIM_INFINITY || wanted < now.rlim_max ? wanted : now.rlim_max;
  (void)::setrlimit(static_cast<__rlimit_resource>(resource), &now);
}

}  // namespace

Status isolate(const IsolateOptions& options) {
  close_inherited(options.keep_fd);
  reset_signals();
  g_parent = options.parent;
  if (options.parent > 0) {
    struct sigaction action{};
    action.sa_handler = on_parent_signal;
    action.sa_flags = SA_RESTART;
    ::sigaction(SIGHUP, &action, nullptr);
    if (::prctl(PR_SET_PDEATHSIG, SIGHUP) != 0) {
      return environment_error("cannot ask for a signal when the parent ends: {}", std::strerror(errno));
    }
    // The parent may have ended before the line above.
    if (::getppid() != options.parent) return environment_error("the process that started this one is gone");
  }
  set_priority(0, options.background != 0);
  volunteer_for_oom();
  limit(RLIMIT_CORE, 0);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they reserve terabytes
  if (options.memory_limit > 0) limit(RLIMIT_AS, options.memory_limit);
#endif
  (void)!::chdir("/");
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they write reports
  // Where the system does not permit it, compiling works all the same.
  (void)confine_process();
#endif
  return {};
}

}  // namespace jitney::compiler
