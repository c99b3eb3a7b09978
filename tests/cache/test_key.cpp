// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cache/cache_testing.h"

namespace jitney::cache {
namespace {

TEST(Key, TextAndHashAreFixed) {
  EXPECT_EQ(Key().text(), "jitney-key 1\n");
  const Key key = Key().add("source", "int x;\n").add("empty", "").add("target_key", "x86-64-v4");
  EXPECT_EQ(key.text(), "jitney-key 1\nsource 7:int x;\n\nempty 0:\ntarget_key 9:x86-64-v4\n");
  EXPECT_EQ(key.hash(), "c0b20375f16babe7eff9e4bc9f356c3d");
}

TEST(Key, FieldsCannotRunIntoEachOther) {
  EXPECT_NE(Key().add("a", "x\nb 1:y").text(), Key().add("a", "x").add("b", "y").text());
  EXPECT_NE(Key().add("a", "1").add("b", "").text(), Key().add("a", "").add("b", "1").text());
  EXPECT_NE(Key().add("a", std::string_view("\0", 1)).text(), Key().add("a", "").text());
}

TEST(Key, EqualMeansEqualText) {
  EXPECT_EQ(Key().add("a", "1"), Key().add("a", "1"));
  EXPECT_FALSE(Key().add("a", "1") == Key().add("a", "2"));
}

}  // namespace
}  // namespace jitney::cache
