// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "util/hash.h"

namespace jitney {
namespace {

TEST(Hash, IsXxh3As128Bits) {
  EXPECT_EQ(hash_hex(std::string_view("")), "99aa06d3014798d86001c324468d497f");  // the published value
  EXPECT_EQ(hash_hex(std::string_view("a")).size(), 32u);
  EXPECT_NE(hash_hex(std::string_view("a")), hash_hex(std::string_view("b")));
  EXPECT_EQ(to_hex(Digest{std::byte{0x0f}, std::byte{0xa0}}).substr(0, 4), "0fa0");
}

}  // namespace
}  // namespace jitney
