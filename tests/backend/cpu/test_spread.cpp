// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Threads of a team that meet on one processor part, and are free again when the execute ends.
#include <gtest/gtest.h>
#include <sched.h>

#include <set>
#include <thread>
#include <vector>

#include "backend/cpu/parallel_for.h"
#include "backend/cpu/spread.h"

namespace jitney::backend {
namespace {

struct Place {
  int processor = -1;
  cpu_set_t allowed{};
};

/// Where each thread of a region is.
std::vector<Place> places(int team) {
  std::vector<Place> found(static_cast<std::size_t>(team));
  on_every_thread(
      team,
      [](void* data, std::int64_t index, std::int64_t) {
        Place& place = (*static_cast<std::vector<Place>*>(data))[static_cast<std::size_t>(index)];
        place.processor = sched_getcpu();
        sched_getaffinity(0, sizeof(place.allowed), &place.allowed);
      },
      &found);
  return found;
}

/// Everybody to one processor, free to leave it.
void crowd(int team) {
  int first = places(1)[0].processor;
  on_every_thread(
      team,
      [](void* data, std::int64_t, std::int64_t) {
        cpu_set_t allowed, one;
        sched_getaffinity(0, sizeof(allowed), &allowed);
        CPU_ZERO(&one);
        CPU_SET(*static_cast<int*>(data), &one);
        sched_setaffinity(0, sizeof(one), &one);
        sched_setaffinity(0, sizeof(allowed), &allowed);
      },
      &first);
}

class SpreadTest : public ::testing::Test {
 protected:
  void SetUp() override {
#ifdef JITNEY_TSAN
    GTEST_SKIP() << "these builds have no teams";
#endif
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0 || CPU_COUNT(&allowed) < 2 || CPU_COUNT(&allowed) > 64)
      GTEST_SKIP() << "one processor, or too many for a word";
    team_ = CPU_COUNT(&allowed);
    before_ = places(team_);
  }
  void leave() const {
    on_every_thread(
        team_, [](void* of, std::int64_t, std::int64_t) { static_cast<const Watch*>(of)->release(); }, &Watch::mine());
  }
  void expect_free() const {
    const auto now = places(team_);
    for (std::size_t i = 0; i < now.size(); ++i) EXPECT_TRUE(CPU_EQUAL(&now[i].allowed, &before_[i].allowed)) << i;
  }
  int team_ = 0;
  std::vector<Place> before_;
};

TEST_F(SpreadTest, ThreadsThatMeetPart) {
  int met = 0;
  for (int i = 0; i < 20; ++i) {
    crowd(team_);
    Watch::mine().begin(team_);
    places(team_);  // where they meet
    std::set<int> used;
    bool is_bound = true;
    for (const Place& p : places(team_)) {
      used.insert(p.processor);
      is_bound = is_bound && CPU_COUNT(&p.allowed) == 1;
    }
    // A scheduler may have been quicker.
    met += is_bound;
    if (is_bound) {
      EXPECT_EQ(used.size(), static_cast<std::size_t>(team_));
    }
    EXPECT_EQ(Watch::mine().end(), is_bound);
    leave();
    expect_free();
  }
  EXPECT_GT(met, 10);
}

TEST_F(SpreadTest, ATeamWithProcessorsToSpareIsLeftAlone) {
  if (team_ < 3) GTEST_SKIP() << "two processors";
  crowd(2);
  Watch::mine().begin(2);
  places(2);
  for (const Place& p : places(2)) EXPECT_TRUE(CPU_EQUAL(&p.allowed, &before_[0].allowed));
  static_cast<void>(Watch::mine().end());
}

TEST_F(SpreadTest, AThreadThatIsMadeMeanwhileIsFreeInTheEnd) {
  // As the runtime makes them, like the bound caller, after a smaller team has ended those that it left over.
  for (const bool is_seen : {true, false}) {
    crowd(team_);
    Watch& watch = Watch::mine();
    watch.begin(team_);
    places(team_);
    std::thread([&] {
      cpu_set_t allowed;
      if (is_seen) {
        watch.settle(1);
        sched_getaffinity(0, sizeof(allowed), &allowed);
        EXPECT_EQ(CPU_COUNT(&allowed), 1);
      }
      watch.release();
      sched_getaffinity(0, sizeof(allowed), &allowed);
      EXPECT_TRUE(CPU_EQUAL(&allowed, &before_[0].allowed)) << is_seen;
    }).join();
    if (watch.end()) leave();
    expect_free();
  }
}

TEST_F(SpreadTest, OneThreadIsNotWatched) {
  Watch::mine().begin(1);
  EXPECT_FALSE(Watch::mine().is_on());
  EXPECT_FALSE(Watch::mine().end());
}

TEST_F(SpreadTest, AnExecuteThatNobodyEndedLeavesNobodyBound) {
  crowd(team_);
  Watch::mine().begin(team_);
  places(team_);
  Watch::mine().begin(team_);
  places(team_);
  static_cast<void>(Watch::mine().end());
  leave();
  expect_free();
}

}  // namespace
}  // namespace jitney::backend
