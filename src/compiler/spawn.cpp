// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "compiler/spawn.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "compiler/priority.h"
#include "util/file_size_limit.h"

extern char** environ;

namespace jitney::compiler {
namespace {

constexpr std::uint64_t kOutputBytes = 64 << 10;

/// Never 0 to 2: a program that closed those must not find a socket there, and the child's dup2 need them free.
Descriptor above_standard(int fd) {
  Descriptor given(fd);
  if (!given || fd > 2) return given;
  return Descriptor(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
}

Descriptor output_file() {
  Descriptor fd = above_standard(::memfd_create("jitney-compiler-output", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  // Files in memory count for ulimit -f, and growing one past it would raise SIGXFSZ in the application.
  std::uint64_t bytes = std::min(kOutputBytes, file_size_limit().value_or(kOutputBytes));
  if (!fd || ::ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0) return {};
  ::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK);
  return fd;
}

/// What is preloaded or audited into the application is not meant for the compiler; resolving every symbol of LLVM
/// at once would cost it 100 ms.
std::vector<char*> child_environment() {
  std::vector<char*> result;
  for (char** e = environ; e && *e; ++e) {
    std::string_view v = *e;
    if (v.starts_with("LD_PRELOAD=") || v.starts_with("LD_AUDIT=") || v.starts_with("LD_BIND_NOW=")) continue;
    result.push_back(*e);
  }
  result.push_back(nullptr);
  return result;
}

class SpawnSetup {
 public:
  SpawnSetup(int socket, int output) {
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, socket, 0);
    posix_spawn_file_actions_adddup2(&actions, output, 1);
    posix_spawn_file_actions_adddup2(&actions, output, 2);
#if __GLIBC_PREREQ(2, 34)
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
#endif
    posix_spawnattr_init(&attributes);
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  }
  ~SpawnSetup() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

}  // namespace

tl::expected<Child, int> spawn(const std::string& path, const std::vector<std::string>& arguments, bool background) {
  Child child;
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) return tl::unexpected(errno);
  child.socket = above_standard(pair[0]);
  Descriptor theirs = above_standard(pair[1]);
  child.output = output_file();
  if (!child.socket || !theirs || !child.output) return tl::unexpected(errno);
  ::fcntl(child.socket.get(), F_SETFL, O_NONBLOCK);

  std::vector<char*> argv{const_cast<char*>(path.c_str())};
  for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  SpawnSetup setup(theirs.get(), child.output.get());
  auto environment = child_environment();
  if (int error =
          ::posix_spawn(&child.pid, path.c_str(), &setup.actions, &setup.attributes, argv.data(), environment.data())) {
    return tl::unexpected(error);
  }
  // The worker does this too, but only after its libraries are loaded.
  set_priority(child.pid, background);
  child.pidfd = above_standard(static_cast<int>(::syscall(SYS_pidfd_open, child.pid, 0)));
  return child;
}

}  // namespace jitney::compiler
