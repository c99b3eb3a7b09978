// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// What a compiler that misbehaves may cost: one kernel, never the application, never its slot.
#include <signal.h>

#include <thread>

#include "compiler/protocol.h"
#include "support.h"

namespace jitney::compiler {
namespace {

using namespace test;
using namespace std::chrono_literals;
using Reason = CompileFailure::Reason;

/// Shell for a worker that says a proper hello: printf with octal escapes.
std::string say(const std::vector<std::byte>& bytes) {
  std::string text = "printf '";
  for (std::byte b : bytes) text += fmt::format("\\{:03o}", static_cast<unsigned>(b));
  return text + "' >&0\n";
}

class Faults : public testing::Test {
 protected:
  std::unique_ptr<Compiler> with(const std::string& script, std::chrono::milliseconds timeout = 5000ms) {
    CompilerOptions options;
    options.worker_path = folder_.write("worker", "#!/bin/sh\n" + script, true);
    options.compile_timeout = timeout;
    options.max_workers = 1;
    return make_compiler(options);
  }
  void TearDown() override {
    EXPECT_TRUE(eventually([] { return children().empty(); })) << "a child was left behind";
  }

  static CompileFailure failure(Compiler& compiler) {
    auto outcome = compiler.compile(request("int f;"));
    EXPECT_FALSE(outcome);
    return outcome ? CompileFailure{} : outcome.error();
  }

  TemporaryFolder folder_;
  std::string hello_ = say(encode(Hello{"fake 1", {"/bin/sh"}}));
};

TEST_F(Faults, Mode34_MissingProgram) {
  CompilerOptions options;
  options.worker_path = (folder_.path() / "nowhere").string();
  auto compiler = make_compiler(options);
  auto f = failure(*compiler);
  EXPECT_EQ(f.reason, Reason::no_compiler);
  EXPECT_NE(f.message.find("nowhere"), std::string::npos) << f.message;
  auto identity = compiler->identity();
  ASSERT_FALSE(identity);
  EXPECT_EQ(identity.error().kind, ErrorKind::environment);
  EXPECT_FALSE(compiler->record_key());
}

TEST_F(Faults, Mode34_EndsAtOnceWithItsLastWords) {
  auto f = failure(*with("echo 'libLLVM.so: cannot open shared object file' >&2\nexit 127\n"));
  EXPECT_EQ(f.reason, Reason::no_compiler);
  EXPECT_NE(f.message.find("exit code 127"), std::string::npos) << f.message;
  EXPECT_NE(f.message.find("libLLVM.so: cannot open"), std::string::npos) << f.message;
}

TEST_F(Faults, Mode34_PrintsWithoutEnd) {
  auto f = failure(*with("head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2; exit 9\n"));
  EXPECT_EQ(f.reason, Reason::no_compiler);
  EXPECT_NE(f.message.find("exit code 9"), std::string::npos) << f.message;
}

TEST_F(Faults, Mode34_NeverSaysHello) {
  auto compiler = with("exec sleep 60\n", 300ms);
  auto start = Clock::now();
  auto f = failure(*compiler);
  EXPECT_EQ(f.reason, Reason::timed_out);
  EXPECT_LT(ms_since(start), 300 + 700.0);
}

TEST_F(Faults, Mode34_HangsOnARequest) {
  auto compiler = with(hello_ + "exec sleep 60\n", 300ms);
  auto start = Clock::now();
  auto f = failure(*compiler);
  EXPECT_EQ(f.reason, Reason::timed_out);
  EXPECT_GE(ms_since(start), 299.0);
  EXPECT_LT(ms_since(start), 300 + 700.0);
}

TEST_F(Faults, Mode34_HangsOnARequestTooLargeForTheSocket) {
  auto compiler = with(hello_ + "exec sleep 60\n", 300ms);
  auto outcome = compiler->compile(request(std::string(8 << 20, ' ')));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().reason, Reason::timed_out);
}

TEST_F(Faults, Mode34_AnswersGarbage) {
  for (const std::string& script :
       {std::string("echo 'this is no message, but long enough to be one' >&0\nexec sleep 60\n"),
        hello_ + "echo 'this is no message, but long enough to be one' >&0\nexec sleep 60\n",
        hello_ + hello_ + "exec sleep 60\n", hello_ + say(encode(Result{12345})) + "exec sleep 60\n"}) {
    auto start = Clock::now();
    auto f = failure(*with(script));
    EXPECT_EQ(f.reason, Reason::garbage) << f.message;
    EXPECT_LT(ms_since(start), 4000.0);
  }
}

TEST_F(Faults, Mode34_SpeaksAnotherVersion) {
  auto bytes = encode(Hello{"fake 1", {"/bin/sh"}});
  bytes[4] = std::byte{99};
  auto f = failure(*with(say(bytes) + "exec sleep 60\n"));
  EXPECT_EQ(f.reason, Reason::garbage);
  EXPECT_NE(f.message.find("version 99"), std::string::npos) << f.message;
}

TEST_F(Faults, Mode34_CrashesWithTheSignalsName) {
  auto f = failure(*with(hello_ + "kill -SEGV $$\n"));
  EXPECT_EQ(f.reason, Reason::crashed);
  EXPECT_NE(f.message.find("SIGSEGV"), std::string::npos) << f.message;
  f = failure(*with(hello_ + "exit 3\n"));
  EXPECT_EQ(f.reason, Reason::crashed);
  EXPECT_NE(f.message.find("exit code 3"), std::string::npos) << f.message;
}

TEST_F(Faults, Mode34_RunsOutOfMemory) {
  auto f = failure(*with(hello_ + "exit 12\n"));
  EXPECT_EQ(f.reason, Reason::resources);
  EXPECT_NE(f.message.find("memory"), std::string::npos) << f.message;
  EXPECT_EQ(failure(*with(hello_ + "kill -KILL $$\n")).reason, Reason::resources);
}

TEST_F(Faults, Mode34_MemoryLimitHolds) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers reserve terabytes, so there is no limit";
#endif
  CompilerOptions options;
  options.memory_limit = 400 << 20;
  auto compiler = make_compiler(options);
  // A token stream that needs gigabytes as a tree.
  std::string source = "int a[] = {";
  for (int i = 0; i < 1'500'000; ++i) source += "1+2,";
  auto outcome = compiler->compile(request(source + "};"));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().reason, Reason::resources) << outcome.error().message;
  EXPECT_TRUE(compiler->compile(request("int f;"))) << "the next kernel is not affected";
}

TEST_F(Faults, Mode34_CompilerThatGivesUpIsACrashWithItsReason) {
  auto compiler = make_compiler({});
#if defined(__x86_64__)
  auto r = request("int f;");
  r.options.push_back("-mcmodel=tiny");  // LLVM's fatal error on this architecture
  auto outcome = compiler->compile(r);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().reason, Reason::crashed);
  EXPECT_NE(outcome.error().message.find("tiny CodeModel"), std::string::npos) << outcome.error().message;
#endif
  EXPECT_TRUE(compiler->compile(request("int g;")));
}

TEST_F(Faults, Mode34_WorkerKilledWhileIdleIsReplacedSilently) {
  auto compiler = make_compiler({});
  ASSERT_TRUE(compiler->compile(request("int f;")));
  auto pids = children();
  ASSERT_EQ(pids.size(), 1u);
  ::kill(pids[0], SIGKILL);
  EXPECT_TRUE(compiler->compile(request("int g;")));
  EXPECT_EQ(compiler->workers_started(), 2);
}

TEST_F(Faults, Mode34_IdleWorkerEndsItselfAndLeavesNoZombie) {
  CompilerOptions options;
  options.idle_timeout = 100ms;
  auto compiler = make_compiler(options);
  ASSERT_TRUE(compiler->compile(request("int f;")));
  EXPECT_EQ(children().size(), 1u);
  EXPECT_TRUE(eventually([] { return children().empty(); }, 2000));
  EXPECT_TRUE(compiler->compile(request("int g;")));
  EXPECT_EQ(compiler->workers_started(), 2);
}

/// A source that keeps Clang busy for many seconds.
std::string endless_source() {
  std::string source = "double f(double x) {\n";
  for (int i = 0; i < 40'000; ++i) source += fmt::format("x = x * {}.5 + (x > {} ? x : -x);\n", i % 97, i % 13);
  return source + "return x; }\n";
}

TEST_F(Faults, Mode34_CancelFreesTheSlotAtOnce) {
  CompilerOptions options;
  options.max_workers = 1;
  auto compiler = make_compiler(options);
  ASSERT_TRUE(compiler->compile(request("int warm;")));
  std::stop_source stop;
  CompileOutcome outcome = CompileResult{};
  Clock::time_point returned;
  std::thread busy([&] {
    outcome = compiler->compile(request(endless_source()), stop.get_token());
    returned = Clock::now();
  });
  std::this_thread::sleep_for(200ms);
  auto start = Clock::now();
  stop.request_stop();
  busy.join();
  double free_ms = std::chrono::duration<double, std::milli>(returned - start).count();
  printf("  slot free %.1f ms after the cancel\n", free_ms);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().reason, Reason::cancelled);
  EXPECT_LT(free_ms, 50.0);
  EXPECT_TRUE(compiler->compile(request("int f;")));
}

TEST_F(Faults, Mode34_CancelWhileWaitingForASlot) {
  auto compiler = with(hello_ + "exec sleep 60\n", 2000ms);
  std::stop_source all;
  std::thread busy([&] { (void)compiler->compile(request("int f;"), all.get_token()); });
  std::this_thread::sleep_for(50ms);
  std::stop_source stop;
  std::thread cancel([&] {
    std::this_thread::sleep_for(50ms);
    stop.request_stop();
  });
  auto start = Clock::now();
  auto outcome = compiler->compile(request("int g;"), stop.get_token());
  EXPECT_LT(ms_since(start), 1000.0);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().reason, Reason::cancelled);
  all.request_stop();
  busy.join();
  cancel.join();
}

TEST_F(Faults, Mode34_DestroyingTheCompilerCancelsWhatRuns) {
  auto compiler = with(hello_ + "exec sleep 60\n", 20'000ms);
  CompileOutcome outcome = CompileResult{};
  std::thread busy([&] { outcome = compiler->compile(request("int f;")); });
  ASSERT_TRUE(eventually([&] { return compiler->workers_started() == 1; }));
  std::this_thread::sleep_for(50ms);
  auto start = Clock::now();
  // The pointer itself must not be read by the other thread any more, which it is not: it is inside the call.
  compiler.reset();
  busy.join();
  EXPECT_LT(ms_since(start), 1000.0);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().reason, Reason::cancelled);
}

TEST_F(Faults, Mode34_UpgradedCompilerIsRefused) {
  auto compiler = with(hello_ + "exit 0\n");
  ASSERT_EQ(value_or_throw(compiler->identity()), "fake 1");
  folder_.write("worker", "#!/bin/sh\n" + say(encode(Hello{"fake 2", {"/bin/sh"}})) + "exec sleep 60\n", true);
  auto f = failure(*compiler);
  EXPECT_EQ(f.reason, Reason::no_compiler);
  EXPECT_NE(f.message.find("'fake 1' to 'fake 2'"), std::string::npos) << f.message;
}

}  // namespace
}  // namespace jitney::compiler
