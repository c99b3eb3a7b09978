// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cache/handle.h"

#include <algorithm>
#include <filesystem>
#include <thread>

#include "cache/settings.h"
#include "cache/shared.h"
#include "util/log.h"
#include "util/path_text.h"
#include "util/trace.h"

namespace jitney::cache {

Form form_of(const std::string& path) {
  if (path.empty()) return Form::memory;
  namespace fs = std::filesystem;
  std::error_code error;
  const bool is_store = path.back() == '/' || path.back() == fs::path::preferred_separator ||
                        fs::is_directory(path_from_text(path), error);
  return is_store ? Form::store : Form::packed;
}

std::shared_ptr<Handle> Handle::make(Options options) {
  options.store.max_bytes = max_bytes_from_environment();
  auto signer = signer_from_environment();
  if (signer) options.store.signer = *signer;
  auto handle = std::make_shared<Handle>(std::move(options));
  if (!signer && handle->form() != Form::memory) handle->refuse(signer.error().message);
  return handle;
}

std::shared_ptr<Handle> open_store(const std::string& directory, StoreFiles::Options store) {
  Handle::Options options{.path = directory, .form = Form::store};
  options.store = std::move(store);
  auto handle = std::make_shared<Handle>(std::move(options));
  (void)handle->store();  // refused now, if it is, and not at the first lookup
  return handle;
}

Handle::Handle(Options options)
    : options_(std::move(options)),
      table_(options_.shared && options_.form != Form::memory ? shared_table(options_.path)
                                                              : std::make_shared<EntryTable>()) {}

void Handle::count(const std::function<void(Stats&)>& change) const {
  std::lock_guard lock(mutex_);
  change(stats_);
}

void Handle::refuse(const std::string& reason) {
  {
    std::lock_guard lock(mutex_);
    if (refusal_) return;
    refusal_ = reason;
  }
  warn_once(
      "cache-refused:" + options_.path,
      fmt::format("the cache '{}' is not used, compiled kernels are kept in memory only: {}", options_.path, reason));
}

Status Handle::open() {
  {
    std::lock_guard lock(mutex_);
    if (refusal_) return environment_error("the cache '{}' is not used: {}", options_.path, *refusal_);
    if (options_.form != Form::store || store_) return {};
  }
  auto opened = StoreFiles::open(options_.path, options_.store);
  if (!opened) return tl::unexpected(opened.error());
  std::lock_guard lock(mutex_);
  if (!store_) store_ = std::move(*opened);
  return {};
}

std::shared_ptr<StoreFiles> Handle::store() {
  if (options_.form != Form::store) return nullptr;
  {
    std::lock_guard lock(mutex_);
    if (store_ || refusal_) return store_;
  }
  if (const Status opened = open(); !opened) refuse(opened.error().message);
  std::lock_guard lock(mutex_);
  return store_;
}

void Handle::use() {
  used_ = true;
  std::vector<std::byte> pending;
  {
    std::lock_guard lock(mutex_);
    pending = std::exchange(pending_, {});
  }
  if (pending.empty()) return;
  if (const Status added = add_pack(pending); !added)
    log_warning("pending cache bytes are not used: {}", added.error().message);
}

tl::expected<SharedBlob, Miss> Handle::lookup(const Key& key) {
  TraceSpan span("cache", "lookup");
  if (span) span.text("key", key.hash());
  if (auto blob = table_->find(key.text())) {
    span.text("result", "memory");
    count([](Stats& s) { ++s.hits; });
    return blob;
  }
  const auto store = this->store();
  Miss reason = Miss::absent;
  if (store) {
    auto blob = store->read(key);
    if (blob) {
      span.text("result", "hit");
      count([](Stats& s) { ++s.hits; });
      return table_->insert_if_absent(key.text(), std::make_shared<const Blob>(std::move(*blob)));
    }
    reason = blob.error();
  }
  if (reason == Miss::absent) reason = table_->explain_absence(key);
  std::lock_guard lock(mutex_);
  if (refusal_) reason = Miss::refused_place;
  ++stats_.misses[reason];
  span.text("result", to_string(reason));
  if (reason != Miss::absent && reason != Miss::refused_place)
    log_info("cache entry {} in '{}' is not used: {}", key.file_name(), options_.path, to_string(reason));
  return tl::unexpected(reason);
}

void Handle::publish(const Key& key, Blob blob) {
  TraceSpan span("cache", "publish");
  if (span) span.text("key", key.hash());
  span.number("bytes", static_cast<std::int64_t>(blob.size()));
  const auto shared = std::make_shared<const Blob>(std::move(blob));
  table_->insert(key.text(), shared);
  const auto store = options_.publishes ? this->store() : nullptr;
  Status written;
  if (store) written = store->write(key, *shared);
  span.text("result", store && written ? "written" : "kept in memory");
  {
    std::lock_guard lock(mutex_);
    ++(written && !refusal_ ? stats_.published : stats_.publish_failures);
  }
  if (written) return;
  warn_once("cache-publish:" + options_.path,
            fmt::format("new kernels are kept in memory only, the cache '{}' takes none: {}", options_.path,
                        written.error().message));
}

Claim Handle::claim(const Key& key, std::chrono::milliseconds patience) {
  TraceSpan span("cache", "claim");
  if (span) span.text("key", key.hash());
  using namespace std::chrono_literals;
  using State = Claim::State;
  const auto deadline = std::chrono::steady_clock::now() + patience;
  bool waited = false;
  if (!table_->flights().take(key.text(), deadline, waited)) return Claim(State::busy);
  // From here on whatever returns lands the flight.
  Claim in_process(State::mine, nullptr, [table = table_, text = key.text()] { table->flights().land(text); });
  const auto made = [&](SharedBlob blob) {
    count([](Stats& s) { ++s.waited; });
    return Claim(State::made, std::move(blob));
  };
  if (auto blob = table_->find(key.text())) return made(std::move(blob));
  const auto store = this->store();
  if (waited) in_process.set_waited();
  if (!store || !store->writable()) return in_process;
  for (auto pause = 1ms;; pause = std::min(2 * pause, 50ms)) {
    const auto outcome = store->try_claim(key);
    if (outcome == StoreFiles::Claim::unsupported) return in_process;
    if (outcome == StoreFiles::Claim::mine) break;
    if (std::chrono::steady_clock::now() >= deadline) return Claim(State::busy);
    waited = true;
    std::this_thread::sleep_for(pause);
  }
  // Whoever had it may have published it.
  if (auto blob = store->read(key, false)) {
    store->unclaim(key);
    return made(table_->insert_if_absent(key.text(), std::make_shared<const Blob>(std::move(*blob))));
  }
  auto both = std::make_shared<Claim>(std::move(in_process));
  Claim mine(State::mine, nullptr, [both, store, key] { store->unclaim(key); });
  if (waited) mine.set_waited();
  return mine;
}

Stats Handle::stats() const {
  std::lock_guard lock(mutex_);
  Stats stats = stats_;
  if (store_) stats.evicted += store_->evicted();
  return stats;
}

std::string Handle::path() const {
  std::lock_guard lock(mutex_);
  if (refusal_) return "";
  return store_ ? store_->path() : options_.path;
}

std::string Handle::describe() const {
  std::lock_guard lock(mutex_);
  if (refusal_) return fmt::format("memory (refused {}: {})", options_.path, *refusal_);
  switch (options_.form) {
    case Form::memory: return "memory";
    case Form::packed: return fmt::format("packed file {}", options_.path);
    case Form::store:
      return fmt::format("store {}{}", store_ ? store_->path() : options_.path,
                         store_ && !store_->writable() ? " (read-only)" : "");
  }
  return "";
}

}  // namespace jitney::cache
