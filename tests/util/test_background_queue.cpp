// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <string>

#include "util/background_queue.h"

namespace jitney {
namespace {

struct Record {
  std::mutex mutex;
  std::string ran, dropped;
  std::promise<void> started;
  std::atomic<bool> go{false};
  void add(std::string& to, char name) {
    const std::lock_guard lock(mutex);
    to += name;
  }
  std::string text(const std::string& of) {
    const std::lock_guard lock(mutex);
    return of;
  }
};

/// Jobs in capitals wait until they are let go or stopped.
class NamedJob : public BackgroundJob {
 public:
  NamedJob(Record& record, char name, std::uint64_t priority) : record_(record), name_(name), priority_(priority) {}
  std::uint64_t priority() const override { return priority_; }
  void run(std::stop_token stop) override {
    if (std::isupper(name_)) {
      record_.started.set_value();
      while (!stop.stop_requested() && !record_.go) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    record_.add(record_.ran, stop.stop_requested() ? '!' : name_);
  }
  void dropped() override { record_.add(record_.dropped, name_); }

 private:
  Record& record_;
  const char name_;
  const std::uint64_t priority_;
};

class BackgroundQueues : public ::testing::Test {
 protected:
  std::unique_ptr<BackgroundJob> job(char name, std::uint64_t priority = 1) {
    return std::make_unique<NamedJob>(record, name, priority);
  }
  /// A job that keeps the queue busy.
  void occupy() {
    queue.push(&record, job('A'));
    record.started.get_future().wait();
  }
  void expect_ran(const std::string& names) {
    for (int i = 0; i < 5000 && record.text(record.ran).size() < names.size(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    EXPECT_EQ(record.text(record.ran), names);
  }

  Record record;
  BackgroundQueue queue{3};
  int other = 0;
};

TEST_F(BackgroundQueues, RunsTheMostUrgentFirst) {
  occupy();
  queue.push(&other, job('b', 2));
  queue.push(&other, job('c', 9));
  queue.push(&other, job('d', 5));
  record.go = true;
  expect_ran("Acdb");
}

TEST_F(BackgroundQueues, DropsTheLeastUrgentWhenFull) {
  occupy();
  for (char name : {'b', 'c', 'd', 'e'}) queue.push(&other, job(name, static_cast<std::uint64_t>(name == 'c' ? 0 : 1)));
  EXPECT_EQ(record.text(record.dropped), "c");
}

TEST_F(BackgroundQueues, RemovingStopsWhatRunsAndLeavesOthers) {
  occupy();
  queue.push(&other, job('b'));
  queue.push(&record, job('c'));
  queue.remove(&record);
  EXPECT_EQ(record.text(record.ran).substr(0, 1), "!") << "it was waited for";
  EXPECT_EQ(record.text(record.dropped), "c");
  expect_ran("!b");
}

TEST_F(BackgroundQueues, EndingDropsAndStops) {
  {
    BackgroundQueue local(8);
    local.push(&record, job('A'));
    record.started.get_future().wait();
    local.push(&other, job('b'));
  }
  EXPECT_EQ(record.ran, "!");
  EXPECT_EQ(record.dropped, "b");
}

TEST_F(BackgroundQueues, StartsAgainAfterItWentIdle) {
  queue.push(&other, job('a'));
  expect_ran("a");
  std::this_thread::sleep_for(std::chrono::milliseconds(1200));  // its thread has gone
  queue.push(&other, job('b'));
  expect_ran("ab");
}

}  // namespace
}  // namespace jitney
