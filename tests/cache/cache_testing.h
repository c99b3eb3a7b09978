// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <span>
#include <string>

#include "cache/cache_testing_content.h"
#include "cache/handle.h"
#include "cache/store_disk.h"
#include "util/temp_dir.h"

namespace jitney::cache::testing {

using jitney::testing::read_text;
using jitney::testing::TempDir;
using jitney::testing::write_text;

/// Files, but for the one that locks are in.
inline int count_files(const std::filesystem::path& folder) {
  int count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    count += !entry.is_directory() && entry.path().filename() != kLocksName;
  return count;
}

inline Blob blob_of(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

inline std::string text_of(const Blob& blob) { return {reinterpret_cast<const char*>(blob.data()), blob.size()}; }

inline std::string entry_path(const std::string& folder, const Key& key) {
  const std::string name = key.file_name();
  return folder + "/" + folder_of(name) + "/" + file_of(name);
}

/// How often: a few times in the ordinary suite, `check` times with JITNEY_CHECK, ten times that with JITNEY_NIGHTLY.
inline int rounds(int few, int check) {
  if (std::getenv("JITNEY_CHECK") == nullptr) return few;
  return std::getenv("JITNEY_NIGHTLY") == nullptr ? check : 10 * check;
}

/// Runs `work` in a forked child; its result is the child's exit code.
template <class F>
pid_t run_in_child(F work) {
  const pid_t child = fork();
  if (child == 0) _exit(work());
  return child;
}

/// The exit code, or minus the signal that ended it.
inline int wait_for(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/// The blob's text, or the reason in angle brackets.
inline std::string found(RuntimeCache& cache, const Key& key) {
  const auto blob = cache.lookup(key);
  return blob ? text_of(**blob) : "<" + std::string(to_string(blob.error())) + ">";
}

}  // namespace jitney::cache::testing
