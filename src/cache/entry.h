// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "cache/runtime_cache.h"

/// One cache entry as bytes. All numbers are little-endian; no padding.
///
///   entry       := head key payload digest
///   head        := magic format creator codec key_length raw_size stored_size    ; 48 bytes
///   magic       := 0x89 "JKE" 0x0D 0x0A 0x1A 0x0A     ; shows a transfer that changed line ends or the 8th bit
///   format      := u32                                ; 1; any other is a miss, to be replaced
///   creator     := 8 bytes                            ; version of the Jitney that wrote it, zero-padded; for people
///   codec       := u32                                ; 0: payload is the blob; 1: payload is one zstd frame
///   key_length  := u64                                ; at most kMaxKeyBytes
///   raw_size    := u64                                ; bytes of the blob, at most kMaxBlobBytes
///   stored_size := u64                                ; bytes of the payload
///   key         := key_length bytes                   ; the full text of Key, compared on read
///   payload     := stored_size bytes
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

/// The entry for a blob. Error(environment) when the key or the blob is above its limit. Thread-safe.
Expected<std::vector<std::byte>> encode_entry(const Key& key, std::span<const std::byte> blob);

/// The blob of an entry made for exactly this key, or why there is none. `entry` must be a private copy: bytes that
/// somebody else can change after the digest was verified prove nothing. The digest is verified before any length is
/// believed and before anything is unpacked; allocates at most kMaxBlobBytes. Thread-safe.
tl::expected<Blob, Miss> decode_entry(std::span<const std::byte> entry, const Key& key);

}  // namespace jitney::cache
