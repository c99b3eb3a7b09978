// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "cache/entry_table.h"
#include "cache/packed_file.h"
#include "cache/runtime_cache.h"
#include "cache/store_files.h"

namespace jitney::cache {

enum class Form : std::uint8_t { memory, store, packed };
/// "" -> memory; an existing folder, or a path that ends in a separator -> a store; any other -> a packed file.
Form form_of(const std::string& path);

/// A runtime cache: a table in memory, and behind it nothing, a store that is read as needed, or a packed file that is
/// loaded and saved whole. The one implementation behind jitney::RuntimeCache. Thread-safe.
class Handle final : public RuntimeCache {
 public:
  struct Options {
    std::string path;
    Form form = Form::memory;
    bool publishes = true;  ///< a store: entries are published as they are made, not on save()
    bool shared = false;    ///< one table with the other such handles on this path
    StoreFiles::Options store;
    std::chrono::milliseconds lock_timeout{10'000};
  };
  /// Limits and signing secret come from the environment. Touches no file yet.
  static std::shared_ptr<Handle> make(Options options);
  explicit Handle(Options options);

  tl::expected<SharedBlob, Miss> lookup(const Key& key) override;
  void publish(const Key& key, Blob blob) override;
  Claim claim(const Key& key, std::chrono::milliseconds patience) override;
  Stats stats() const override;
  std::string path() const override;
  std::string describe() const override;

  Form form() const { return options_.form; }
  /// As the settings say it, which path() need not be: a refused store lives in memory.
  const std::string& given_path() const { return options_.path; }

  /// Opens the store, or reads the packed file; another path's entries are added to this cache.
  Status load(const std::optional<std::string>& from);
  Status save(const std::optional<std::string>& to);
  /// Best effort, for destructors and exit hooks: what a file lacks is written, a failure is logged.
  void autosave() noexcept;

  /// From now on memory only; warned about once a place.
  void refuse(const std::string& reason);
  /// Opens the store now; why not, if it cannot be used.
  Status open();

  std::vector<std::byte> serialize();
  /// Before use() the bytes are kept as they are. Error(user) when they are no packed cache.
  Status deserialize(std::span<const std::byte> bytes);
  Status merge(Handle& other);
  void use();
  bool is_used() const { return used_; }
  Expected<std::uint64_t> prune(std::uint64_t max_bytes);
  EntryTable& table() { return *table_; }
  /// Null where there is none.
  std::shared_ptr<StoreFiles> store();

 private:
  Status add_pack(std::span<const std::byte> bytes);
  Status load_packed_file(const std::string& path);
  Status load_store(const std::string& path);
  Status save_to_store(StoreFiles& store);
  Expected<PackedOptions> packed_options() const;
  void count(const std::function<void(Stats&)>& change) const;

  Options options_;
  const std::shared_ptr<EntryTable> table_;
  std::atomic<bool> used_{false};
  std::atomic<std::uint64_t> saved_changes_{0};

  mutable std::mutex mutex_;
  std::shared_ptr<StoreFiles> store_;   // guarded by mutex_, as all below
  std::optional<std::string> refusal_;  // why there is no store
  std::vector<std::byte> pending_;      // handed in before first use
  mutable Stats stats_;
};

/// open_store with options, for tests: no limit, no secret but what they say.
std::shared_ptr<Handle> open_store(const std::string& directory, StoreFiles::Options store);

}  // namespace jitney::cache
