// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "util/confine.h"

#if defined(__linux__) && defined(__x86_64__)
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace jitney {
namespace {

constexpr std::uint32_t kRefuse = SECCOMP_RET_ERRNO | EPERM;
/// The C library falls back to the older call when a newer one is not there.
constexpr std::uint32_t kUnknown = SECCOMP_RET_ERRNO | ENOSYS;

constexpr std::uint32_t kRefused[] = {
    // the network; socketpair stays
    SYS_socket, SYS_connect, SYS_bind, SYS_listen, SYS_accept, SYS_accept4,
    // other programs and processes
    SYS_execve, SYS_execveat, SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_pidfd_getfd, SYS_kcmp,
    // the file system
    SYS_creat, SYS_rename, SYS_renameat, SYS_renameat2, SYS_unlink, SYS_unlinkat, SYS_rmdir, SYS_mkdir, SYS_mkdirat,
    SYS_mknod, SYS_mknodat, SYS_link, SYS_linkat, SYS_symlink, SYS_symlinkat, SYS_truncate, SYS_chmod, SYS_fchmod,
    SYS_fchmodat, SYS_chown, SYS_fchown, SYS_lchown, SYS_fchownat, SYS_utime, SYS_utimes, SYS_utimensat, SYS_futimesat,
    SYS_setxattr, SYS_lsetxattr, SYS_fsetxattr, SYS_removexattr, SYS_lremovexattr, SYS_fremovexattr,
    // what changes the system or this filter's meaning
    SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_setns, SYS_unshare, SYS_bpf, SYS_open_by_handle_at,
    SYS_init_module, SYS_finit_module, SYS_kexec_load, SYS_reboot, SYS_swapon, SYS_swapoff, SYS_keyctl, SYS_add_key,
    SYS_request_key, SYS_perf_event_open, SYS_userfaultfd};

/// Calls whose work a filter cannot see: rings, and flags behind a pointer.
constexpr std::uint32_t kAbsent[] = {SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register, SYS_openat2};

constexpr std::uint32_t kWriting = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC;

sock_filter load(std::size_t offset) { return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)); }
sock_filter give(std::uint32_t what) { return BPF_STMT(BPF_RET | BPF_K, what); }

/// Skips `skip` instructions unless the loaded number is this one.
sock_filter unless(std::uint32_t number, std::uint8_t skip) {
  return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, skip);
}

std::vector<sock_filter> make_program() {
  std::vector<sock_filter> program = {
      load(offsetof(seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
      give(kRefuse),
      load(offsetof(seccomp_data, nr)),
      // The same calls by other numbers (x32).
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x4000'0000u, 0, 1),
      give(kRefuse),
  };
  for (const auto& [call, argument] : {std::pair{SYS_open, 1}, std::pair{SYS_openat, 2}}) {
    program.push_back(unless(static_cast<std::uint32_t>(call), 4));
    program.push_back(load(offsetof(seccomp_data, args) + 8 * static_cast<std::size_t>(argument)));
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, kWriting, 0, 1));
    program.push_back(give(kRefuse));
    program.push_back(give(SECCOMP_RET_ALLOW));
  }
  for (const auto call : kRefused) {
    program.push_back(unless(call, 1));
    program.push_back(give(kRefuse));
  }
  for (const auto call : kAbsent) {
    program.push_back(unless(call, 1));
    program.push_back(give(kUnknown));
  }
  program.push_back(give(SECCOMP_RET_ALLOW));
  return program;
}

}  // namespace

bool confine_process() {
  std::vector<sock_filter> instructions = make_program();
  sock_fprog program{static_cast<unsigned short>(instructions.size()), instructions.data()};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return false;
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

}  // namespace jitney
#else
namespace jitney {
bool confine_process() { return false; }
}  // namespace jitney
#endif
