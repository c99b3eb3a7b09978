// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "util/memfd.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "util/file.h"
#include "util/file_size_limit.h"

namespace jitney {

Expected<unique_fd> make_memfd(const std::string& name, std::span<const std::byte> bytes) {
  if (const auto limit = file_size_limit(); limit && bytes.size() > *limit) {
    return environment_error(
        "'{}' has {} bytes, and the limit on file sizes (ulimit -f), which counts files in memory, "
        "is {} bytes",
        name, bytes.size(), *limit);
  }
  constexpr unsigned kFlags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  constexpr unsigned kNoExecSeal = 8;  // MFD_NOEXEC_SEAL; forbids execve only, mapping as code stays allowed
  unique_fd fd(memfd_create(name.c_str(), kFlags));
  // Where vm.memfd_noexec is 2 the kernel accepts nothing else.
  if (!fd && errno == EACCES) fd = unique_fd(memfd_create(name.c_str(), MFD_CLOEXEC | kNoExecSeal));
  if (!fd) return environment_error("cannot make a file in memory for '{}': {}", name, errno_text(errno));
  if (const auto wrote = write_all(fd.get(), bytes); !wrote) {
    return environment_error("no memory for the {} bytes of '{}': {}", bytes.size(), name, errno_text(wrote.error()));
  }
  if (fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0) {
    return environment_error("cannot seal the file in memory for '{}': {}", name, errno_text(errno));
  }
  return fd;
}

std::string fd_path(int fd) { return fmt::format("/proc/self/fd/{}", fd); }

}  // namespace jitney
