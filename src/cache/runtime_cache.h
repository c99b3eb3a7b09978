// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "cache/blob.h"
#include "cache/key.h"
#include "util/expected.h"

namespace jitney {
class RuntimeCache;
}

namespace jitney::cache {

struct Stats {
  std::uint64_t hits = 0;
  std::uint64_t published = 0;
  std::uint64_t publish_failures = 0;
  std::uint64_t loaded = 0;   ///< entries read from packed files and streams
  std::uint64_t damaged = 0;  ///< of those, not used
  std::uint64_t evicted = 0;
  std::uint64_t waited = 0;  ///< entries that another thread or process made while this one waited
  std::map<Miss, std::uint64_t> misses;
};

/// The right to make an entry that is missing, or what came of waiting for whoever had it. Giving it up (destroying it)
/// lets the next one go on, whether something was published or not.
class Claim {
 public:
  enum class State : std::uint8_t {
    mine,  ///< make it and publish it
    made,  ///< somebody else just did
    busy,  ///< somebody else has been at it for too long: go on without waiting
  };

  explicit Claim(State state, SharedBlob blob = nullptr, std::function<void()> give_up = nullptr)
      : state_(state), blob_(std::move(blob)), give_up_(std::move(give_up)) {}
  Claim(Claim&& other) noexcept
      : state_(other.state_),
        waited_(other.waited_),
        blob_(std::move(other.blob_)),
        give_up_(std::exchange(other.give_up_, nullptr)) {}
  Claim& operator=(Claim&&) = delete;
  ~Claim() {
    if (give_up_) give_up_();
  }

  State state() const { return state_; }
  const SharedBlob& blob() const { return blob_; }  ///< when it was made
  /// Whether somebody else had it before: when it is mine all the same, they failed, and may have left word why.
  bool waited() const { return waited_; }
  void set_waited() { waited_ = true; }

 private:
  State state_;
  bool waited_ = false;
  SharedBlob blob_;
  std::function<void()> give_up_;
};

/// Compiled kernels and small facts, by key; in memory, and behind that perhaps on disk. Thread-safe.
/// A fault may cost time (a miss); it never gives wrong bytes: every blob read was verified by digest and full key.
class RuntimeCache {
 public:
  virtual ~RuntimeCache() = default;
  virtual tl::expected<SharedBlob, Miss> lookup(const Key& key) = 0;
  /// Keeps the blob in memory and publishes it where the cache lives. A failure to write is counted and warned
  /// about once a place; the blob stays usable from memory.
  virtual void publish(const Key& key, Blob blob) = 0;
  /// Before making what lookup() did not give: one thread of all processes that share the cache gets the right, the
  /// others wait, at most `patience`. A holder who dies gives it up.
  virtual Claim claim(const Key& key, std::chrono::milliseconds patience) = 0;
  virtual Stats stats() const = 0;
  /// "/home/ann/.cache/jitney", or "" in memory.
  virtual std::string path() const = 0;
  /// For people: "store /home/ann/.cache/jitney", "memory", "memory (refused /tmp/x: ...)".
  virtual std::string describe() const = 0;
};

/// How long a compile is waited for before it is made a second time. A compile may take 30 s of its own.
inline constexpr std::chrono::seconds kClaimPatience{60};

std::shared_ptr<RuntimeCache> make_memory_cache();
/// A store: one file an entry beneath `directory`, which is made (0700) if missing. Where the place is refused
/// or cannot be made the cache works in memory alone, warns once, and says so in describe().
std::shared_ptr<RuntimeCache> open_store(const std::string& directory);
/// "none" -> memory; "" -> the per-user default (JITNEY_CACHE_DIR, else XDG_CACHE_HOME/jitney, else
/// ~/.cache/jitney); else a store or a packed file, by the rule of form_of(). Saves by itself.
std::shared_ptr<RuntimeCache> open_cache(const std::string& setting);

/// What an execution context uses of a public handle. The handle then counts as used: has_cache() is true.
std::shared_ptr<RuntimeCache> use_handle(const std::shared_ptr<jitney::RuntimeCache>& handle);

}  // namespace jitney::cache
