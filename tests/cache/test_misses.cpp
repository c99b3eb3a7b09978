// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Every miss has a reason; and entries that nobody may trust are misses.
#include <jitney/runtime_cache.h>

#include "cache/cache_testing.h"
#include "cache/settings.h"
#include "util/hash.h"

namespace jitney::cache {
namespace {

using namespace jitney::cache::testing;

Key kernel(const std::string& target, const std::string& driver, const std::string& compiler,
           const std::string& source = "s") {
  return Key()
      .add("kind", "kernel")
      .add("target", target)
      .add("driver", driver)
      .add("compiler", compiler)
      .add("source", source);
}

/// RELIABILITY 11: what differs in anything that can change the bytes is not used, the miss says what, and both stay.
TEST(Misses, Mode11_OtherCircumstancesAreNamedAndCoexist) {
  TempDir dir;
  const Key old = kernel("sm_90", "570", "nvrtc 12.9");
  open_store(dir / "c")->publish(old, blob_of("old"));
  const std::pair<Key, std::string> cases[] = {
      {kernel("sm_80", "570", "nvrtc 12.9"), "<other device>"},
      {kernel("sm_90", "580", "nvrtc 12.9"), "<other driver>"},
      {kernel("sm_90", "570", "nvrtc 13.0"), "<other compiler>"},
      {kernel("sm_80", "580", "nvrtc 13.0"), "<other device>"},
      {kernel("sm_90", "570", "nvrtc 12.9", "t"), "<absent>"},
  };
  for (const auto& [key, reason] : cases) EXPECT_EQ(found(*open_store(dir / "c"), key), reason);
  for (const auto& [key, reason] : cases) open_store(dir / "c")->publish(key, blob_of(key.hash()));
  for (const auto& [key, reason] : cases) EXPECT_EQ(found(*open_store(dir / "c"), key), key.hash());
  EXPECT_EQ(found(*open_store(dir / "c"), old), "old");
}

TEST(Misses, Mode11_APackedCacheNamesThemToo) {
  TempDir dir;
  jitney::RuntimeCache old(dir / "c");
  use_handle({std::shared_ptr<void>(), &old})->publish(kernel("sm_90", "570", "nvrtc 12.9"), blob_of("old"));
  old.save();
  jitney::RuntimeCache cache(dir / "c");
  cache.load();
  const auto use = use_handle({std::shared_ptr<void>(), &cache});
  EXPECT_EQ(found(*use, kernel("sm_80", "570", "nvrtc 12.9")), "<other device>");
  EXPECT_EQ(found(*use, kernel("sm_90", "570", "nvrtc 12.9", "t")), "<absent>");
  use->publish(kernel("sm_90", "570", "nvrtc 12.9", "t"), blob_of("t"));
  EXPECT_EQ(found(*use, kernel("sm_90", "580", "nvrtc 12.9", "t")), "<other driver>");
  EXPECT_EQ(cache.stats().misses.at("other driver"), 1u);
}

TEST(Misses, KeysAreParsedAsTheyWereMade) {
  const Key key = kernel("a b:3", "", "x\ny 2:zz\n");
  const auto parsed = Key::parse(key.text());
  ASSERT_TRUE(parsed);
  EXPECT_EQ(*parsed, key);
  const auto fields = parsed->fields();
  ASSERT_EQ(fields.size(), 5u);
  EXPECT_EQ(fields[3].second, "x\ny 2:zz\n");
  for (const std::string bad :
       {"", "jitney-key 2\n", "jitney-key 1\na 1:", "jitney-key 1\na 01:x\n", "jitney-key 1\nA 1:x\n",
        "jitney-key 1\na 5:x\n", "jitney-key 1\na 1:xy", "jitney-key 1\n 1:x\n"})
    EXPECT_FALSE(Key::parse(bad)) << bad;
}

struct Secret {
  explicit Secret(const char* value) { value ? setenv("JITNEY_CACHE_KEY", value, 1) : unsetenv("JITNEY_CACHE_KEY"); }
  ~Secret() { unsetenv("JITNEY_CACHE_KEY"); }
};
constexpr const char* kSecret = "a secret of twenty-four b";
constexpr const char* kOther = "another secret, as long ";

/// RELIABILITY 28: with a secret, what was not signed with it is not loaded, however valid its digest is.
TEST(Misses, Mode28_OnlySignedEntriesAreLoadedWithASecret) {
  TempDir dir;
  const Key key = key_of("a");
  open_store(dir / "c")->publish(key, blob_of("unsigned"));
  {
    const Secret secret(kSecret);
    const auto cache = open_store(dir / "c");
    EXPECT_EQ(found(*cache, key), "<not authenticated>");
    cache->publish(key, blob_of("signed"));  // takes its place
    EXPECT_EQ(found(*open_store(dir / "c"), key), "signed");
  }
  {
    const Secret secret(kOther);
    EXPECT_EQ(found(*open_store(dir / "c"), key), "<not authenticated>");
  }
  EXPECT_EQ(found(*open_store(dir / "c"), key), "signed");  // whoever has no secret trusts the folder
}

TEST(Misses, Mode28_PackedFilesToo) {
  TempDir dir;
  {
    jitney::RuntimeCache plain(dir / "c");
    use_handle({std::shared_ptr<void>(), &plain})->publish(key_of("a"), blob_of("a"));
    plain.save();
  }
  const Secret secret(kSecret);
  jitney::RuntimeCache cache(dir / "c");
  cache.load();
  EXPECT_EQ(cache.stats().entries, 0u);
  EXPECT_EQ(cache.stats().misses.at("not authenticated"), 1u);
  use_handle({std::shared_ptr<void>(), &cache})->publish(key_of("b"), blob_of("b"));
  cache.save();
  jitney::RuntimeCache again(dir / "c");
  again.load();
  ASSERT_EQ(again.entries().size(), 1u);
  EXPECT_EQ(again.entries()[0].fields.at("source"), "b");
  EXPECT_TRUE(again.entries()[0].is_signed);
}

TEST(Misses, Mode28_ASignatureThatWasCutOutOrChangedIsNone) {
  const auto signer = *Hmac::open(kSecret);
  const Key key = key_of("a");
  auto entry = *encode_entry(key, blob_of("x"), signer.get());
  EXPECT_TRUE(decode_entry(entry, key, signer.get()));
  const auto redigest = [](std::vector<std::byte> bytes) {
    const Digest digest = digest_of(std::span(bytes).first(bytes.size() - kDigestBytes));
    std::copy(digest.begin(), digest.end(), bytes.end() - kDigestBytes);
    return bytes;
  };
  for (std::size_t byte = 0; byte < entry.size() - kDigestBytes; ++byte) {
    auto forged = entry;
    forged[byte] ^= std::byte{1};
    ASSERT_FALSE(decode_entry(redigest(forged), key, signer.get())) << byte;
  }
  auto stripped = entry;
  stripped[21] = std::byte{0};  // says that there is no signature
  stripped.erase(stripped.end() - 48, stripped.end() - 16);
  const auto read = decode_entry(redigest(stripped), key, signer.get());
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error(), Miss::unauthenticated);
  EXPECT_TRUE(decode_entry(redigest(stripped), key));  // it is a good one but for that
}

TEST(Misses, AShortSecretRefusesTheCache) {
  TempDir dir;
  const Secret secret("short");
  ::testing::internal::CaptureStderr();
  const auto cache = open_store(dir / "c");
  EXPECT_NE(::testing::internal::GetCapturedStderr().find("at least 16"), std::string::npos);
  EXPECT_EQ(found(*cache, key_of("a")), "<refused place>");
}

TEST(Settings, Sizes) {
  EXPECT_EQ(*parse_size("0"), 0u);
  EXPECT_EQ(*parse_size("123"), 123u);
  EXPECT_EQ(*parse_size("2G"), std::uint64_t{2} << 30);
  EXPECT_EQ(*parse_size("3K"), 3072u);
  for (const char* bad : {"", "-1", "G", "1X", "1 G", "99999999999999999999", "99999999999T"})
    EXPECT_FALSE(parse_size(bad)) << bad;
}

}  // namespace
}  // namespace jitney::cache
