// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "util/expected.h"

namespace jitney::engine {

/// The engine file (.jitney). All integers are little-endian; `*` repeats.
///
///   file     := header section-entry*count body digest
///   header   := "JITNEYEN" major:u16 minor:u16 count:u32 file-size:u64                  (24 bytes)
///   section-entry := id:u32 flags:u32 offset:u64 size:u64                              (24 bytes)
///   body     := the sections, in the order of their entries, without overlap, zero bytes between them
///   digest   := XXH3-128 of every byte before it, canonical (big-endian) form           (16 bytes)
///
///   id 1, GRAPH    required, exactly one: a jitney_engine.Graph message (engine.proto).
///   id 2, WEIGHTS  required, at most one: the constants' elements; each tensor begins at a multiple of 64, the
///                  section at a multiple of 4096, so that it can be mapped and used in place.
///   id 3, PROFILES optional, at most one: a jitney_engine.Profiles message; since minor 2.
///   id 4, KERNELS  optional, at most one: compiled kernels for named targets, as a packed cache (cache/pack.h); since
///                  minor 3. Only written when asked for, and not read unless its user trusts the file.
///
/// flags: bit 0 is "required"; writers leave the others 0, readers ignore them.
/// file-size counts the digest too. offset counts from the beginning of the file.
///
/// Versions: readers refuse a major number that they do not know. A higher minor number means optional sections,
/// or fields of messages, that older readers may ignore; so a reader skips sections of unknown id, unless they are
/// required: those it refuses. A change that no reader may ignore is a new major number or a required section.
/// Minor 1: graphs may have hosted operators (ir/hosted.h). A reader of minor 0 refuses those by name.
/// Minor 2: profiles. An older reader takes any shape instead.
/// Minor 3: kernels. An older reader compiles them.
/// Minor 4: casts that round inside kernels (the attribute "rounds"). An older reader refuses those by name.
/// A file of every released version stays in tests/engine/golden.
inline constexpr std::string_view kMagic = "JITNEYEN";
inline constexpr std::uint16_t kMajor = 1;
inline constexpr std::uint16_t kMinor = 4;
inline constexpr std::uint32_t kGraphSection = 1;
inline constexpr std::uint32_t kWeightsSection = 2;
inline constexpr std::uint32_t kProfilesSection = 3;
inline constexpr std::uint32_t kKernelsSection = 4;
inline constexpr std::uint32_t kRequired = 1;
inline constexpr std::size_t kHeaderSize = 24;
inline constexpr std::size_t kEntrySize = 24;
inline constexpr std::size_t kDigestSize = 16;
inline constexpr std::size_t kTensorAlignment = 64;
inline constexpr std::size_t kWeightsAlignment = 4096;

/// Budgets. Real graphs stay far below them; a hostile file reaches them before it costs much.
inline constexpr std::uint32_t kMaxSections = 64;
inline constexpr std::size_t kMaxGraphBytes = std::size_t{256} << 20;
inline constexpr std::size_t kMaxProfilesBytes = std::size_t{16} << 20;
inline constexpr std::size_t kMaxKernelsBytes = std::size_t{1} << 30;
inline constexpr int kMaxGraphDepth = 24;                                 ///< of graphs in attributes of graphs
inline constexpr std::size_t kMaxDimText = 1 << 14;                       ///< bytes of one extent's text
inline constexpr std::size_t kMaxDistinctDimText = std::size_t{4} << 20;  ///< of all different texts of one file
inline constexpr std::size_t kMinValueBytes = 5, kMinNodeBytes = 8;       ///< what one takes in GRAPH at least

/// The contents of the sections that this version knows, empty where there is no such section.
struct Sections {
  std::span<const std::byte> graph;
  std::span<const std::byte> weights;
  std::span<const std::byte> profiles;
  std::span<const std::byte> kernels;
};

/// Checks everything about a file but what is in its sections, digest included, and finds them. Errors are the
/// user's and read "the engine file ...". The spans point into `bytes`. Thread-safe.
Expected<Sections> read_sections(std::span<const std::byte> bytes);

/// A section to write; `align` is a power of two.
struct SectionToWrite {
  std::uint32_t id = 0;
  std::uint32_t flags = kRequired;
  std::size_t size = 0;
  std::size_t align = 8;
};

/// A file of zero bytes in its sections, header and section table written: the caller fills the sections at
/// `offsets`, then calls seal().
struct Layout {
  std::vector<std::byte> file;
  std::vector<std::size_t> offsets;
};
Layout lay_out(std::span<const SectionToWrite> sections, std::uint16_t major = kMajor, std::uint16_t minor = kMinor);

/// Writes the digest over the file's last bytes.
void seal(std::span<std::byte> file);

}  // namespace jitney::engine
