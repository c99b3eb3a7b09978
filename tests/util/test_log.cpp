// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "util/log.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

namespace jitney {
namespace {

/// What was logged meanwhile. The sink and the level are taken back at the end.
class Captured {
 public:
  Captured() {
    set_log_sink([this](LogLevel level, std::string_view text) {
      const std::lock_guard lock(mutex_);
      lines_.push_back(std::string(to_string(level)) + ": " + std::string(text));
    });
  }
  ~Captured() { set_log_sink({}); }
  std::vector<std::string> lines() {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

class Logging : public ::testing::Test {
 protected:
  void SetUp() override { before_ = log_level(); }
  void TearDown() override { set_log_level(before_); }
  LogLevel before_ = LogLevel::warnings;
};

TEST_F(Logging, LevelsIncludeThoseBefore) {
  Captured captured;
  const LogScope scope(LogLevel::info);
  const auto lines = log_lines(LogLevel::info);
  log_error("e {}", 1);
  log_warning("w");
  log_info("i");
  log_debug("d");
  log(LogLevel::graphs, "g");
  EXPECT_EQ(captured.lines(), (std::vector<std::string>{"errors: e 1", "warnings: w", "info: i"}));
  EXPECT_EQ(log_lines(LogLevel::info), lines + 1);
}

TEST_F(Logging, ScopesNestAndEndInAnyOrder) {
  set_log_level(LogLevel::warnings);
  std::optional<LogScope> a, b, c;
  a.emplace(LogLevel::info);
  b.emplace(LogLevel::graphs);
  EXPECT_EQ(log_level(), LogLevel::graphs);
  a.reset();  // as when two threads have one each
  EXPECT_EQ(log_level(), LogLevel::graphs);
  c.emplace(LogLevel::errors);
  set_log_level(LogLevel::debug);
  EXPECT_EQ(log_level(), LogLevel::errors);
  c.reset();
  EXPECT_EQ(log_level(), LogLevel::graphs);
  b.reset();
  EXPECT_EQ(log_level(), LogLevel::debug) << "what was set meanwhile";
  try {
    const LogScope inner(LogLevel::errors);
    throw std::runtime_error("x");
  } catch (const std::runtime_error&) {
  }
  EXPECT_EQ(log_level(), LogLevel::debug);
}

TEST_F(Logging, ASinkMayThrowAndLogItself) {
  const LogScope scope(LogLevel::warnings);
  set_log_sink([](LogLevel, std::string_view) { throw std::runtime_error("no"); });
  EXPECT_NO_THROW(log_warning("x"));
  std::atomic<int> calls{0};
  set_log_sink([&](LogLevel, std::string_view) {
    ++calls;
    log_warning("from within");
  });
  ::testing::internal::CaptureStderr();
  log_warning("outer");
  const std::string shown = ::testing::internal::GetCapturedStderr();
  set_log_sink({});
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(shown, "jitney: warning: from within\n");
}

TEST_F(Logging, WithoutASinkLinesGoToStderr) {
  const LogScope scope(LogLevel::graphs);
  ::testing::internal::CaptureStderr();
  log_error("a {{}}");
  log(LogLevel::graphs, "b");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "jitney: error: a {}\njitney: debug: b\n");
}

TEST_F(Logging, ManyThreadsLogAndChangeTheSink) {
  const LogScope scope(LogLevel::warnings);
  std::atomic<int> seen{0};
  set_log_sink([](LogLevel, std::string_view) {});
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < 500; ++i) {
          const LogScope inner(LogLevel::info);
          log_info("x");
        }
      });
    for (int i = 0; i < 100; ++i) set_log_sink([&](LogLevel, std::string_view) { ++seen; });
  }
  set_log_sink({});
  EXPECT_EQ(log_level(), LogLevel::warnings);
}

}  // namespace
}  // namespace jitney
