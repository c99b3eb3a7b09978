// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>
#include <vector>

#include "cache/blob.h"
#include "cache/entry.h"
#include "cache/place.h"
#include "cache/store_disk.h"

namespace jitney::cache {

/// A store: a cache in a folder, one file an entry.
///   FOLDER/xx/SUBJECT-HASH.jk  Key::file_name(), xx: its first two digits; entry.h says what is in it
///   FOLDER/.jitney-tmp-*       entries being written; those older than an hour are removed when a store opens
///   FOLDER/.jitney-locks       empty; who makes an entry, and who uses one, has a lock on a number in it
/// An entry is written beside and renamed into place, so readers see all of it or none. Locks save work (an entry is
/// made once, one in use is not evicted); correctness never depends on them, on time, or on what is in the folder: two
/// writers of one key write the same thing, and the last rename wins. When the folder is removed while in use it is
/// made again at the next write. Thread-safe.
class StoreFiles {
 public:
  struct Options {
    std::function<std::string(const Key&)> name = &Key::file_name;  ///< tests make keys collide
    std::shared_ptr<const Hmac> signer;
    /// Above this, entries go, least recently used first, but none that a process uses.
    std::uint64_t max_bytes = std::numeric_limits<std::uint64_t>::max();
    bool durable = false;            ///< entries survive a power cut once they are published
    std::uint64_t use_grain = 3600;  ///< seconds; how exact the time of last use is
  };
  using File = StoreFile;
  struct Removal {
    std::uint64_t files = 0, bytes = 0, bytes_left = 0;
  };
  enum class Claim : std::uint8_t { mine, busy, unsupported };

  static Expected<std::shared_ptr<StoreFiles>> open(const std::string& directory, Options options, bool make = true);
  StoreFiles(std::shared_ptr<const Place> place, Options options);

  const std::string& path() const { return path_; }
  bool writable() const { return place()->writable; }
  const Options& options() const { return options_; }

  /// Marks the entry as used now, and as in use for as long as this object lives. With `explain` the reason says what
  /// else there is about the subject.
  tl::expected<Blob, Miss> read(const Key& key, bool explain = true);
  Status write(const Key& key, std::span<const std::byte> blob);
  /// The same for an entry that was verified.
  Status write_entry(const Key& key, std::span<const std::byte> entry);

  /// Whether this object may make the entry now. Given back by unclaim(), or when the process dies.
  Claim try_claim(const Key& key);
  void unclaim(const Key& key);

  /// All entries, by name only.
  std::vector<File> list() const;
  DiskResult<std::vector<std::byte>> read_file(const File& file) const;
  /// Removes entries, least recently used first, until no more than this is left. Nothing while another process does
  /// it.
  Removal evict(std::uint64_t max_bytes, bool keep_used = true);
  Status remove(const File& file);
  std::uint64_t evicted() const { return evicted_; }

 private:
  std::shared_ptr<const Place> place() const;
  tl::expected<Blob, Miss> read_here(const Key& key, bool explain);
  Miss explain_absence(const Key& key, const Place& place) const;
  void note_use(const std::string& name);
  std::shared_ptr<const RangeLocks> locks();
  void maybe_evict(std::size_t written);

  const std::string path_;
  const Options options_;
  std::atomic<std::uint64_t> evicted_{0};
  std::mutex evicting_;  ///< threads share the lock that keeps processes apart
  mutable std::mutex mutex_;
  std::shared_ptr<const Place> place_;        // guarded by mutex_: replaced when the folder was removed
  std::shared_ptr<const RangeLocks> locks_;   // guarded by mutex_
  std::unordered_set<std::uint64_t> in_use_;  // guarded by mutex_: numbers locked in locks_
};

}  // namespace jitney::cache
