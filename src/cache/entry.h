// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "cache/blob.h"
#include "cache/key.h"
#include "util/expected.h"
#include "util/hmac.h"

/// One cache entry as bytes. All numbers are little-endian; no padding.
///
///   entry       := head key payload [mac] digest
///   head        := magic format creator codec key_length raw_size stored_size    ; 48 bytes
///   magic       := 0x89 "JKE" 0x0D 0x0A 0x1A 0x0A     ; shows a transfer that changed line ends or the 8th bit
///   format      := u32                                ; 1; any other is a miss, to be replaced
///   creator     := 8 bytes                            ; version of the Jitney that wrote it, zero-padded; for people
///   codec       := u32                                ; 0: payload is the blob; 1: payload is one zstd frame;
///                                                     ; 256 more: there is a mac
///   key_length  := u64                                ; at most kMaxKeyBytes
///   raw_size    := u64                                ; bytes of the blob, at most kMaxBlobBytes
///   stored_size := u64                                ; bytes of the payload
///   key         := key_length bytes                   ; the full text of Key, compared on read
///   payload     := stored_size bytes
///   mac         := 32 bytes                           ; HMAC-SHA256 with JITNEY_CACHE_KEY of everything before it
///   digest      := 16 bytes                           ; XXH3-128, canonical, of everything before it
///
/// The file ends with the digest: one byte more or less makes it damaged.
namespace jitney::cache {

inline constexpr std::uint32_t kEntryFormat = 1;
inline constexpr std::size_t kEntryHeadBytes = 48;
inline constexpr std::size_t kDigestBytes = 16;
inline constexpr std::size_t kMaxKeyBytes = std::size_t{16} << 20;
inline constexpr std::size_t kMaxBlobBytes = std::size_t{256} << 20;
inline constexpr std::size_t kMaxEntryBytes = kEntryHeadBytes + kMaxKeyBytes + kMaxBlobBytes + kDigestBytes;
/// A frame that claims to grow more than this is not unpacked, nor written: such blobs are stored as they are.
inline constexpr std::size_t kMaxRatio = 1024;

/// A verified entry, as views of its bytes.
struct EntryView {
  std::string_view key;
  std::string_view creator;
  std::uint32_t codec = 0;
  std::uint64_t blob_bytes = 0;
  std::span<const std::byte> payload;
  bool is_signed = false;
};

/// The entry for a blob, signed where `signer` is given. Error(environment) when the key or the blob is above its
/// limit. Thread-safe.
Expected<std::vector<std::byte>> encode_entry(const Key& key, std::span<const std::byte> blob,
                                              const Hmac* signer = nullptr);

/// Digest, signature (where `signer` is given: then there must be one) and lengths, whatever the key. `entry` must be a
/// private copy: bytes that somebody else can change after the digest was verified prove nothing. The digest is
/// verified before any length is believed. Allocates nothing. Thread-safe.
tl::expected<EntryView, Miss> verify_entry(std::span<const std::byte> entry, const Hmac* signer = nullptr);

/// The blob of a verified entry; at most kMaxBlobBytes are allocated.
tl::expected<Blob, Miss> unpack_entry(const EntryView& entry);

/// Both for exactly this key: the blob, or why there is none.
tl::expected<Blob, Miss> decode_entry(std::span<const std::byte> entry, const Key& key, const Hmac* signer = nullptr);

}  // namespace jitney::cache
