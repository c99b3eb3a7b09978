// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Mode 30: kernels that came with an engine file are found by their whole key, from a private copy, or there is a
// reason.
#include "cache/precompiled.h"

#include "cache/cache_testing.h"
#include "cache/pack.h"

namespace jitney::cache {
namespace {

using namespace jitney::cache::testing;

Key kernel(const std::string& source, const std::string& target = "x86-64-v3",
           const std::string& compiler = "clang 1") {
  return Key().add("kind", "kernel").add("target", target).add("compiler", compiler).add("source", source);
}

std::vector<std::byte> pack_of(const std::vector<Key>& keys, const Hmac* signer = nullptr) {
  PackWriter writer;
  for (const auto& key : keys)
    writer.add(*encode_entry(key, blob_of(content_of(std::string(key.fields().back().second))), signer), 7);
  return writer.take();
}

Miss why_not(Precompiled& kernels, const Key& key) {
  const auto blob = kernels.find(key);
  return blob ? Miss::disabled : blob.error();
}

TEST(Precompiled, Mode30_FoundByTheWholeKeyOrThereIsAReason) {
  const auto kernels =
      *Precompiled::read(pack_of({kernel("a"), kernel("b"), kernel("b", "sm_90", "nvrtc 12")}), nullptr);
  EXPECT_EQ(text_of(**kernels->find(kernel("a"))), content_of("a"));
  EXPECT_EQ(text_of(**kernels->find(kernel("b", "sm_90", "nvrtc 12"))), content_of("b"));
  EXPECT_EQ(why_not(*kernels, kernel("c")), Miss::absent);
  EXPECT_EQ(why_not(*kernels, kernel("a", "x86-64-v4")), Miss::other_device);
  EXPECT_EQ(why_not(*kernels, kernel("c", "x86-64-v4")), Miss::other_device);
  EXPECT_EQ(why_not(*kernels, kernel("a", "x86-64-v3", "clang 2")), Miss::other_compiler);
  EXPECT_EQ(why_not(*kernels, kernel("a").add("optimized", "no")), Miss::absent);
  EXPECT_EQ(kernels->targets(), (std::map<std::string, std::uint64_t>{{"sm_90", 1}, {"x86-64-v3", 2}}));
  EXPECT_EQ(kernels->compilers("x86-64-v3"), std::vector<std::string>{"clang 1"});
  EXPECT_EQ(kernels->compilers("sm_80").size(), 2u);
}

TEST(Precompiled, OnlyKernelsAreTakenAndEqualOnesGiveEqualBytes) {
  const Key fact = Key().add("kind", "tactic").add("target", "x86-64-v3").add("call", "x");
  const auto made = *kernels_of(pack_of({kernel("b"), fact, kernel("a")}), nullptr);
  EXPECT_EQ(made, *kernels_of(pack_of({kernel("a"), kernel("b")}), nullptr));
  EXPECT_EQ(read_pack(made).items.size(), 2u);
  EXPECT_TRUE(kernels_of(pack_of({fact}), nullptr)->empty());
  EXPECT_TRUE(kernels_of({}, nullptr)->empty());
  EXPECT_EQ(why_not(**Precompiled::read(pack_of({fact, kernel("a")}), nullptr), fact), Miss::absent);
}

TEST(Precompiled, Mode30_EveryChangedByteIsFound) {
  const auto pack = pack_of({kernel("a")});
  const int step = rounds(29, 1);
  for (std::size_t at = 0; at < pack.size(); at += static_cast<std::size_t>(step)) {
    auto changed = pack;
    changed[at] ^= std::byte{1} << (at % 8);
    const auto kernels = Precompiled::read(changed, nullptr);
    if (!kernels) continue;
    const auto blob = (*kernels)->find(kernel("a"));
    ASSERT_TRUE(!blob || text_of(**blob) == content_of("a")) << at;
  }
  for (std::size_t size = 0; size < pack.size(); size += static_cast<std::size_t>(step)) {
    const auto kernels = Precompiled::read(std::span(pack).first(size), nullptr);
    ASSERT_TRUE(!kernels || !(*kernels)->find(kernel("a"))) << size;
  }
  auto changed = pack;
  changed[pack.size() / 2] ^= std::byte{16};
  const auto damaged = *Precompiled::read(changed, nullptr);
  EXPECT_EQ(damaged->damaged(), 1u);
  EXPECT_EQ(why_not(*damaged, kernel("a")), Miss::damaged);
}

TEST(Precompiled, Mode30_WhatTheBytesBecomeAfterwardsDoesNotMatter) {
  auto pack = pack_of({kernel("a")});
  const auto kernels = *Precompiled::read(pack, nullptr);
  std::ranges::fill(pack, std::byte{0});
  EXPECT_EQ(text_of(**kernels->find(kernel("a"))), content_of("a"));
}

TEST(Precompiled, Mode28_WithASecretOnlySignedOnesAreUsed) {
  const auto ours = *Hmac::open("0123456789abcdef"), other = *Hmac::open("fedcba9876543210");
  const auto kernels = *Precompiled::read(pack_of({kernel("a")}), ours.get());
  EXPECT_EQ(kernels->unauthenticated(), 1u);
  EXPECT_NE(why_not(*kernels, kernel("a")), Miss::disabled);
  EXPECT_NE(why_not(**Precompiled::read(pack_of({kernel("a")}, other.get()), ours.get()), kernel("a")), Miss::disabled);
  EXPECT_EQ(why_not(**Precompiled::read(pack_of({kernel("a")}, ours.get()), ours.get()), kernel("a")), Miss::disabled);
}

TEST(Precompiled, WhatIsNoPackIsRefused) {
  EXPECT_FALSE(Precompiled::read(blob_of("no pack at all, but some text"), nullptr));
  auto newer = pack_of({});
  newer[8] = std::byte{9};
  EXPECT_FALSE(Precompiled::read(newer, nullptr));
}

}  // namespace
}  // namespace jitney::cache
