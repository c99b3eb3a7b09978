// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cache/pack.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <unordered_set>

#include "cache/bytes.h"
#include "util/hash.h"

namespace jitney::cache {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::string_view kMagic = "\x89JKP\r\n\x1a\n";
constexpr std::string_view kMark = "\xf5JKFRAM\xf5";

std::string_view text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

void append(std::vector<std::byte>& out, std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  out.insert(out.end(), bytes.begin(), bytes.end());
}

std::uint64_t check_of(Bytes mark_used_length) { return get<std::uint64_t>(digest_of(mark_used_length), 0); }

struct Frame {
  Bytes whole, entry;
  std::uint64_t used = 0;
};

/// The frame that begins here, if its head is whole and its entry lies within the bytes.
bool frame_at(Bytes bytes, std::size_t at, Frame& frame) {
  if (bytes.size() - at < kFrameHeadBytes) return false;
  const Bytes head = bytes.subspan(at, kFrameHeadBytes);
  if (text_of(head.first(kMark.size())) != kMark) return false;
  if (get<std::uint64_t>(head, 24) != check_of(head.first(24))) return false;
  const auto length = get<std::uint64_t>(head, 16);
  if (length > kMaxEntryBytes || length > bytes.size() - at - kFrameHeadBytes) return false;
  frame = {bytes.subspan(at, kFrameHeadBytes + length), bytes.subspan(at + kFrameHeadBytes, length),
           get<std::uint64_t>(head, 8)};
  return true;
}

/// Whether an entry of another format ends with its digest, as all formats will: else it is a damaged one of this.
bool is_whole(Bytes entry) {
  if (entry.size() < kDigestBytes) return false;
  return std::ranges::equal(digest_of(entry.first(entry.size() - kDigestBytes)), entry.last(kDigestBytes));
}

/// Where the next mark is, from `at` on; the end if there is none.
std::size_t next_mark(Bytes bytes, std::size_t at) {
  const std::size_t found = at < bytes.size() ? text_of(bytes).find(kMark, at) : std::string_view::npos;
  return found == std::string_view::npos ? bytes.size() : found;
}

/// A pack whose head was damaged still shows that it is one by its first frame.
PackContents::Kind kind_of(Bytes bytes) {
  using Kind = PackContents::Kind;
  Frame first;
  const bool has_head = bytes.size() >= kPackHeadBytes;
  const bool has_frame = bytes.size() >= kPackHeadBytes + kFrameHeadBytes && frame_at(bytes, kPackHeadBytes, first);
  if (bytes.empty() || has_frame) return Kind::pack;
  if (!bytes.empty() && bytes.size() < kPackHeadBytes)  // cut off within its head
    return text_of(bytes).substr(0, kMagic.size()) == kMagic.substr(0, std::min(bytes.size(), kMagic.size()))
               ? Kind::pack
               : Kind::foreign;
  if (!has_head || text_of(bytes.first(kMagic.size())) != kMagic) return Kind::foreign;
  return get<std::uint32_t>(bytes, 8) == kPackFormat ? Kind::pack : Kind::newer;
}

}  // namespace

PackContents read_pack(Bytes bytes, const Hmac* signer) {
  PackContents contents;
  contents.kind = kind_of(bytes);
  if (contents.kind != PackContents::Kind::pack || bytes.empty()) return contents;
  if (bytes.size() < kPackHeadBytes) {
    ++contents.damaged;
    return contents;
  }
  const std::string_view creator = text_of(bytes.subspan(12, 8));
  contents.creator = creator.substr(0, std::min(creator.size(), creator.find('\0')));
  std::unordered_set<std::string_view> keys;
  std::size_t at = kPackHeadBytes;
  while (at < bytes.size()) {
    Frame frame;
    if (!frame_at(bytes, at, frame)) {
      ++contents.damaged;
      at = next_mark(bytes, at + 1);
      continue;
    }
    const auto entry = verify_entry(frame.entry, signer);
    if (entry) {
      if (keys.insert(entry->key).second) contents.items.push_back({*entry, frame.entry, frame.used});
    } else if (entry.error() == Miss::format && is_whole(frame.entry)) {
      contents.unknown.push_back(frame.whole);
    } else {
      ++(entry.error() == Miss::unauthenticated ? contents.unauthenticated : contents.damaged);
    }
    at += frame.whole.size();
  }
  return contents;
}

PackWriter::PackWriter() {
  append(bytes_, kMagic);
  put(bytes_, kPackFormat);
  constexpr std::string_view kCreator = JITNEY_VERSION;
  for (std::size_t i = 0; i < 8; ++i) bytes_.push_back(static_cast<std::byte>(i < kCreator.size() ? kCreator[i] : 0));
  put<std::uint32_t>(bytes_, 0);
}

void PackWriter::add(Bytes entry, std::uint64_t used) {
  const std::size_t begin = bytes_.size();
  append(bytes_, kMark);
  put<std::uint64_t>(bytes_, used);
  put<std::uint64_t>(bytes_, entry.size());
  put<std::uint64_t>(bytes_, check_of(std::span(bytes_).subspan(begin, 24)));
  bytes_.insert(bytes_.end(), entry.begin(), entry.end());
}

void PackWriter::add_frame(Bytes frame) { bytes_.insert(bytes_.end(), frame.begin(), frame.end()); }

}  // namespace jitney::cache
