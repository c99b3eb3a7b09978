// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "util/expected.h"

namespace jitney::cache {

/// Everything that can change a cached thing's bytes, as typed fields in a fixed order. The text form is
/// for people and is what entries store and compare in full; the hash only names files.
///   key := "jitney-key 1\n" (NAME " " LENGTH ":" BYTES "\n")*
class Key {
 public:
  Key& add(std::string_view name, std::string_view value);  ///< name: [a-z_]+
  const std::string& text() const { return text_; }
  /// XXH3-128 of the text, 32 hex digits.
  std::string hash() const;
  friend bool operator==(const Key&, const Key&) = default;

 private:
  std::string text_ = "jitney-key 1\n";
};

/// Why a lookup gave nothing.
enum class Miss : std::uint8_t { absent, other_key, format, damaged, unreadable, refused_place, disabled };
std::string_view to_string(Miss reason);

using Blob = std::vector<std::byte>;

struct Stats {
  std::uint64_t hits = 0;
  std::uint64_t published = 0;
  std::uint64_t publish_failures = 0;
  std::map<Miss, std::uint64_t> misses;
};

/// Compiled kernels and small facts, by key; in memory, and behind that perhaps on disk. Thread-safe.
/// A fault may cost time (a miss); it never gives wrong bytes: every blob read was verified by digest and full key.
class RuntimeCache {
 public:
  virtual ~RuntimeCache() = default;
  virtual tl::expected<std::shared_ptr<const Blob>, Miss> lookup(const Key& key) = 0;
  /// Keeps the blob in memory and publishes it where the cache lives. A failure to write is counted and warned
  /// about once a place; the blob stays usable from memory.
  virtual void publish(const Key& key, Blob blob) = 0;
  virtual Stats stats() const = 0;
  /// "/home/ann/.cache/jitney", or "" in memory.
  virtual std::string path() const = 0;
  /// For people: "store /home/ann/.cache/jitney", "memory", "memory (refused /tmp/x: ...)".
  virtual std::string describe() const = 0;
};

std::shared_ptr<RuntimeCache> make_memory_cache();
/// A store: one file an entry beneath `directory`, which is made (0700) if missing. Where the place is refused
/// or cannot be made the cache works in memory alone, warns once, and says so in describe().
std::shared_ptr<RuntimeCache> open_store(const std::string& directory);
/// "none" -> memory; "" -> the per-user default (JITNEY_CACHE_DIR, else XDG_CACHE_HOME/jitney, else
/// ~/.cache/jitney); else the store at that path.
std::shared_ptr<RuntimeCache> open_cache(const std::string& setting);

}  // namespace jitney::cache
