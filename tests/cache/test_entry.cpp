// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <rapidcheck.h>
#include <zstd.h>

#include <algorithm>

#include "cache/cache_testing.h"
#include "cache/entry.h"
#include "util/hash.h"

namespace jitney::cache {
namespace {

using testing::blob_of;
using testing::key_of;
using testing::text_of;

using Bytes = std::vector<std::byte>;

/// Changes an entry and then makes its digest right again: a writer with bad intentions or a bug.
Bytes forge(Bytes entry, std::size_t offset, std::uint64_t value, std::size_t width) {
  for (std::size_t i = 0; i < width; ++i) entry[offset + i] = static_cast<std::byte>(value >> (8 * i));
  const Digest digest = digest_of(std::span(entry).first(entry.size() - kDigestBytes));
  std::copy(digest.begin(), digest.end(), entry.end() - kDigestBytes);
  return entry;
}

Miss reason(const Bytes& entry, const Key& key) {
  const auto blob = decode_entry(entry, key);
  EXPECT_FALSE(blob);
  return blob ? Miss::disabled : blob.error();
}

TEST(Entry, AnyBlobComesBack) {
  rc::check([](const std::string& source, const std::string& text) {
    const auto entry = encode_entry(key_of(source), blob_of(text));
    RC_ASSERT(entry.has_value());
    const auto blob = decode_entry(*entry, key_of(source));
    RC_ASSERT(blob.has_value());
    RC_ASSERT(text_of(*blob) == text);
  });
}

TEST(Entry, BlobsOfExtremeRatioAreStoredAsTheyAre) {
  const Blob zeros(10'000'000);
  const auto entry = encode_entry(key_of("a"), zeros);
  ASSERT_TRUE(entry);
  EXPECT_GT(entry->size(), zeros.size());
  EXPECT_EQ(decode_entry(*entry, key_of("a")), zeros);
}

TEST(Entry, BytesAreAsTheGrammarSays) {
  const Key key = key_of("a");
  const auto entry = *encode_entry(key, blob_of("xyz"));
  const std::string text(reinterpret_cast<const char*>(entry.data()), entry.size());
  EXPECT_EQ(text.substr(0, 12), std::string("\x89JKE\r\n\x1a\n\x01\0\0\0", 12));
  EXPECT_EQ(text.substr(12, 8),
            std::string(JITNEY_VERSION) + std::string(8 - std::string(JITNEY_VERSION).size(), '\0'));
  EXPECT_EQ(text.substr(48, key.text().size()), key.text());
  EXPECT_EQ(text.substr(48 + key.text().size(), 3), "xyz");  // three bytes do not compress
  EXPECT_EQ(text.size(), 48 + key.text().size() + 3 + 16);
}

TEST(Entry, Mode10_EveryBitFlipIsAMiss) {
  const Key key = key_of("a");
  for (const Blob& blob : {blob_of(testing::content_of("a")), blob_of("short"), Blob()}) {
    Bytes entry = *encode_entry(key, blob);
    for (std::size_t bit = 0; bit < 8 * entry.size(); ++bit) {
      const auto mask = static_cast<std::byte>(1u << (bit % 8));
      entry[bit / 8] ^= mask;
      const auto read = decode_entry(entry, key);
      ASSERT_FALSE(read) << "bit " << bit;
      ASSERT_TRUE(read.error() == Miss::damaged || (read.error() == Miss::format && bit < 8 * 12)) << "bit " << bit;
      entry[bit / 8] ^= mask;
    }
    ASSERT_EQ(decode_entry(entry, key), blob);
  }
}

TEST(Entry, Mode09_EveryTruncationAndAnyExtensionIsAMiss) {
  const Key key = key_of("a");
  Bytes entry = *encode_entry(key, blob_of(testing::content_of("a")));
  for (std::size_t size = 0; size < entry.size(); ++size) {
    ASSERT_EQ(reason(Bytes(entry.begin(), entry.begin() + static_cast<std::ptrdiff_t>(size)), key), Miss::damaged)
        << size;
  }
  entry.push_back(std::byte{0});
  EXPECT_EQ(reason(entry, key), Miss::damaged);
}

TEST(Entry, AnotherKeyIsAMiss) {
  const auto entry = *encode_entry(key_of("a"), blob_of("x"));
  EXPECT_EQ(reason(entry, key_of("b")), Miss::other_key);
  EXPECT_EQ(reason(entry, Key()), Miss::other_key);
  EXPECT_EQ(reason(entry, key_of("a").add("more", "")), Miss::other_key);
}

TEST(Entry, AnotherFormatIsAMiss) {
  const auto entry = *encode_entry(key_of("a"), blob_of("x"));
  EXPECT_EQ(reason(forge(entry, 8, 2, 4), key_of("a")), Miss::format);
}

/// Lengths that lie under a valid digest. Believing one would read past the entry or fail to allocate.
TEST(Entry, Mode14_LyingLengthsAreRefusedBeforeAllocating) {
  const Key key = key_of("a");
  const auto entry = *encode_entry(key, blob_of(testing::content_of("a")));
  for (std::size_t offset : {24, 32, 40}) {  // key_length, raw_size, stored_size
    for (std::uint64_t lie :
         {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 31, (std::uint64_t{1} << 32) - 1,
          std::uint64_t{1} << 40, std::uint64_t{1} << 63, ~std::uint64_t{0}, ~std::uint64_t{0} - 100}) {
      EXPECT_EQ(reason(forge(entry, offset, lie, 8), key), Miss::damaged) << offset << " " << lie;
    }
  }
  EXPECT_EQ(reason(forge(entry, 32, kMaxBlobBytes, 8), key), Miss::damaged);  // allowed as such, but not this frame's
  EXPECT_EQ(reason(forge(entry, 20, 7, 4), key), Miss::damaged);              // an unknown codec
  EXPECT_EQ(reason(forge(entry, 20, 0, 4), key), Miss::damaged);              // the wrong codec
}

/// A frame that unpacks to 200 MiB from a few KB, with honest lengths and a valid digest.
TEST(Entry, Mode14_ZipBombIsRefused) {
  const Key key = key_of("a");
  const Blob zeros(std::size_t{200} << 20);
  Bytes frame(ZSTD_compressBound(zeros.size()));
  frame.resize(ZSTD_compress(frame.data(), frame.size(), zeros.data(), zeros.size(), 3));
  ASSERT_LT(frame.size(), zeros.size() / kMaxRatio);
  Bytes entry = *encode_entry(key, Blob());
  entry.insert(entry.end() - kDigestBytes, frame.begin(), frame.end());
  entry = forge(entry, 40, frame.size(), 8);
  entry = forge(entry, 20, 1, 4);
  EXPECT_EQ(reason(forge(entry, 32, zeros.size(), 8), key), Miss::damaged);
}

TEST(Entry, LimitsHoldWhenWriting) {
  const auto big = encode_entry(key_of("a"), Blob(kMaxBlobBytes + 1));
  ASSERT_FALSE(big);
  EXPECT_EQ(big.error().kind, ErrorKind::environment);
  EXPECT_FALSE(encode_entry(Key().add("source", std::string(kMaxKeyBytes, 'x')), Blob()));
}

}  // namespace
}  // namespace jitney::cache
