// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <jitney/runtime_cache.h>

#include <istream>
#include <ostream>

#include "cache/autosave.h"
#include "cache/describe_entry.h"
#include "util/log.h"
#include "util/paths.h"

namespace jitney {

class RuntimeCache::Impl {
 public:
  std::shared_ptr<cache::Handle> handle;
  bool autosaves = false;
};

namespace {

std::shared_ptr<cache::Handle> make_handle(const std::string& path, bool publishes, bool shared) {
  return cache::Handle::make(
      {.path = path, .form = cache::form_of(path), .publishes = publishes, .shared = shared, .store = {}});
}

}  // namespace

RuntimeCache::RuntimeCache(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

RuntimeCache::RuntimeCache(std::string path, bool autosave_on_del) : impl_(std::make_unique<Impl>()) {
  impl_->handle = make_handle(path, autosave_on_del, /*shared=*/false);
  impl_->autosaves = autosave_on_del;
  if (autosave_on_del) cache::autosave_at_exit(impl_->handle);
}

std::shared_ptr<RuntimeCache> RuntimeCache::owned(const std::string& path) {
  auto impl = std::make_unique<Impl>();
  impl->handle = make_handle(path, true, true);
  impl->autosaves = true;
  // A store that cannot be used warns by itself.
  if (impl->handle->form() == cache::Form::store) {
    (void)impl->handle->store();
  } else if (const Status loaded = impl->handle->load(std::nullopt); !loaded) {
    log_warning("{}", loaded.error().message);
  }
  cache::autosave_at_exit(impl->handle);
  return std::shared_ptr<RuntimeCache>(new RuntimeCache(std::move(impl)));
}

std::shared_ptr<RuntimeCache> RuntimeCache::scoped(const std::string& path, bool autosave) {
  auto impl = std::make_unique<Impl>();
  impl->handle = make_handle(path, autosave, true);
  value_or_throw(impl->handle->load(std::nullopt));
  return std::shared_ptr<RuntimeCache>(new RuntimeCache(std::move(impl)));
}

RuntimeCache::~RuntimeCache() {
  if (impl_ && impl_->autosaves) impl_->handle->autosave();
}

const std::string& RuntimeCache::path() const { return impl_->handle->given_path(); }
bool RuntimeCache::autosave_on_del() const { return impl_->autosaves; }
bool RuntimeCache::has_cache() const { return impl_->handle->is_used(); }

void RuntimeCache::load(const std::optional<std::string>& path) { value_or_throw(impl_->handle->load(path)); }
void RuntimeCache::save(const std::optional<std::string>& path) { value_or_throw(impl_->handle->save(path)); }
void RuntimeCache::autosave() noexcept { impl_->handle->autosave(); }

std::vector<std::byte> RuntimeCache::serialize() const { return impl_->handle->serialize(); }
void RuntimeCache::deserialize(std::span<const std::byte> bytes) { value_or_throw(impl_->handle->deserialize(bytes)); }

std::int64_t RuntimeCache::load_from_stream(std::istream& stream) {
  std::string text{std::istreambuf_iterator<char>(stream), {}};
  if (stream.bad()) throw Error(ErrorKind::environment, "cannot read a runtime cache from the stream");
  deserialize(std::as_bytes(std::span(text)));
  return static_cast<std::int64_t>(text.size());
}

std::int64_t RuntimeCache::save_to_stream(std::ostream& stream) const {
  const auto bytes = serialize();
  stream.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  stream.flush();
  if (!stream) throw Error(ErrorKind::environment, "cannot write a runtime cache to the stream");
  return static_cast<std::int64_t>(bytes.size());
}

void RuntimeCache::merge(const RuntimeCache& other) { value_or_throw(impl_->handle->merge(*other.impl_->handle)); }

CacheStats RuntimeCache::stats() const {
  const cache::Stats s = impl_->handle->stats();
  CacheStats result{.hits = s.hits, .published = s.published, .publish_failures = s.publish_failures, .misses = {}};
  result.loaded = s.loaded;
  result.damaged = s.damaged;
  result.evicted = s.evicted;
  result.waited = s.waited;
  for (const auto& [reason, count] : s.misses) result.misses[std::string(to_string(reason))] = count;
  result.entries = impl_->handle->table().items().size();
  return result;
}

std::vector<CacheEntry> RuntimeCache::entries() const {
  std::vector<CacheEntry> all;
  for (const auto& item : impl_->handle->table().items()) all.push_back(cache::describe_entry(item));
  return all;
}

std::int64_t RuntimeCache::prune(std::int64_t max_bytes) {
  if (max_bytes < 0) throw Error(ErrorKind::user, fmt::format("a cache cannot be pruned to {} bytes", max_bytes));
  return static_cast<std::int64_t>(value_or_throw(impl_->handle->prune(static_cast<std::uint64_t>(max_bytes))));
}

std::string RuntimeCache::describe() const { return impl_->handle->describe(); }

std::string default_cache_path() {
  auto directory = default_cache_directory();
  if (!directory) return "";
  if (directory->back() != '/') *directory += '/';
  return *directory;
}

namespace cache {

std::shared_ptr<RuntimeCache> use_handle(const std::shared_ptr<jitney::RuntimeCache>& handle) {
  handle->impl().handle->use();
  // Keeps the public handle, whose end is what saves it.
  return {handle, handle->impl().handle.get()};
}

}  // namespace cache
}  // namespace jitney
