// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "support.h"

namespace jitney::compiler {
namespace {

using namespace test;

class Record : public testing::Test {
 protected:
  TemporaryFolder folder_;
  std::string a_ = folder_.write("a lib.so", "aaaa", false), b_ = folder_.write("b.so", "bb", false);
  std::string record_ = IdentityRecord::make("clang 19", {a_, b_});
};

TEST_F(Record, HoldsWhileNothingChanges) { EXPECT_EQ(IdentityRecord::check(record_), "clang 19"); }

TEST_F(Record, ANewSizeEndsIt) {
  folder_.write("b.so", "bbb", false);
  EXPECT_FALSE(IdentityRecord::check(record_));
}

TEST_F(Record, ANewTimeEndsIt) {
  auto time = std::filesystem::last_write_time(a_);
  std::filesystem::last_write_time(a_, time + std::chrono::nanoseconds(1000));
  EXPECT_FALSE(IdentityRecord::check(record_));
  std::filesystem::last_write_time(a_, time);
  EXPECT_TRUE(IdentityRecord::check(record_));
}

TEST_F(Record, AMissingFileEndsIt) {
  std::filesystem::remove(b_);
  EXPECT_FALSE(IdentityRecord::check(record_));
  EXPECT_EQ(IdentityRecord::make("clang 19", {a_, b_}), "");
}

TEST_F(Record, EveryTruncationIsRefused) {
  for (std::size_t n = 0; n < record_.size(); ++n) EXPECT_FALSE(IdentityRecord::check(record_.substr(0, n))) << n;
  EXPECT_FALSE(IdentityRecord::check(record_ + "x"));
  EXPECT_FALSE(IdentityRecord::check("jitney compiler record 1\nidentity clang 19\nend\n"));
}

TEST_F(Record, KeyTellsProgramsApart) {
  auto a = value_or_throw(IdentityRecord::key(a_)), b = value_or_throw(IdentityRecord::key(b_));
  EXPECT_NE(a, b);
  folder_.write("a lib.so", "aaaaa", false);
  EXPECT_NE(value_or_throw(IdentityRecord::key(a_)), a);
  EXPECT_FALSE(IdentityRecord::key((folder_.path() / "none").string()));
}

}  // namespace
}  // namespace jitney::compiler
