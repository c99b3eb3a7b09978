// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "compiler/find_worker.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "util/env.h"
#include "util/paths.h"

namespace jitney::compiler {
namespace {

namespace fs = std::filesystem;

/// Folders that hold plugins, given the folder that a library or a program lies in.
void add_folders(const fs::path& object, std::vector<fs::path>& folders) {
  if (object.empty()) return;
  fs::path here = object.parent_path(), above = here.parent_path();
  for (const fs::path& folder : {here / "jitney", here / "../jitney", above / "lib/jitney", above / "lib64/jitney",
#if defined(__x86_64__)
                                 above / "lib/x86_64-linux-gnu/jitney",
#elif defined(__aarch64__)
                                 above / "lib/aarch64-linux-gnu/jitney",
#endif
                                 here}) {
    fs::path normal = folder.lexically_normal();
    if (std::find(folders.begin(), folders.end(), normal) == folders.end()) folders.push_back(normal);
  }
}

bool runnable(const fs::path& path) {
  std::error_code ec;
  return fs::is_regular_file(path, ec) && ::access(path.c_str(), X_OK) == 0;
}

}  // namespace

Expected<std::string> find_worker(const std::string& given, const char* variable, std::string_view program) {
  auto explicit_path = [&](const std::string& path, std::string_view origin) -> Expected<std::string> {
    if (!runnable(path))
      return environment_error("the compiler '{}', given by {}, is not a program that can be run", path, origin);
    std::error_code ec;
    fs::path absolute = fs::absolute(path, ec);
    return ec ? path : absolute.string();
  };
  if (!given.empty()) return explicit_path(given, "the options");
  if (auto path = env_path(variable)) return explicit_path(*path, variable);

  std::vector<fs::path> folders;
  add_folders(library_path(), folders);
  add_folders(executable_path(), folders);
  std::string looked;
  for (const fs::path& folder : folders) {
    if (runnable(folder / program)) return (folder / program).string();
    looked += (looked.empty() ? "" : ", ") + folder.string();
  }
  return environment_error("no compiler: {} was not found in {}; set {} to its path", program, looked, variable);
}

}  // namespace jitney::compiler
