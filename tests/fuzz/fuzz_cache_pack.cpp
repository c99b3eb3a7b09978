// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// A packed cache as somebody else may have written it, from a file, a stream or an engine file: as it is, and with
// checks and digests that fit, since everything else lies behind them.
#include <algorithm>
#include <cstring>

#include "cache/bytes.h"
#include "cache/pack.h"
#include "cache/pack_merge.h"
#include "cache/precompiled.h"
#include "fuzzing.h"
#include "util/hash.h"

using namespace jitney;
using Bytes = std::span<const std::byte>;

namespace {

constexpr std::string_view kMark = "\xf5JKFRAM\xf5";

/// Every frame that begins with a mark gets a check and a digest that fit. A length that reaches too far is cut down.
void seal_again(std::vector<std::byte>& pack) {
  for (std::size_t at = cache::kPackHeadBytes; at + cache::kFrameHeadBytes <= pack.size(); ++at) {
    if (std::memcmp(pack.data() + at, kMark.data(), kMark.size()) != 0) continue;
    const std::span<std::byte> head(pack.data() + at, cache::kFrameHeadBytes);
    const std::uint64_t left = pack.size() - at - cache::kFrameHeadBytes;
    const std::uint64_t length = std::min(cache::get<std::uint64_t>(head, 16), left);
    std::memcpy(head.data() + 16, &length, sizeof length);
    const auto check = cache::get<std::uint64_t>(digest_of(head.first(24)), 0);
    std::memcpy(head.data() + 24, &check, sizeof check);
    const std::span<std::byte> entry(head.data() + head.size(), length);
    if (length < cache::kDigestBytes) continue;
    std::ranges::copy(digest_of(entry.first(length - cache::kDigestBytes)), entry.last(cache::kDigestBytes).begin());
    at += cache::kFrameHeadBytes + length - 1;
  }
}

void use_key(std::string_view text) {
  const auto key = cache::Key::parse(text);
  if (!key) return;
  REQUIRE(key->text() == text);
  cache::Key again;
  for (const auto& [name, value] : key->fields()) again.add(name, value);
  REQUIRE(again == *key);
  REQUIRE(key->difference(*key) == cache::Miss::other_key);
  REQUIRE(key->subject().size() == 16);
}

/// Whoever looks for a key gets a blob or a reason.
void use_precompiled(Bytes pack) {
  const auto kernels = cache::kernels_of(pack, nullptr);
  auto read = cache::Precompiled::read(pack, nullptr);
  REQUIRE(kernels.has_value() == read.has_value());
  if (!read) return;
  if (!kernels->empty()) {
    const auto again = cache::kernels_of(*kernels, nullptr);
    REQUIRE(again && *again == *kernels);
  }
  for (const auto& item : cache::read_pack(pack).items) {
    if (const auto key = cache::Key::parse(item.entry.key)) (void)(*read)->find(*key);
  }
  (void)(*read)->find(cache::Key().add("kind", "kernel").add("target", "x"));
  REQUIRE(!(*read)->compilers("x").empty());
}

void check(const std::vector<std::byte>& pack) {
  const cache::PackContents contents = cache::read_pack(pack);
  cache::EntryTable table;
  for (const auto& item : contents.items) {
    REQUIRE(cache::verify_entry(item.bytes));
    use_key(item.entry.key);
    REQUIRE(table.insert_packed(item.entry.key, item.bytes, item.used));
  }
  use_precompiled(pack);
  // What is merged into the file holds all of it, and is whole.
  const auto items = table.items();
  auto rows = cache::rows_of(table, items, nullptr);
  cache::PackedReport report;
  if (rows) {
    const auto merged = cache::merge_pack("x", std::move(*rows), pack, {}, report);
    REQUIRE(merged.has_value() == (contents.kind == cache::PackContents::Kind::pack));
    if (merged && *merged) {
      const auto again = cache::read_pack(**merged);
      REQUIRE(again.damaged == 0 && again.items.size() == contents.items.size());
      REQUIRE(again.unknown.size() == contents.unknown.size());
    }
  }
  for (const auto& item : items) (void)table.find(item.key);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::byte> pack = fuzzing::copy_of(fuzzing::bytes_of(data, size));
  check(pack);
  seal_again(pack);
  check(pack);
  return 0;
}
