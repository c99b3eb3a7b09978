// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "cache/entry.h"

/// A packed cache as bytes: a file, or what serialize() gives. All numbers are little-endian; no padding.
///
///   pack    := head frame*
///   head    := magic format creator zero           ; 24 bytes
///   magic   := 0x89 "JKP" 0x0D 0x0A 0x1A 0x0A
///   format  := u32                                 ; 1; any other is left alone
///   creator := 8 bytes                             ; version of the Jitney that wrote it, zero-padded; for people
///   zero    := u32                                 ; 0
///   frame   := mark used length check entry
///   mark    := 0xF5 "JKFRAM" 0xF5                  ; where reading goes on after a damaged frame
///   used    := u64                                 ; seconds since 1970 at its last use, for eviction only
///   length  := u64                                 ; bytes of the entry, at most kMaxEntryBytes
///   check   := u64                                 ; first half of XXH3-128, canonical, of mark, used and length
///   entry   := length bytes                        ; as entry.h says, with a digest of its own
///
/// Frames are in the order of their keys' texts, each key once, so that equal contents are equal bytes. Readers accept
/// any order; of two frames with one key the first good one counts.
namespace jitney::cache {

inline constexpr std::uint32_t kPackFormat = 1;
inline constexpr std::size_t kPackHeadBytes = 24;
inline constexpr std::size_t kFrameHeadBytes = 32;
inline constexpr std::size_t kMaxPackBytes = std::size_t{8} << 30;

/// What a pack holds, as views of its bytes.
struct PackContents {
  struct Item {
    EntryView entry;
    std::span<const std::byte> bytes;  ///< the whole entry
    std::uint64_t used = 0;
  };
  enum class Kind : std::uint8_t {
    pack,
    newer,   ///< a pack of another format: nothing in it is read, and it is not to be overwritten
    foreign  ///< not Jitney's: not to be overwritten
  };

  Kind kind = Kind::foreign;
  std::string creator;
  std::vector<Item> items;                          ///< verified, each key once
  std::vector<std::span<const std::byte>> unknown;  ///< whole frames with entries of another format
  std::uint64_t damaged = 0;                        ///< entries or gaps that gave nothing
  std::uint64_t unauthenticated = 0;
};

/// Reads a private copy of a pack: every good entry of it, however much of the rest is damaged. No bytes at all are an
/// empty pack. Allocates for views only. Thread-safe.
PackContents read_pack(std::span<const std::byte> bytes, const Hmac* signer = nullptr);

/// Writes a pack, a frame at a time, in the order in which they are added.
class PackWriter {
 public:
  PackWriter();
  void add(std::span<const std::byte> entry, std::uint64_t used);
  void add_frame(std::span<const std::byte> frame);
  void reserve(std::size_t bytes) { bytes_.reserve(bytes); }
  std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace jitney::cache
