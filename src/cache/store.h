// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "cache/blob_table.h"
#include "cache/place.h"

namespace jitney::cache {

/// A cache in a folder, one file an entry:
///   FOLDER/xx/HASH.jk     HASH: Key::hash(), xx: its first two digits; entry.h says what is in it
///   FOLDER/.jitney-tmp-*  entries being written; those older than an hour are removed when a store opens
/// An entry is written beside and renamed into place, so readers see all of it or none, and no lock is needed: two
/// writers of one key write the same thing, and the last rename wins. Correctness never depends on time, locks or on
/// what is in the folder. When the folder is removed while in use it is made again at the next publish.
class Store final : public RuntimeCache {
 public:
  struct Options {
    std::function<std::string(const Key&)> hash = &Key::hash;  ///< tests make keys collide
  };

  Store(std::shared_ptr<const Place> place, Options options);

  tl::expected<std::shared_ptr<const Blob>, Miss> lookup(const Key& key) override;
  void publish(const Key& key, Blob blob) override;
  Stats stats() const override { return table_.stats(); }
  std::string path() const override { return path_; }
  std::string describe() const override;

 private:
  std::shared_ptr<const Place> place() const;
  tl::expected<Blob, Miss> read(const Key& key) const;
  Status write(const Key& key, const Blob& blob);
  Status write_to(const Place& place, const Key& key, const Blob& blob);

  const std::string path_;
  const Options options_;
  BlobTable table_;
  mutable std::mutex place_mutex_;
  std::shared_ptr<const Place> place_;  ///< replaced when the folder was removed
};

/// open_store with options.
std::shared_ptr<RuntimeCache> open_store(const std::string& directory, Store::Options options);

}  // namespace jitney::cache
