// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cache/store_files.h"

#include <cerrno>
#include <chrono>
#include <random>
#include <thread>

#include "cache/orphans.h"

namespace jitney::cache {
namespace {

// Entries of the same subject that are looked at to say why there is none for this key.
constexpr int kMostSiblings = 4;

constexpr std::chrono::milliseconds kEvictorsPatience{100};

}  // namespace

Expected<std::shared_ptr<StoreFiles>> StoreFiles::open(const std::string& directory, Options options, bool make) {
  JITNEY_TRY(auto place, open_place(directory, {.make = make}));
  if (!place) return std::shared_ptr<StoreFiles>();
  return std::make_shared<StoreFiles>(std::move(place), std::move(options));
}

StoreFiles::StoreFiles(std::shared_ptr<const Place> place, Options options)
    : path_(place->path), options_(std::move(options)), place_(std::move(place)) {
  if (place_->writable) remove_orphans(*place_, std::chrono::system_clock::now());
}

std::shared_ptr<const Place> StoreFiles::place() const {
  std::lock_guard lock(mutex_);
  return place_;
}

std::shared_ptr<const RangeLocks> StoreFiles::locks() {
  std::lock_guard lock(mutex_);
  if (!place_->writable) return std::make_shared<const RangeLocks>();
  // In a forked child the parent's are closed.
  if (!locks_ || !locks_->is_open() || locks_->is_removed()) {
    locks_ = std::make_shared<const RangeLocks>(open_store_locks(*place_));
    in_use_.clear();
  }
  return locks_;
}

tl::expected<Blob, Miss> StoreFiles::read(const Key& key, bool explain) {
  auto blob = read_here(key, explain);
  if (blob) note_use(options_.name(key));
  return blob;
}

tl::expected<Blob, Miss> StoreFiles::read_here(const Key& key, bool explain) {
  const auto miss = [](int error) {
    // Too large for any entry means that the file was damaged.
    return tl::unexpected(error == ENOENT ? Miss::absent : error == EFBIG ? Miss::damaged : Miss::unreadable);
  };
  const std::string name = options_.name(key);
  const auto here = place();
  const auto touch = here->writable ? std::optional(static_cast<std::int64_t>(options_.use_grain)) : std::nullopt;
  const auto bytes = read_store_file(*here, folder_of(name), file_of(name), touch);
  if (!bytes && bytes.error() == ENOENT && explain) return tl::unexpected(explain_absence(key, *here));
  if (!bytes) return miss(bytes.error());
  return decode_entry(*bytes, key, options_.signer.get());
}

Miss StoreFiles::explain_absence(const Key& key, const Place& place) const {
  const std::string prefix = key.subject() + "-", folder = folder_of(prefix);
  int looked_at = 0;
  for (const auto& found : list_store_folder(place, folder)) {
    if (!found.starts_with(prefix) || !found.ends_with(kEntrySuffix)) continue;
    if (++looked_at > kMostSiblings) break;
    const auto bytes = read_store_file(place, folder, found, std::nullopt);
    if (!bytes) continue;
    const auto entry = verify_entry(*bytes, options_.signer.get());
    const auto other = entry ? Key::parse(entry->key) : std::nullopt;
    if (!other) continue;
    const Miss reason = key.difference(*other);
    if (reason != Miss::other_key) return reason;
  }
  return Miss::absent;
}

void StoreFiles::note_use(const std::string& name) {
  const std::uint64_t number = use_number(name);
  const auto with = locks();
  {
    std::lock_guard lock(mutex_);
    if (in_use_.contains(number)) return;
  }
  // Busy means that somebody is just about to evict it: what is written beneath them would go in its place. They hold
  // it for two system calls, so waiting is short; one that was stopped there is not waited for.
  using Outcome = RangeLocks::Outcome;
  auto outcome = with->try_lock(number, RangeLocks::Mode::shared);
  for (const auto end = std::chrono::steady_clock::now() + kEvictorsPatience;
       outcome == Outcome::busy && std::chrono::steady_clock::now() < end;) {
    std::this_thread::sleep_for(std::chrono::microseconds(100));
    outcome = with->try_lock(number, RangeLocks::Mode::shared);
  }
  if (outcome != Outcome::locked) return;
  std::lock_guard lock(mutex_);
  if (with == locks_) in_use_.insert(number);
}

Status StoreFiles::write(const Key& key, std::span<const std::byte> blob) {
  JITNEY_TRY(const auto entry, encode_entry(key, blob, options_.signer.get()));
  return write_entry(key, entry);
}

Status StoreFiles::write_entry(const Key& key, std::span<const std::byte> entry) {
  const std::string name = options_.name(key);
  // Somebody may remove the folder, or a sub-folder, between any two calls. That calls for another try, not for an
  // endless race with them.
  for (int attempt = 0;; ++attempt) {
    const auto current = place();
    if (!current->writable) return environment_error("the folder '{}' is read-only for this user", path_);
    // Before it appears, so that nobody evicts it as an old one.
    note_use(name);
    Status written = write_store_file(*current, folder_of(name), file_of(name), entry, options_.durable);
    if (written) {
      maybe_evict(entry.size());
      return written;
    }
    if (attempt == 3) return written;
    if (is_removed(*current)) {
      JITNEY_TRY(auto reopened, open_place(path_));
      std::lock_guard lock(mutex_);
      if (place_ == current) {
        place_ = std::move(reopened);
        locks_ = nullptr;
        in_use_.clear();
      }
    } else if (attempt > 0) {
      return written;
    }
  }
}

StoreFiles::Claim StoreFiles::try_claim(const Key& key) {
  switch (locks()->try_lock(claim_number(options_.name(key)), RangeLocks::Mode::exclusive)) {
    case RangeLocks::Outcome::locked: return Claim::mine;
    case RangeLocks::Outcome::busy: return Claim::busy;
    case RangeLocks::Outcome::unsupported: return Claim::unsupported;
  }
  return Claim::unsupported;
}

void StoreFiles::unclaim(const Key& key) {
  std::shared_ptr<const RangeLocks> with;
  {
    std::lock_guard lock(mutex_);
    with = locks_;
  }
  if (with) with->unlock(claim_number(options_.name(key)));
}

void StoreFiles::maybe_evict(std::size_t written) {
  if (options_.max_bytes == std::numeric_limits<std::uint64_t>::max()) return;
  // Counting a large store takes milliseconds. So it is done about 64 times while a whole limit's worth is written,
  // by whomever: each writer throws a die that knows how much it wrote, and nothing need be remembered.
  thread_local std::minstd_rand random(std::random_device{}());
  const double share = static_cast<double>(std::max<std::uint64_t>(options_.max_bytes / 64, 1));
  if (std::uniform_real_distribution<>(0, 1)(random) >= static_cast<double>(written) / share) return;
  evict(options_.max_bytes);
}

}  // namespace jitney::cache
