// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cache/store.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "cache/entry.h"
#include "cache/memory_cache.h"
#include "cache/orphans.h"
#include "util/file.h"
#include "util/log.h"
#include "util/trace.h"

namespace jitney::cache {
namespace {

std::string folder_of(const std::string& hash) { return hash.substr(0, 2); }
std::string file_of(const std::string& hash) { return hash + ".jk"; }

/// Opens FOLDER/xx. A symlink there is not followed, and what others may write to is not used.
Sys<unique_fd> open_folder(int dir, const std::string& name) {
  unique_fd fd(
      retry_interrupted([&] { return openat(dir, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC); }));
  if (!fd) return tl::unexpected(errno);
  struct stat status{};
  if (fstat(fd.get(), &status) != 0) return tl::unexpected(errno);
  const bool trusted = status.st_uid == 0 || status.st_uid == geteuid();
  if (!trusted || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) return tl::unexpected(EPERM);
  return fd;
}

}  // namespace

Store::Store(std::shared_ptr<const Place> place, Options options)
    : path_(place->path), options_(std::move(options)), place_(std::move(place)) {
  if (place_->writable) remove_orphans(place_->dir.get(), std::chrono::system_clock::now());
}

std::shared_ptr<const Place> Store::place() const {
  std::lock_guard lock(place_mutex_);
  return place_;
}

tl::expected<std::shared_ptr<const Blob>, Miss> Store::lookup(const Key& key) {
  TraceSpan span("cache", "lookup");
  if (span) span.text("key", options_.hash(key));
  if (auto blob = table_.find(key)) {
    span.text("result", "memory");
    return blob;
  }
  auto blob = read(key);
  span.text("result", blob ? "hit" : to_string(blob.error()));
  if (blob) return table_.insert_hit(key, std::make_shared<const Blob>(std::move(*blob)));
  table_.count_miss(blob.error());
  if (blob.error() != Miss::absent) {
    log_info("cache entry {} in '{}' is not used: {}", options_.hash(key), path_, to_string(blob.error()));
  }
  return tl::unexpected(blob.error());
}

tl::expected<Blob, Miss> Store::read(const Key& key) const {
  const auto miss = [](int error) {
    // Too large for any entry means that the file was damaged.
    return tl::unexpected(error == ENOENT ? Miss::absent : error == EFBIG ? Miss::damaged : Miss::unreadable);
  };
  const std::string hash = options_.hash(key);
  const auto folder = open_folder(place()->dir.get(), folder_of(hash));
  if (!folder) return miss(folder.error());
  const auto file = open_regular(folder->get(), file_of(hash).c_str(), false);
  if (!file) return miss(file.error());
  const auto bytes = read_all(file->get(), kMaxEntryBytes);
  if (!bytes) return miss(bytes.error());
  return decode_entry(*bytes, key);
}

void Store::publish(const Key& key, Blob blob) {
  TraceSpan span("cache", "publish");
  if (span) span.text("key", options_.hash(key));
  span.number("bytes", static_cast<std::int64_t>(blob.size()));
  const auto shared = std::make_shared<const Blob>(std::move(blob));
  table_.insert(key, shared);
  const Status written = write(key, *shared);
  table_.count_publish(written.has_value());
  span.text("result", written ? "written" : "kept in memory");
  if (written) return;
  warn_once("cache-publish:" + path_, fmt::format("new kernels are kept in memory only, the cache '{}' takes none: {}",
                                                  path_, written.error().message));
}

Status Store::write(const Key& key, const Blob& blob) {
  // Somebody may remove the folder, or a sub-folder, between any two calls. That calls for another try, not for an
  // endless race with them.
  for (int attempt = 0;; ++attempt) {
    const auto current = place();
    Status written = write_to(*current, key, blob);
    if (written || attempt == 3) return written;
    if (is_removed(current->dir.get())) {
      JITNEY_TRY(auto reopened, open_place(path_));
      std::lock_guard lock(place_mutex_);
      if (place_ == current) place_ = std::move(reopened);
    } else if (attempt > 0) {
      return written;
    }
  }
}

Status Store::write_to(const Place& place, const Key& key, const Blob& blob) {
  const std::string hash = options_.hash(key);
  const std::string name = folder_of(hash);
  if (mkdirat(place.dir.get(), name.c_str(), 0700) != 0 && errno != EEXIST) {
    return environment_error("cannot make the folder '{}/{}': {}", place.path, name, errno_text(errno));
  }
  const auto folder = open_folder(place.dir.get(), name);
  if (!folder)
    return environment_error("cannot use the folder '{}/{}': {}", place.path, name, errno_text(folder.error()));
  // Temporary files lie in the store's own folder, so that those left behind are found without listing the others.
  JITNEY_TRY(auto file,
             AtomicFile::create(folder->get(), file_of(hash), {.mode = 0600, .temp_dir_fd = place.dir.get()}));
  JITNEY_TRY(const auto entry, encode_entry(key, blob));
  JITNEY_CHECK(file.write(entry));
  return file.commit();
}

std::string Store::describe() const {
  return fmt::format("store {}{}", path_, place()->writable ? "" : " (read-only)");
}

}  // namespace jitney::cache
