// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "engine/file_format.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>

#include "engine/engine_impl.h"
#include "util/hash.h"

namespace jitney::engine {
namespace {

// Weights are used in place, so a big-endian host would need a reader of its own.
static_assert(std::endian::native == std::endian::little);

template <class T>
T get(std::span<const std::byte> bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

template <class T>
void put(std::span<std::byte> bytes, std::size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

std::size_t round_up(std::size_t n, std::size_t align) { return (n + align - 1) / align * align; }

struct Entry {
  std::uint32_t id, flags;
  std::uint64_t offset, size;
};

Status check_header(std::span<const std::byte> bytes) {
  if (!is_engine_file(bytes)) return user_error("the file does not begin with '{}', as engine files do", kMagic);
  if (bytes.size() < kHeaderSize + kDigestSize) {
    return user_error("the engine file is truncated: it has {} bytes, and its header alone needs more", bytes.size());
  }
  // Before the digest, which another major version may compute otherwise.
  const auto major = get<std::uint16_t>(bytes, 8), minor = get<std::uint16_t>(bytes, 10);
  if (major != kMajor) {
    return user_error("the engine file has format version {}.{}, and this Jitney reads version {}; build it again",
                      major, minor, kMajor);
  }
  const auto size = get<std::uint64_t>(bytes, 16);
  if (size > bytes.size()) {
    return user_error("the engine file is truncated: it has {} bytes, and should have {}", bytes.size(), size);
  }
  if (size != bytes.size()) {
    return user_error("the engine file is damaged: it has {} bytes, and should have {}", bytes.size(), size);
  }
  const auto content = bytes.first(bytes.size() - kDigestSize);
  if (!std::ranges::equal(digest_of(content), bytes.last(kDigestSize))) {
    return user_error("the engine file is damaged: its digest does not match its content");
  }
  return {};
}

}  // namespace

bool is_engine_file(std::span<const std::byte> bytes) {
  return bytes.size() >= kMagic.size() && std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) == 0;
}

Expected<Sections> read_sections(std::span<const std::byte> bytes) {
  JITNEY_CHECK(check_header(bytes));
  const auto count = get<std::uint32_t>(bytes, 12);
  const std::size_t body_end = bytes.size() - kDigestSize;
  if (count > kMaxSections || kHeaderSize + count * kEntrySize > body_end) {
    return user_error("the engine file is damaged: it claims {} sections in {} bytes; at most {} are allowed", count,
                      bytes.size(), kMaxSections);
  }
  std::optional<Entry> graph, weights, profiles, kernels;
  const auto place_of = [&](std::uint32_t id) -> std::optional<Entry>* {
    switch (id) {
      case kGraphSection: return &graph;
      case kWeightsSection: return &weights;
      case kProfilesSection: return &profiles;
      case kKernelsSection: return &kernels;
      default: return nullptr;
    }
  };
  std::uint64_t free_from = kHeaderSize + count * kEntrySize;  // sections lie in the order of their entries
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::size_t at = kHeaderSize + i * kEntrySize;
    const Entry entry{get<std::uint32_t>(bytes, at), get<std::uint32_t>(bytes, at + 4),
                      get<std::uint64_t>(bytes, at + 8), get<std::uint64_t>(bytes, at + 16)};
    if (entry.offset < free_from || entry.offset > body_end || entry.size > body_end - entry.offset) {
      return user_error("the engine file is damaged: section {} claims {} bytes at {}, outside its place in the file",
                        entry.id, entry.size, entry.offset);
    }
    free_from = entry.offset + entry.size;
    if (auto* const found = place_of(entry.id)) {
      if (*found) return user_error("the engine file is damaged: it has section {} twice", entry.id);
      *found = entry;
    } else if ((entry.flags & kRequired) != 0) {
      return user_error(
          "the engine file (format version {}.{}) requires section {}, which this Jitney (version {}.{}) does not "
          "know; "
          "use a newer Jitney or build the engine again",
          get<std::uint16_t>(bytes, 8), get<std::uint16_t>(bytes, 10), entry.id, kMajor, kMinor);
    }
  }
  if (!graph) return user_error("the engine file is damaged: it has no graph");
  if (graph->size > kMaxGraphBytes) {
    return user_error("the engine file's graph has {} bytes; at most {} are allowed", graph->size, kMaxGraphBytes);
  }
  if (weights && weights->offset % kWeightsAlignment != 0) {
    return user_error("the engine file is damaged: its weights begin at {}, no multiple of {}", weights->offset,
                      kWeightsAlignment);
  }
  if (profiles && profiles->size > kMaxProfilesBytes) {
    return user_error("the engine file's profiles have {} bytes; at most {} are allowed", profiles->size,
                      kMaxProfilesBytes);
  }
  if (kernels && kernels->size > kMaxKernelsBytes) {
    return user_error("the engine file's kernels have {} bytes; at most {} are allowed", kernels->size,
                      kMaxKernelsBytes);
  }
  const auto span = [&](const Entry& e) { return bytes.subspan(e.offset, e.size); };
  const auto optional = [&](const auto& e) { return e ? span(*e) : std::span<const std::byte>(); };
  return Sections{span(*graph), optional(weights), optional(profiles), optional(kernels)};
}

Layout lay_out(std::span<const SectionToWrite> sections, std::uint16_t major, std::uint16_t minor) {
  Layout layout;
  std::size_t end = kHeaderSize + sections.size() * kEntrySize;
  for (const SectionToWrite& section : sections) {
    layout.offsets.push_back(round_up(end, section.align));
    end = layout.offsets.back() + section.size;
  }
  layout.file.resize(end + kDigestSize);
  const std::span<std::byte> file(layout.file);
  std::memcpy(file.data(), kMagic.data(), kMagic.size());
  put(file, 8, major);
  put(file, 10, minor);
  put(file, 12, static_cast<std::uint32_t>(sections.size()));
  put(file, 16, static_cast<std::uint64_t>(file.size()));
  for (std::size_t i = 0; i < sections.size(); ++i) {
    const std::size_t at = kHeaderSize + i * kEntrySize;
    put(file, at, sections[i].id);
    put(file, at + 4, sections[i].flags);
    put(file, at + 8, static_cast<std::uint64_t>(layout.offsets[i]));
    put(file, at + 16, static_cast<std::uint64_t>(sections[i].size));
  }
  return layout;
}

void seal(std::span<std::byte> file) {
  std::ranges::copy(digest_of(file.first(file.size() - kDigestSize)), file.end() - kDigestSize);
}

}  // namespace jitney::engine
