// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cache/store_names.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <charconv>
#include <memory>

namespace jitney::cache {
namespace {

/// 60 bits of the hash at the name's end.
std::uint64_t number_of(const std::string& name) {
  constexpr std::size_t kDigits = 15;
  const std::string digits = name.substr(name.size() - std::min(name.size(), kDigits));
  std::uint64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
  return number << 1;
}

}  // namespace

std::uint64_t claim_number(const std::string& name) { return number_of(name); }
std::uint64_t use_number(const std::string& name) { return number_of(name) | 1; }

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

std::vector<std::string> names_in(int folder) {
  std::vector<std::string> names;
  // A descriptor of its own: readdir moves a position that duplicates would share.
  unique_fd own(openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!own) return names;
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(fdopendir(own.get()), &closedir);
  if (dir == nullptr) return names;
  own.release();  // closedir closes it
  while (const dirent* found = readdir(dir.get())) {
    const std::string_view name = found->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  return names;
}

}  // namespace jitney::cache
