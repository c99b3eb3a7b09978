// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Who waits gets a worker of his own priority; what nobody waits for stays out of the way.
#include <sched.h>
#include <sys/resource.h>

#include <algorithm>

#include "support.h"

namespace jitney::compiler {
namespace {

using namespace test;

int policy(pid_t pid) { return ::sched_getscheduler(pid); }

/// Runs a function in a forked child and returns its exit code, -1 if it was killed.
template <class F>
int in_child(F&& body) {
  pid_t pid = ::fork();
  if (pid == 0) ::_exit(body());
  int status = -1;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Priority, KindsAreKeptApart) {
  auto compiler = make_compiler({});
  auto background = request("int f;");
  background.background = true;
  ASSERT_TRUE(compiler->compile(background));
  auto first = children();
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(policy(first[0]), SCHED_IDLE);

  ASSERT_TRUE(compiler->compile(request("int g;")));
  auto both = children();
  ASSERT_EQ(both.size(), 2u) << "a worker at idle priority is not given to one who waits";
  std::erase(both, first[0]);
  EXPECT_EQ(policy(both[0]), policy(0));

  ASSERT_TRUE(compiler->compile(background));
  ASSERT_TRUE(compiler->compile(request("int h;")));
  EXPECT_EQ(compiler->workers_started(), 2) << "both are used again";
  EXPECT_EQ(policy(first[0]), SCHED_IDLE);
  EXPECT_EQ(policy(both[0]), policy(0));
}

TEST(Priority, IsTheCallersButNeverMoreThanOrdinary) {
  auto worker_nice = [](int own) {
    return in_child([own] {
      if (::setpriority(PRIO_PROCESS, 0, own) != 0) return 100;  // needs a privilege
      auto compiler = make_compiler({});
      if (!compiler->compile(request("int f;"))) return 101;
      return ::getpriority(PRIO_PROCESS, static_cast<id_t>(children().at(0)));
    });
  };
  int nice = worker_nice(15);
  EXPECT_TRUE(nice == 15 || nice == 100) << nice;
  EXPECT_TRUE(worker_nice(-5) == 0 || worker_nice(-5) == 100);
  int code = in_child([] {
    sched_param one{};
    one.sched_priority = 1;
    if (::sched_setscheduler(0, SCHED_FIFO, &one) != 0) return 100;
    auto compiler = make_compiler({});
    if (!compiler->compile(request("int f;"))) return 101;
    return policy(children().at(0));
  });
  EXPECT_TRUE(code == SCHED_OTHER || code == 100) << code;
}

}  // namespace
}  // namespace jitney::compiler
