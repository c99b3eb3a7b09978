// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cache/entry.h"

#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "util/hash.h"

namespace jitney::cache {
namespace {

enum Codec : std::uint32_t { kStored = 0, kZstd = 1 };

constexpr std::array<unsigned char, 8> kMagic = {0x89, 'J', 'K', 'E', 0x0d, 0x0a, 0x1a, 0x0a};
// Binaries of a few tens of KB: higher levels cost more time than their bytes are worth.
constexpr int kLevel = 3;

template <class T>
void put(std::vector<std::byte>& out, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) out.push_back(static_cast<std::byte>(value >> (8 * i)));
}

template <class T>
T get(std::span<const std::byte> in, std::size_t offset) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) value |= static_cast<T>(in[offset + i]) << (8 * i);
  return value;
}

/// The zstd frame of a blob, or nothing when the blob is better stored as it is.
std::vector<std::byte> compress(std::span<const std::byte> blob) {
  if (blob.empty()) return {};
  std::vector<std::byte> frame(ZSTD_compressBound(blob.size()));
  const std::size_t size = ZSTD_compress(frame.data(), frame.size(), blob.data(), blob.size(), kLevel);
  if (ZSTD_isError(size) || size >= blob.size() || blob.size() / size >= kMaxRatio) return {};
  frame.resize(size);
  return frame;
}

tl::expected<Blob, Miss> unpack(std::uint32_t codec, std::span<const std::byte> payload, std::uint64_t raw_size) {
  const auto damaged = tl::unexpected(Miss::damaged);
  if (codec == kStored) {
    if (payload.size() != raw_size) return damaged;
    return Blob(payload.begin(), payload.end());
  }
  if (codec != kZstd || payload.empty() || raw_size / payload.size() > kMaxRatio) return damaged;
  // Exactly one frame of exactly this size: concatenated or skippable frames are not ours.
  if (ZSTD_getFrameContentSize(payload.data(), payload.size()) != raw_size) return damaged;
  if (ZSTD_findFrameCompressedSize(payload.data(), payload.size()) != payload.size()) return damaged;
  Blob blob(raw_size);
  if (ZSTD_decompress(blob.data(), blob.size(), payload.data(), payload.size()) != raw_size) return damaged;
  return blob;
}

}  // namespace

Expected<std::vector<std::byte>> encode_entry(const Key& key, std::span<const std::byte> blob) {
  const std::string& text = key.text();
  if (text.size() > kMaxKeyBytes) {
    return environment_error("a cache key of {} bytes is above the limit of {}", text.size(), kMaxKeyBytes);
  }
  if (blob.size() > kMaxBlobBytes) {
    return environment_error("a cache entry of {} bytes is above the limit of {}", blob.size(), kMaxBlobBytes);
  }
  const std::vector<std::byte> frame = compress(blob);
  const std::span<const std::byte> payload = frame.empty() ? blob : frame;

  std::vector<std::byte> out;
  out.reserve(kEntryHeadBytes + text.size() + payload.size() + kDigestBytes);
  for (unsigned char c : kMagic) out.push_back(static_cast<std::byte>(c));
  put(out, kEntryFormat);
  constexpr std::string_view kCreator = JITNEY_VERSION;
  for (std::size_t i = 0; i < 8; ++i) out.push_back(static_cast<std::byte>(i < kCreator.size() ? kCreator[i] : 0));
  put<std::uint32_t>(out, frame.empty() ? kStored : kZstd);
  put<std::uint64_t>(out, text.size());
  put<std::uint64_t>(out, blob.size());
  put<std::uint64_t>(out, payload.size());
  const auto key_bytes = std::as_bytes(std::span(text));
  out.insert(out.end(), key_bytes.begin(), key_bytes.end());
  out.insert(out.end(), payload.begin(), payload.end());
  const Digest digest = digest_of(out);
  out.insert(out.end(), digest.begin(), digest.end());
  return out;
}

tl::expected<Blob, Miss> decode_entry(std::span<const std::byte> entry, const Key& key) {
  if (entry.size() < kEntryHeadBytes + kDigestBytes || entry.size() > kMaxEntryBytes) {
    return tl::unexpected(Miss::damaged);
  }
  // Another format may keep its digest elsewhere, so these two come first.
  if (std::memcmp(entry.data(), kMagic.data(), kMagic.size()) != 0) return tl::unexpected(Miss::format);
  if (get<std::uint32_t>(entry, 8) != kEntryFormat) return tl::unexpected(Miss::format);
  const auto body = entry.first(entry.size() - kDigestBytes);
  const Digest digest = digest_of(body);
  if (!std::ranges::equal(digest, entry.last(kDigestBytes))) return tl::unexpected(Miss::damaged);

  // The digest proves that a Jitney wrote these lengths, not that it was a friendly one: bound them all the same.
  const auto codec = get<std::uint32_t>(entry, 20);
  const auto key_length = get<std::uint64_t>(entry, 24);
  const auto raw_size = get<std::uint64_t>(entry, 32);
  const auto stored_size = get<std::uint64_t>(entry, 40);
  if (key_length > kMaxKeyBytes || raw_size > kMaxBlobBytes || stored_size > kMaxBlobBytes ||
      body.size() != kEntryHeadBytes + key_length + stored_size) {
    return tl::unexpected(Miss::damaged);
  }
  const auto wanted = std::as_bytes(std::span(key.text()));
  if (!std::ranges::equal(body.subspan(kEntryHeadBytes, key_length), wanted)) return tl::unexpected(Miss::other_key);
  return unpack(codec, body.subspan(kEntryHeadBytes + key_length), raw_size);
}

}  // namespace jitney::cache
