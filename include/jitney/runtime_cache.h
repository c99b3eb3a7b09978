// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <jitney/export.h>

namespace jitney {

/// What happened so far through one handle. Counts only grow.
struct CacheStats {
  std::uint64_t hits = 0;
  std::uint64_t published = 0;         ///< entries (a packed file: saves) that reached their place
  std::uint64_t publish_failures = 0;  ///< that did not; what was compiled is in memory all the same
  std::uint64_t loaded = 0;            ///< entries read from packed files, other stores and streams
  std::uint64_t damaged = 0;           ///< of those, not used
  std::uint64_t evicted = 0;
  std::uint64_t waited = 0;                     ///< kernels that another thread or process compiled meanwhile
  std::map<std::string, std::uint64_t> misses;  ///< by reason: "absent", "other device", "damaged", ...
  std::uint64_t entries = 0;                    ///< in memory now
};

/// One entry, for people and programs that look into a cache.
struct CacheEntry {
  std::string id;                             ///< digits that name it
  std::string key;                            ///< its whole key as text: everything that can change its bytes
  std::map<std::string, std::string> fields;  ///< the key taken apart: "kind", "target", "compiler", "source", ...
  std::string creator;                        ///< version of the Jitney that made it; "" when it was made here
  std::uint64_t bytes = 0;                    ///< on disk, or in memory when it never was there
  std::uint64_t blob_bytes = 0;               ///< of what is cached; 0: not known
  std::int64_t last_used = 0;                 ///< seconds since 1970
  bool is_signed = false;
};

/// Compiled kernels, shared by handle in a process and by path between processes. The path says what it is:
///  - "": memory only;
///  - an existing folder, or a path that ends in a separator: a *store*, one file an entry, read as needed;
///  - any other path, existing or not: a *packed file*, loaded and saved as a whole.
/// A handle is one cache by identity; it can be given to many engines, and holds what they compiled, hit or loaded
/// through it. A fault of a cache costs time; it never gives wrong bytes, and never takes what others saved. Entries
/// for another device, driver, compiler or version are never used. All functions may be called from many threads at
/// once.
class JITNEY_EXPORT RuntimeCache : public std::enable_shared_from_this<RuntimeCache> {
 public:
  /// Touches no file. What is compiled is saved by save(), and with `autosave_on_del` also when the handle is
  /// destroyed or the program ends. A store is read as needed; with `autosave_on_del` it is published to at once.
  explicit RuntimeCache(std::string path = "", bool autosave_on_del = false);
  /// The handle that a path in the settings makes: saves by itself, is loaded at once (a failure warns), and shares its
  /// entries with all other handles made by owned() and scoped() on the path.
  static std::shared_ptr<RuntimeCache> owned(const std::string& path);
  /// The handle of a scope that saves on exit if `autosave`: loaded at once, shares entries like owned(), is not saved
  /// when it is destroyed. Throws Error when it cannot be loaded.
  static std::shared_ptr<RuntimeCache> scoped(const std::string& path, bool autosave);
  /// Never throws; what an autosave cannot write is logged.
  ~RuntimeCache();
  RuntimeCache(const RuntimeCache&) = delete;
  RuntimeCache& operator=(const RuntimeCache&) = delete;

  /// As it was given.
  const std::string& path() const;
  bool autosave_on_del() const;
  /// Whether an engine that uses it has a context.
  bool has_cache() const;

  /// Adds what the path (or another one) holds. No path, or nothing there: does nothing. Throws Error when it is not
  /// Jitney's, is not to be trusted, cannot be read, or when somebody else holds its lock for 10 s.
  void load(const std::optional<std::string>& path = std::nullopt);
  /// Makes what the path holds the union of itself and this cache, atomically, under the lock of `PATH.lock` when it is
  /// a packed file. Makes missing folders. An empty cache, or no path: does nothing. Throws Error like load(), and when
  /// there is no lock to be had; the file is then as it was.
  void save(const std::optional<std::string>& path = std::nullopt);
  /// save() to its own path where something is missing there; never throws, a failure is logged and counted.
  void autosave() noexcept;

  /// All of it as bytes, in the form of a packed file; no bytes when it is empty. Before first use: what deserialize()
  /// was given.
  std::vector<std::byte> serialize() const;
  /// Adds serialized bytes, or keeps them until first use. Empty input is ignored. Throws Error(user) when the bytes
  /// are not a cache; damaged entries in them are left out.
  void deserialize(std::span<const std::byte> bytes);
  /// The same through streams, read to their end. Give the number of bytes.
  std::int64_t load_from_stream(std::istream& stream);
  std::int64_t save_to_stream(std::ostream& stream) const;
  /// Adds what another handle holds.
  void merge(const RuntimeCache& other);

  CacheStats stats() const;
  /// What this handle holds in memory, in the order of the keys.
  std::vector<CacheEntry> entries() const;
  /// Removes what was used least recently until no more than this is left, in memory and at the path. In a store what
  /// other processes use stays. Gives the bytes removed. Throws Error like save().
  std::int64_t prune(std::int64_t max_bytes);
  /// For people: "store /home/ann/.cache/jitney", "memory", "memory (refused /tmp/x: ...)".
  std::string describe() const;

  class Impl;
  Impl& impl() const { return *impl_; }  ///< not for users

 private:
  explicit RuntimeCache(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Does now what a normal end of the process does: autosave() of every handle that saves by itself. For processes that
/// end in another way. Never throws, a failure is logged.
JITNEY_EXPORT void autosave_runtime_caches() noexcept;

/// Where the per-user cache lies: JITNEY_CACHE_DIR, else $XDG_CACHE_HOME/jitney, else ~/.cache/jitney, with a separator
/// at its end; "" where there is none. Makes nothing.
JITNEY_EXPORT std::string default_cache_path();

}  // namespace jitney
