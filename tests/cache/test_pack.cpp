// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <rapidcheck.h>

#include <algorithm>
#include <set>

#include "cache/bytes.h"
#include "cache/cache_testing.h"
#include "cache/pack.h"
#include "util/hash.h"

namespace jitney::cache {
namespace {

using namespace jitney::cache::testing;
using Bytes = std::vector<std::byte>;
using Kind = PackContents::Kind;

Bytes pack_of(const std::vector<std::string>& sources) {
  PackWriter writer;
  for (const auto& source : sources) writer.add(*encode_entry(key_of(source), blob_of("blob of " + source)), 7);
  return writer.take();
}

/// What can be read, each checked to be what it must be.
std::set<std::string> sources_in(std::span<const std::byte> bytes) {
  std::set<std::string> sources;
  for (const auto& item : read_pack(bytes).items) {
    const auto blob = unpack_entry(item.entry);
    EXPECT_TRUE(blob);
    const std::string text = blob ? text_of(*blob) : "";
    const std::string source = text.substr(std::min<std::size_t>(text.size(), 8));
    EXPECT_EQ(text, "blob of " + source);
    EXPECT_EQ(item.entry.key, key_of(source).text());
    sources.insert(source);
  }
  return sources;
}

TEST(Pack, WhatIsAddedComesBack) {
  const Bytes bytes = pack_of({"a", "b", "c"});
  const auto contents = read_pack(bytes);
  EXPECT_EQ(contents.kind, Kind::pack);
  EXPECT_EQ(contents.creator, JITNEY_VERSION);
  EXPECT_EQ(contents.damaged, 0u);
  ASSERT_EQ(contents.items.size(), 3u);
  EXPECT_EQ(contents.items[0].used, 7u);
  EXPECT_EQ(sources_in(bytes), (std::set<std::string>{"a", "b", "c"}));
  EXPECT_EQ(read_pack({}).kind, Kind::pack);
  EXPECT_EQ(read_pack(pack_of({})).items.size(), 0u);
}

TEST(Pack, BytesAreAsTheGrammarSays) {
  const Bytes bytes = pack_of({"a"});
  const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  EXPECT_EQ(text.substr(0, 12), std::string("\x89JKP\r\n\x1a\n\x01\0\0\0", 12));
  EXPECT_EQ(text.substr(24, 8), "\xf5JKFRAM\xf5");
  EXPECT_EQ(get<std::uint64_t>(bytes, 32), 7u);
  EXPECT_EQ(get<std::uint64_t>(bytes, 40), bytes.size() - 24 - 32);
}

/// RELIABILITY 10: a flip costs at most the entry that it is in, and is seen.
TEST(Pack, Mode10_EveryBitFlipCostsAtMostOneEntry) {
  Bytes bytes = pack_of({"a", "b", "c"});
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    const auto mask = static_cast<std::byte>(1u << (bit % 8));
    bytes[bit / 8] ^= mask;
    const auto contents = read_pack(bytes);
    ASSERT_EQ(contents.kind, Kind::pack) << bit;
    ASSERT_GE(sources_in(bytes).size(), 2u) << bit;
    ASSERT_EQ(contents.damaged, bit / 8 >= kPackHeadBytes ? 1u : 0u) << bit;
    bytes[bit / 8] ^= mask;
  }
}

/// RELIABILITY 9.
TEST(Pack, Mode09_EveryTruncationKeepsTheEntriesBeforeIt) {
  const Bytes bytes = pack_of({"a", "b", "c"});
  std::vector<std::size_t> ends;  // of entries
  for (const auto& item : read_pack(bytes).items)
    ends.push_back(static_cast<std::size_t>(item.bytes.data() + item.bytes.size() - bytes.data()));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const Bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    ASSERT_EQ(read_pack(cut).kind, Kind::pack) << size;
    const auto whole =
        static_cast<std::size_t>(std::ranges::count_if(ends, [&](std::size_t end) { return end <= size; }));
    ASSERT_EQ(sources_in(cut).size(), whole) << size;
  }
}

TEST(Pack, ForeignBytesAreToldApart) {
  for (const std::string text : {"x", "PK\3\4", "a text that is longer than the head of a pack and no cache at all"})
    EXPECT_EQ(read_pack(blob_of(text)).kind, Kind::foreign) << text;
  EXPECT_EQ(read_pack(*encode_entry(key_of("a"), blob_of("x"))).kind, Kind::foreign);
  Bytes newer = pack_of({});
  newer[8] = std::byte{2};
  EXPECT_EQ(read_pack(newer).kind, Kind::newer);
}

/// RELIABILITY 14: lengths that lie under a valid check.
TEST(Pack, Mode14_LyingLengthsGiveNothingAndCostNothing) {
  const Bytes good = pack_of({"a", "b"});
  for (const std::uint64_t lie : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 31, std::uint64_t{1} << 40,
                                  std::uint64_t{1} << 63, ~std::uint64_t{0}, ~std::uint64_t{0} - 31}) {
    Bytes bytes = good;
    for (int i = 0; i < 8; ++i) bytes[40 + static_cast<std::size_t>(i)] = static_cast<std::byte>(lie >> (8 * i));
    const Digest check = digest_of(std::span(bytes).subspan(24, 24));
    std::copy_n(check.begin(), 8, bytes.begin() + 48);
    EXPECT_EQ(sources_in(bytes), (std::set<std::string>{"b"})) << lie;
  }
}

TEST(Pack, EntriesOfAnotherFormatAreKeptAsTheyAre) {
  Bytes entry = *encode_entry(key_of("future"), blob_of("x"));
  entry[8] = std::byte{9};
  const Digest digest = digest_of(std::span(entry).first(entry.size() - kDigestBytes));
  std::ranges::copy(digest, entry.end() - kDigestBytes);
  PackWriter writer;
  writer.add(entry, 1);
  const Bytes bytes = writer.take();
  const auto contents = read_pack(bytes);
  EXPECT_EQ(contents.items.size(), 0u);
  EXPECT_EQ(contents.damaged, 0u);
  ASSERT_EQ(contents.unknown.size(), 1u);
  EXPECT_EQ(contents.unknown[0].size(), kFrameHeadBytes + entry.size());
}

TEST(Pack, AnyDamageGivesOnlyRightEntries) {
  rc::check([](const std::vector<std::pair<std::uint16_t, std::uint8_t>>& changes) {
    Bytes bytes = pack_of({"a", "b", "c", "d"});
    for (const auto& [where, what] : changes) bytes[where % bytes.size()] = static_cast<std::byte>(what);
    for (const auto& item : read_pack(bytes).items) {
      const auto blob = unpack_entry(item.entry);
      RC_ASSERT(blob.has_value());
      RC_ASSERT(item.entry.key == key_of(text_of(*blob).substr(8)).text());
    }
  });
}

}  // namespace
}  // namespace jitney::cache
