// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cache/entry.h"

#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "cache/bytes.h"
#include "util/hash.h"

namespace jitney::cache {
namespace {

enum Codec : std::uint32_t { kStored = 0, kZstd = 1, kSigned = 256 };

constexpr std::array<unsigned char, 8> kMagic = {0x89, 'J', 'K', 'E', 0x0d, 0x0a, 0x1a, 0x0a};
// Binaries of a few tens of KB: higher levels cost more time than their bytes are worth.
constexpr int kLevel = 3;

/// The zstd frame of a blob, or nothing when the blob is better stored as it is.
std::vector<std::byte> compress(std::span<const std::byte> blob) {
  if (blob.empty()) return {};
  std::vector<std::byte> frame(ZSTD_compressBound(blob.size()));
  const std::size_t size = ZSTD_compress(frame.data(), frame.size(), blob.data(), blob.size(), kLevel);
  if (ZSTD_isError(size) || size >= blob.size() || blob.size() / size >= kMaxRatio) return {};
  frame.resize(size);
  return frame;
}

}  // namespace

Expected<std::vector<std::byte>> encode_entry(const Key& key, std::span<const std::byte> blob, const Hmac* signer) {
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
  out.reserve(kEntryHeadBytes + text.size() + payload.size() + Hmac::kBytes + kDigestBytes);
  for (unsigned char c : kMagic) out.push_back(static_cast<std::byte>(c));
  put(out, kEntryFormat);
  constexpr std::string_view kCreator = JITNEY_VERSION;
  for (std::size_t i = 0; i < 8; ++i) out.push_back(static_cast<std::byte>(i < kCreator.size() ? kCreator[i] : 0));
  put<std::uint32_t>(out, (frame.empty() ? std::uint32_t{kStored} : kZstd) | (signer ? std::uint32_t{kSigned} : 0));
  put<std::uint64_t>(out, text.size());
  put<std::uint64_t>(out, blob.size());
  put<std::uint64_t>(out, payload.size());
  const auto key_bytes = std::as_bytes(std::span(text));
  out.insert(out.end(), key_bytes.begin(), key_bytes.end());
  out.insert(out.end(), payload.begin(), payload.end());
  if (signer != nullptr) {
    JITNEY_TRY(const auto mac, signer->sign(out));
    out.insert(out.end(), mac.begin(), mac.end());
  }
  const Digest digest = digest_of(out);
  out.insert(out.end(), digest.begin(), digest.end());
  return out;
}

tl::expected<EntryView, Miss> verify_entry(std::span<const std::byte> entry, const Hmac* signer) {
  if (entry.size() < kEntryHeadBytes + kDigestBytes || entry.size() > kMaxEntryBytes) {
    return tl::unexpected(Miss::damaged);
  }
  // Another format may keep its digest elsewhere, so these two come first.
  if (std::memcmp(entry.data(), kMagic.data(), kMagic.size()) != 0) return tl::unexpected(Miss::format);
  if (get<std::uint32_t>(entry, 8) != kEntryFormat) return tl::unexpected(Miss::format);
  auto body = entry.first(entry.size() - kDigestBytes);
  const Digest digest = digest_of(body);
  if (!std::ranges::equal(digest, entry.last(kDigestBytes))) return tl::unexpected(Miss::damaged);

  // The digest proves that a Jitney wrote these lengths, not that it was a friendly one: bound them all the same.
  EntryView view;
  view.codec = get<std::uint32_t>(entry, 20) & ~static_cast<std::uint32_t>(kSigned);
  view.is_signed = (get<std::uint32_t>(entry, 20) & kSigned) != 0;
  if (view.is_signed) {
    if (body.size() < kEntryHeadBytes + Hmac::kBytes) return tl::unexpected(Miss::damaged);
    const auto code = body.last<Hmac::kBytes>();
    body = body.first(body.size() - Hmac::kBytes);
    if (signer != nullptr && !signer->verify(body, code)) return tl::unexpected(Miss::unauthenticated);
  } else if (signer != nullptr) {
    return tl::unexpected(Miss::unauthenticated);
  }
  const auto key_length = get<std::uint64_t>(entry, 24);
  view.blob_bytes = get<std::uint64_t>(entry, 32);
  const auto stored_size = get<std::uint64_t>(entry, 40);
  if (view.codec > kZstd || key_length > kMaxKeyBytes || view.blob_bytes > kMaxBlobBytes ||
      stored_size > kMaxBlobBytes || body.size() != kEntryHeadBytes + key_length + stored_size) {
    return tl::unexpected(Miss::damaged);
  }
  const std::string_view text(reinterpret_cast<const char*>(body.data()), body.size());
  view.creator = text.substr(12, std::min<std::size_t>(8, text.substr(12).find('\0')));
  view.key = text.substr(kEntryHeadBytes, key_length);
  view.payload = body.subspan(kEntryHeadBytes + key_length);
  return view;
}

tl::expected<Blob, Miss> unpack_entry(const EntryView& entry) {
  const auto damaged = tl::unexpected(Miss::damaged);
  const auto payload = entry.payload;
  if (entry.codec == kStored) {
    if (payload.size() != entry.blob_bytes) return damaged;
    return Blob(payload.begin(), payload.end());
  }
  if (entry.codec != kZstd || payload.empty() || entry.blob_bytes / payload.size() > kMaxRatio) return damaged;
  // Exactly one frame of exactly this size: concatenated or skippable frames are not ours.
  if (ZSTD_getFrameContentSize(payload.data(), payload.size()) != entry.blob_bytes) return damaged;
  if (ZSTD_findFrameCompressedSize(payload.data(), payload.size()) != payload.size()) return damaged;
  Blob blob(entry.blob_bytes);
  if (ZSTD_decompress(blob.data(), blob.size(), payload.data(), payload.size()) != entry.blob_bytes) return damaged;
  return blob;
}

tl::expected<Blob, Miss> decode_entry(std::span<const std::byte> entry, const Key& key, const Hmac* signer) {
  const auto view = verify_entry(entry, signer);
  if (!view) return tl::unexpected(view.error());
  if (view->key != key.text()) return tl::unexpected(Miss::other_key);
  return unpack_entry(*view);
}

}  // namespace jitney::cache
