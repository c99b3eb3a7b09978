// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <span>
#include <string>

#include "cache/handle.h"
#include "cache/store_names.h"
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

inline Key key_of(const std::string& source) { return Key().add("source", source).add("target", "x86-64-v3"); }

/// What a key's blob must be: wrong bytes show, whoever wrote them. About 10 KB, half of it hard to compress.
inline std::string content_of(const std::string& source) {
  std::string text = "blob of " + source + ":";
  unsigned state = static_cast<unsigned>(std::hash<std::string>()(source)) | 1;
  while (text.size() < 5000) text += static_cast<char>((state = state * 1664525u + 1013904223u) >> 24);
  return text + std::string(5000, 'z');
}

inline std::string entry_path(const std::string& folder, const Key& key) {
  const std::string name = key.file_name();
  return folder + "/" + folder_of(name) + "/" + file_of(name);
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
