// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Whose time counts against a worker: its own, not the machine's.
#include "compiler/time_limit.h"

#include <sched.h>
#include <signal.h>
#include <time.h>

#include <thread>

#include "support.h"

namespace jitney::compiler {
namespace {

using namespace test;
using namespace std::chrono_literals;
using Reason = CompileFailure::Reason;

/// A child that does `body` on one core until it is killed.
class OnOneCore {
 public:
  template <class F>
  explicit OnOneCore(F body) : pid_(::fork()) {
    if (pid_ != 0) return;
    pin();
    for (;;) body();
  }
  ~OnOneCore() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  OnOneCore(const OnOneCore&) = delete;
  pid_t pid() const { return pid_; }

  static void pin() {
    cpu_set_t mine, one;
    ::sched_getaffinity(0, sizeof mine, &mine);
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (!CPU_ISSET(cpu, &mine)) continue;
      CPU_SET(cpu, &one);
      break;
    }
    ::sched_setaffinity(0, sizeof one, &one);
  }

 private:
  pid_t pid_;
};

void spin() {
  for (volatile int i = 0; i < 1000;) {
    int next = i + 1;
    i = next;
  }
}
void spin_at_idle_priority() {
  sched_param zero{};
  ::sched_setscheduler(0, SCHED_IDLE, &zero);
  for (;;) spin();
}

double ms_until_over(TimeLimit& limit) {
  auto start = Clock::now();
  while (int left = limit.left()) std::this_thread::sleep_for(std::chrono::milliseconds(left));
  return ms_since(start);
}

bool kernel_tells() {
  spin();
  return std::ifstream("/proc/self/schedstat").good();
}

TEST(TimeLimit, SleepAndStopCount) {
  OnOneCore sleeper([] { ::usleep(10'000); }), stopped([] { spin(); });
  ::kill(stopped.pid(), SIGSTOP);
  std::this_thread::sleep_for(20ms);
  for (pid_t pid : {sleeper.pid(), stopped.pid()}) {
    TimeLimit limit(pid, 200ms);
    double ms = ms_until_over(limit);
    EXPECT_GE(ms, 199.0);
    EXPECT_LT(ms, 1000.0);
    EXPECT_FALSE(limit.starved());
  }
}

TEST(TimeLimit, WaitingForACoreDoesNotCountButNotForEver) {
  if (!kernel_tells()) GTEST_SKIP() << "this kernel does not say how long a process waits";
  OnOneCore busy([] { spin(); }), also([] { spin(); }), starved(spin_at_idle_priority);
  std::this_thread::sleep_for(50ms);
  TimeLimit limit(starved.pid(), 200ms);
  double ms = ms_until_over(limit);
  EXPECT_GE(ms, 1000.0) << "it got a hundredth of a core";
  EXPECT_LE(ms, 200 * TimeLimit::kPatience + 500.0);
}

TEST(TimeLimit, AProcessThatIsGoneHasNoExcuse) {
  pid_t gone;
  {
    OnOneCore child([] { spin(); });
    gone = child.pid();
  }
  EXPECT_EQ(run_queue_state(gone).waited.count(), 0);
  TimeLimit limit(gone, 50ms);
  EXPECT_LT(ms_until_over(limit), 500.0);
}

TEST(TimeLimit, ABusyMachineCostsTheWorkerNothing) {
  if (!kernel_tells()) GTEST_SKIP() << "this kernel does not say how long a process waits";
  // Three others on its core: a worker that needs 300 ms is done after 1200.
  OnOneCore a([] { spin(); }), b([] { spin(); }), c([] { spin(); });
  TemporaryFolder folder;
  cpu_set_t before;
  ::sched_getaffinity(0, sizeof before, &before);
  OnOneCore::pin();  // the worker inherits it
  CompilerOptions options;
  options.worker_path = folder.write("worker", "#!/bin/sh\nwhile :; do :; done\n", true);
  options.compile_timeout = 300ms;
  auto start = Clock::now();
  auto outcome = make_compiler(options)->compile(request("int f;"));
  ::sched_setaffinity(0, sizeof before, &before);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().reason, Reason::timed_out) << outcome.error().message;
  EXPECT_GE(ms_since(start), 600.0);
}

}  // namespace
}  // namespace jitney::compiler
