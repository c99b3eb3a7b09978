// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/pace.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace jitney::runtime {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = Pace::Clock;

/// When work began.
Clock::time_point begin_of(Pace& pace, const std::stop_token& stop = {}) {
  return pace.run(stop, [] { return Clock::now(); });
}
/// How long it took until work began.
Clock::duration wait_of(Pace& pace, const std::stop_token& stop = {}) {
  const auto asked = Clock::now();
  return begin_of(pace, stop) - asked;
}

TEST(PaceTest, WorkBeginsOnceNoNewShapeHasComeForAWhile) {
  Pace pace({.quiet = seconds(60)});
  EXPECT_LT(wait_of(pace), seconds(30)) << "there was no shape";
  Pace quick({.quiet = milliseconds(40)});
  auto last = Clock::now();
  quick.new_shape();
  EXPECT_GE(begin_of(quick) - last, milliseconds(40));
  std::atomic<Clock::time_point> came{Clock::time_point::max()};
  quick.new_shape();
  std::jthread later([&] {
    std::this_thread::sleep_for(milliseconds(20));
    came = Clock::now();
    quick.new_shape();
  });
  const auto began = begin_of(quick);
  last = came;
  EXPECT_TRUE(began - last >= milliseconds(40) || last >= began) << "one came meanwhile";
}

TEST(PaceTest, NewShapesThatDoNotEndPutNothingOffForEver) {
  Pace pace({.quiet = seconds(60), .patience = milliseconds(50)});
  const auto first = Clock::now();
  pace.new_shape();
  std::jthread shapes([&](const std::stop_token& stop) {
    for (; !stop.stop_requested(); std::this_thread::sleep_for(milliseconds(1))) pace.new_shape();
  });
  const auto began = begin_of(pace);
  EXPECT_GE(began - first, milliseconds(50));
  EXPECT_LT(began - first, seconds(30));
  // The burst is known, and goes on: it has been waited for.
  for (int i = 0; i < 1000; ++i) wait_of(pace);
  EXPECT_LT(Clock::now() - began, seconds(25)) << "each would have waited 50 ms";
}

TEST(PaceTest, EachBurstOfNewShapesIsWaitedFor) {
  Pace pace({.quiet = milliseconds(30), .patience = milliseconds(20)});
  const auto expect_waits = [&](const char* why) {
    const auto first = Clock::now();
    pace.new_shape();
    EXPECT_GE(begin_of(pace) - first, milliseconds(20)) << why;
  };
  expect_waits("patience");
  std::this_thread::sleep_for(milliseconds(40));
  expect_waits("whether or not anybody was there to see the quiet time");
  std::this_thread::sleep_for(milliseconds(40));
  std::stop_source stopped;
  stopped.request_stop();
  pace.new_shape();
  wait_of(pace, stopped.get_token());
  std::this_thread::sleep_for(milliseconds(40));
  expect_waits("after a wait that a stop ended");
}

TEST(PaceTest, NothingIsPutOffWhileSomebodyWaitsOrAfterAStop) {
  Pace pace({.quiet = seconds(60), .patience = seconds(60)});
  pace.new_shape();
  {
    const Pace::Urgency urgent(pace);
    EXPECT_LT(wait_of(pace), seconds(30));
  }
  // Who begins to wait wakes what was put off.
  std::jthread waits([&] {
    std::this_thread::sleep_for(milliseconds(30));
    const Pace::Urgency urgent(pace);
    std::this_thread::sleep_for(seconds(1));
  });
  EXPECT_LT(wait_of(pace), seconds(30));
  waits.join();
  std::stop_source stop;
  std::jthread stops([&] {
    std::this_thread::sleep_for(milliseconds(30));
    stop.request_stop();
  });
  EXPECT_LT(wait_of(pace, stop.get_token()), seconds(30));
}

TEST(PaceTest, LongWorkLeavesRoomAndShortWorkNone) {
  Pace pace({.unnoticed = milliseconds(5), .most_room = seconds(60)});
  const auto begin = Clock::now();
  pace.run({}, [] {
    std::this_thread::sleep_for(milliseconds(10));
    return 0;
  });
  EXPECT_GE(Clock::now() - begin, milliseconds(39));
  Pace rarely({.unnoticed = seconds(30), .most_room = seconds(60)});
  const auto again = Clock::now();
  rarely.run({}, [] { return 0; });
  EXPECT_LT(Clock::now() - again, seconds(30));
}

}  // namespace
}  // namespace jitney::runtime
