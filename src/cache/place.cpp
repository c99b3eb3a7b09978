// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cache/place.h"

#if !defined(_WIN32)

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <deque>
#include <filesystem>

#include "util/file.h"

namespace jitney::cache {
namespace {

constexpr int kMaxSymlinks = 40;
constexpr int kWalkFlags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

/// Pushes a path's components to the front, in order.
void prepend(std::deque<std::string>& todo, const std::string& path) {
  std::deque<std::string> parts;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    if (end > at) parts.push_back(path.substr(at, end - at));
    at = end + 1;
  }
  todo.insert(todo.begin(), parts.begin(), parts.end());
}

bool is_trusted(uid_t owner) { return owner == 0 || owner == geteuid(); }

Status check_owner(const struct stat& status, const std::string& path) {
  if (is_trusted(status.st_uid)) return {};
  return environment_error("'{}' belongs to user {}, who is neither this user ({}) nor root", path, status.st_uid,
                           geteuid());
}

Status check_ancestor(int fd, const std::string& path) {
  struct stat status{};
  if (fstat(fd, &status) != 0) return environment_error("cannot examine '{}': {}", path, errno_text(errno));
  JITNEY_CHECK(check_owner(status, path));
  if ((status.st_mode & S_IWOTH) != 0 && (status.st_mode & S_ISVTX) == 0) {
    return environment_error("everybody may write to '{}' and it is not sticky", path);
  }
  return {};
}

/// Where the walk stands: an open folder and its path, which holds no symlink and no "..".
struct Position {
  unique_fd dir;
  std::filesystem::path path = "/";

  Status enter_root() {
    dir = unique_fd(retry_interrupted([] { return open("/", kWalkFlags); }));
    path = "/";
    if (!dir) return environment_error("cannot open '/': {}", errno_text(errno));
    return {};
  }
};

/// One component of the walk. A symlink leaves its target in `todo`. False when it is missing and not to be made.
Expected<bool> step(Position& at, const std::string& name, std::deque<std::string>& todo, int& symlinks, bool make) {
  if (name == ".") return true;
  const std::string shown = name == ".." ? at.path.parent_path().string() : (at.path / name).string();
  struct stat status{};
  const auto examine = [&] { return fstatat(at.dir.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0; };
  if (!examine()) {
    if (errno != ENOENT) return environment_error("cannot examine '{}': {}", shown, errno_text(errno));
    if (!make) return false;
    // EEXIST: another process made it just now.
    if ((mkdirat(at.dir.get(), name.c_str(), 0700) != 0 && errno != EEXIST) || !examine()) {
      return environment_error("cannot make the folder '{}': {}", shown, errno_text(errno));
    }
  }
  if (S_ISLNK(status.st_mode)) {
    JITNEY_CHECK(check_owner(status, shown));
    char target[PATH_MAX];
    const ssize_t length = readlinkat(at.dir.get(), name.c_str(), target, sizeof target);
    if (length <= 0 || length == PATH_MAX || ++symlinks > kMaxSymlinks) {
      return environment_error("cannot follow the symbolic link '{}'", shown);
    }
    prepend(todo, std::string(target, static_cast<std::size_t>(length)));
    if (target[0] == '/') JITNEY_CHECK(at.enter_root());
    return true;
  }
  unique_fd next(retry_interrupted([&] { return openat(at.dir.get(), name.c_str(), kWalkFlags); }));
  if (!next) {
    if (errno == ENOTDIR) return environment_error("'{}' is not a folder", shown);
    return environment_error("cannot open the folder '{}': {}", shown, errno_text(errno));
  }
  at.dir = std::move(next);
  at.path = shown;
  return true;
}

}  // namespace

Status check_trusted(int fd, const std::string& path) {
  struct stat status{};
  if (fstat(fd, &status) != 0) return environment_error("cannot examine '{}': {}", path, errno_text(errno));
  JITNEY_CHECK(check_owner(status, path));
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return environment_error("others than its owner may write to '{}' (mode {:o}; allowed is at most 755)", path,
                             status.st_mode & 07777u);
  }
  return {};
}

Expected<std::shared_ptr<const Place>> open_place(const std::string& directory, const PlaceOptions& options) {
  if (directory.empty() || directory.find('\0') != std::string::npos) {
    return user_error("a cache folder's name is empty or holds a zero byte");
  }
  std::deque<std::string> todo;
  prepend(todo, directory);
  if (directory.front() != '/') {
    std::error_code error;
    const auto current = std::filesystem::current_path(error);
    if (error) return environment_error("cannot tell the working directory: {}", error.message());
    prepend(todo, current.string());
  }
  Position at;
  JITNEY_CHECK(at.enter_root());
  int symlinks = 0;
  while (!todo.empty()) {
    const std::string name = todo.front();
    todo.pop_front();
    JITNEY_CHECK(check_ancestor(at.dir.get(), at.path.string()));
    JITNEY_TRY(const bool there, step(at, name, todo, symlinks, options.make));
    if (!there) return std::shared_ptr<const Place>();
  }

  auto place = std::make_shared<Place>();
  place->path = at.path.string();
  JITNEY_CHECK(options.shared ? check_ancestor(at.dir.get(), place->path) : check_trusted(at.dir.get(), place->path));
  place->dir =
      unique_fd(retry_interrupted([&] { return openat(at.dir.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (!place->dir) return environment_error("cannot read the folder '{}': {}", place->path, errno_text(errno));
  place->writable = faccessat(place->dir.get(), ".", W_OK | X_OK, AT_EACCESS) == 0;
  return std::shared_ptr<const Place>(std::move(place));
}

}  // namespace jitney::cache
#endif
