// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "util/atomic_file.h"
#include "util/expected.h"
#include "util/mapped_file.h"
#include "util/memfd.h"
#include "util/unique_fd.h"

/// Reading and writing whole files. Interrupted and short transfers are continued. All functions are thread-safe.
namespace jitney {

/// What a system call left behind: errno, with EFBIG for a file above the limit, EISDIR for a directory and EINVAL
/// for another thing that is no regular file.
template <class T>
using Sys = tl::expected<T, int>;

/// Opens a regular file for reading, close-on-exec, and never waits for a writer at a FIFO. `name` is relative to
/// `dir_fd` (AT_FDCWD: the working directory).
Sys<unique_fd> open_regular(int dir_fd, const char* name, bool follow_symlinks);

/// Everything from the descriptor's position to the end of the file.
Sys<std::vector<std::byte>> read_all(int fd, std::size_t limit);

/// The whole file. Error(user) when it is missing, may not be read, is no regular file or is larger than `limit`
/// bytes; Error(environment) when reading fails.
Expected<std::vector<std::byte>> read_file(const std::string& path, std::size_t limit);

/// Writes all bytes, or says why not. Writing past RLIMIT_FSIZE is EFBIG and not a signal that ends the process.
Sys<void> write_all(int fd, std::span<const std::byte> bytes);

/// Runs a system call again while a signal interrupts it.
template <class F>
auto retry_interrupted(F&& call) {
  for (;;) {
    const auto result = call();
    if (result != -1 || errno != EINTR) return result;
  }
}

/// "No such file or directory" for an errno, thread-safely.
std::string errno_text(int error);

}  // namespace jitney
