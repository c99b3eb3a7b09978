// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "util/paths.h"

#include <dlfcn.h>
#include <pwd.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <vector>

#include "util/env.h"

namespace jitney {
namespace {

std::string resolve(const char* path) {
  char* real = realpath(path, nullptr);
  std::string result = real == nullptr ? "" : real;
  std::free(real);
  return result;
}

bool is_absolute(const std::string& path) { return !path.empty() && path.front() == '/'; }

}  // namespace

std::string executable_path() {
  // readlink, not realpath: it still answers when the file was replaced by an update.
  char buffer[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", buffer, sizeof buffer);
  return length > 0 ? std::string(buffer, static_cast<std::size_t>(length)) : std::string();
}

std::string library_path() {
  static const char anchor = 0;
  Dl_info info{};
  if (dladdr(&anchor, &info) == 0 || info.dli_fname == nullptr) return executable_path();
  const std::string path = resolve(info.dli_fname);
  // In a program dli_fname is argv[0], which need not be a path.
  return path.empty() ? executable_path() : path;
}

std::optional<std::string> home_directory() {
  if (auto home = env_path("HOME"); home && is_absolute(*home)) return home;
  std::vector<char> buffer(16384);
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(geteuid(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) return std::nullopt;
  if (found->pw_dir == nullptr || !is_absolute(found->pw_dir)) return std::nullopt;
  return found->pw_dir;
}

std::optional<std::string> default_cache_directory() {
  if (is_privileged_start()) return std::nullopt;
  if (auto directory = env_path("JITNEY_CACHE_DIR")) return directory;
  if (auto cache = env_path("XDG_CACHE_HOME"); cache && is_absolute(*cache)) return *cache + "/jitney";
  if (auto home = home_directory()) return *home + "/.cache/jitney";
  return std::nullopt;
}

}  // namespace jitney
