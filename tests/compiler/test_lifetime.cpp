// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Workers, their parent, its threads and its children.
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include <atomic>
#include <thread>

#include "support.h"

namespace jitney::compiler {
namespace {

using namespace test;
using namespace std::chrono_literals;

bool exists(pid_t pid) { return ::kill(pid, 0) == 0; }

/// Runs a function in a forked child and returns its wait status.
template <class F>
int in_child(F&& body) {
  pid_t pid = ::fork();
  if (pid == 0) ::_exit(body());
  int status = -1;
  ::waitpid(pid, &status, 0);
  return status;
}

TEST(Lifetime, Mode35_WorkerIsAGuest) {
  int leak = ::open("/dev/null", O_RDONLY);  // not close-on-exec, as an application might have it
  auto compiler = make_compiler({});
  ASSERT_TRUE(compiler->identity());
  auto pids = children();
  ASSERT_EQ(pids.size(), 1u);
  std::string proc = "/proc/" + std::to_string(pids[0]);
  EXPECT_EQ(::getpgid(pids[0]), pids[0]);
  int descriptors = 0;
  for ([[maybe_unused]] const auto& e : std::filesystem::directory_iterator(proc + "/fd")) ++descriptors;
  EXPECT_EQ(descriptors, 3);
  EXPECT_EQ(std::filesystem::read_symlink(proc + "/cwd"), "/");
  std::ifstream limits(proc + "/limits");
  std::string text(std::istreambuf_iterator<char>(limits), {});
  EXPECT_NE(text.find("Max core file size        0 "), std::string::npos) << text;
  std::ifstream oom(proc + "/oom_score_adj");
  int score = 0;
  oom >> score;
  EXPECT_EQ(score, 1000);
  ::close(leak);
  compiler.reset();
  EXPECT_FALSE(exists(pids[0]));
}

TEST(Lifetime, Mode35_ThreadThatStartedTheWorkerMayEnd) {
  auto compiler = make_compiler({});
  std::thread([&] { ASSERT_TRUE(compiler->compile(request("int f;"))); }).join();
  std::this_thread::sleep_for(50ms);
  auto pids = children();
  ASSERT_EQ(pids.size(), 1u);
  EXPECT_TRUE(compiler->compile(request("int g;")));
  EXPECT_EQ(children(), pids);
  EXPECT_EQ(compiler->workers_started(), 1);
}

void expect_worker_dies_with_its_parent(bool compiling) {
  int report[2];
  ASSERT_EQ(::pipe2(report, O_CLOEXEC), 0);
  pid_t parent = ::fork();
  if (parent == 0) {
    CompilerOptions options;
    options.idle_timeout = 60'000ms;
    auto compiler = make_compiler(options);
    if (!compiler->identity()) ::_exit(1);
    pid_t worker = children().at(0);
    if (::write(report[1], &worker, sizeof worker) != sizeof worker) ::_exit(1);
    std::string source = "double f(double x) {\n";
    for (int i = 0; i < 100'000; ++i) source += "x = x * 1.5 + (x > 2 ? x : -x);\n";
    if (compiling) (void)compiler->compile(request(source + "return x; }\n"));
    for (;;) ::pause();
  }
  ::close(report[1]);
  pid_t worker = 0;
  ASSERT_EQ(::read(report[0], &worker, sizeof worker), static_cast<ssize_t>(sizeof worker));
  ::close(report[0]);
  std::this_thread::sleep_for(100ms);
  EXPECT_TRUE(exists(worker));
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  // Whoever inherits the orphan may take its time to wait for it: a zombie is gone too.
  auto gone = [&] {
    std::ifstream stat("/proc/" + std::to_string(worker) + "/stat");
    std::string pid, name, state;
    return !(stat >> pid >> name >> state) || state == "Z" || state == "X";
  };
  EXPECT_TRUE(eventually(gone, 1000)) << "worker " << worker << " outlived its parent";
}

TEST(Lifetime, Mode35_IdleWorkerDiesWithItsParent) { expect_worker_dies_with_its_parent(false); }
TEST(Lifetime, Mode35_BusyWorkerDiesWithItsParent) { expect_worker_dies_with_its_parent(true); }

TEST(Lifetime, Mode35_ForkedChildStartsItsOwnWorker) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "ThreadSanitizer allows no threads after a fork";
#endif
  auto compiler = make_compiler({});
  ASSERT_TRUE(compiler->compile(request("int f;")));
  auto pids = children();
  ASSERT_EQ(pids.size(), 1u);
  int status = in_child([&] {
    if (compiler->workers_started() != 0) return 1;
    if (!compiler->compile(request("int g;"))) return 2;
    if (compiler->workers_started() != 1) return 3;
    auto own = children();
    if (own.size() != 1 || own[0] == pids[0]) return 4;
    compiler.reset();
    if (!children().empty()) return 5;
    return exists(pids[0]) ? 0 : 6;
  });
  EXPECT_EQ(status, 0);
  // In another child nothing is compiled, and ending it does not harm the parent's worker.
  EXPECT_EQ(in_child([&] { return compiler.reset(), 0; }), 0);
  EXPECT_TRUE(compiler->compile(request("int h;")));
  EXPECT_EQ(compiler->workers_started(), 1);
  EXPECT_EQ(children(), pids);
}

TEST(Lifetime, Mode35_ForkWhileOtherThreadsCompile) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "ThreadSanitizer allows no threads after a fork";
#endif
  CompilerOptions options;
  options.max_workers = 2;
  auto compiler = make_compiler(options);
  std::atomic<bool> stop{false};
  std::atomic<int> bad{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      while (!stop) bad += !compiler->compile(request("int f;"));
    });
  }
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(in_child([&] {
                ::alarm(20);
                return compiler->compile(request("int g;")) ? 0 : 1;
              }),
              0);
  }
  stop = true;
  for (auto& t : threads) t.join();
  EXPECT_EQ(bad, 0);
}

TEST(Lifetime, Mode35_ApplicationThatIgnoresItsChildren) {
  // With SIGCHLD ignored the kernel reaps; nobody can ask how a worker ended.
  int status = in_child([] {
    ::signal(SIGCHLD, SIG_IGN);
    auto compiler = make_compiler({});
    if (!compiler->compile(request("int f;"))) return 1;
    ::kill(children().at(0), SIGKILL);
    if (!compiler->compile(request("int g;"))) return 2;
    return 0;
  });
  EXPECT_EQ(status, 0);
}

TEST(Lifetime, Mode35_ApplicationWithoutStandardDescriptors) {
  int status = in_child([] {
    for (int fd = 0; fd < 3; ++fd) ::close(fd);
    auto compiler = make_compiler({});
    return compiler->compile(request("int f;")) ? 0 : 1;
  });
  EXPECT_EQ(status, 0);
}

/// Exit code: 0 compiled, else 10 + the reason. -1: killed by a signal.
int compile_with_file_limit(rlim_t bytes, const std::string& text_in_message) {
  int status = in_child([&] {
    ::signal(SIGXFSZ, SIG_DFL);
    rlimit limit{bytes, bytes};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    auto compiler = make_compiler({});
    auto outcome = compiler->compile(request(softmax_source()));
    if (outcome) return 0;
    if (outcome.error().message.find(text_in_message) == std::string::npos) return 1;
    return 10 + static_cast<int>(outcome.error().reason);
  });
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Lifetime, Mode35_LimitOnFileSizesIsNoDeath) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "ThreadSanitizer's own start in the worker does not survive a limit on file sizes";
#endif
  int resources = 10 + static_cast<int>(CompileFailure::Reason::resources);
  EXPECT_EQ(compile_with_file_limit(1 << 20, ""), 0);
  EXPECT_EQ(compile_with_file_limit(4096, "ulimit -f, 4096 bytes"), resources);  // the linker's output does not fit
  EXPECT_EQ(compile_with_file_limit(512, "ulimit -f, 512 bytes"), resources);    // nor its input
  EXPECT_EQ(compile_with_file_limit(0, "ulimit -f, 0 bytes"), resources);
}

TEST(Lifetime, Mode35_RecordSparesAWorker) {
  std::string record, identity, key;
  {
    auto compiler = make_compiler({});
    EXPECT_EQ(compiler->record(), "");
    identity = value_or_throw(compiler->identity());
    record = compiler->record();
    key = value_or_throw(compiler->record_key());
  }
  EXPECT_NE(identity.find("clang version 19"), std::string::npos) << identity;
  EXPECT_NE(record.find("libLLVM"), std::string::npos) << record;
  EXPECT_EQ(IdentityRecord::check(record), identity);
  auto compiler = make_compiler({});
  compiler->remember(record);
  EXPECT_EQ(value_or_throw(compiler->identity()), identity);
  EXPECT_EQ(compiler->record(), record);
  EXPECT_EQ(value_or_throw(compiler->record_key()), key);
  EXPECT_EQ(compiler->workers_started(), 0);
  EXPECT_TRUE(compiler->compile(request("int f;")));
}

}  // namespace
}  // namespace jitney::compiler
