// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "compiler/worker/linker.h"

#include <fcntl.h>
#include <lld/Common/Driver.h>
#include <llvm/Support/raw_ostream.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "compiler/descriptor.h"
#include "compiler/protocol.h"

LLD_HAS_DRIVER(elf)

namespace jitney::compiler {
namespace {

Expected<Descriptor> memory_file(const char* name) {
  Descriptor fd(::memfd_create(name, MFD_CLOEXEC));
  if (!fd) return environment_error("cannot make a memory file: {}", std::strerror(errno));
  return fd;
}

Status write_all(int fd, std::span<const char> bytes) {
  while (!bytes.empty()) {
    ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EFBIG) ::_exit(kExitFileTooLarge);
    if (n <= 0) return environment_error("cannot write a memory file: {}", std::strerror(errno));
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

Expected<std::vector<std::byte>> read_all(int fd) {
  struct stat info;
  if (::fstat(fd, &info) != 0) return environment_error("cannot read a memory file: {}", std::strerror(errno));
  std::vector<std::byte> bytes(static_cast<std::size_t>(info.st_size));
  for (std::size_t at = 0; at < bytes.size();) {
    ssize_t n = ::pread(fd, bytes.data() + at, bytes.size() - at, static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return environment_error("cannot read a memory file: {}", std::strerror(errno));
    at += static_cast<std::size_t>(n);
  }
  return bytes;
}

/// LLD writes to "-" in one go, but probes a named output by making a file beside it, which nothing in /proc
/// allows. So standard output is the memory file for a while.
class StandardOutput {
 public:
  explicit StandardOutput(int fd) : saved_(::fcntl(1, F_DUPFD_CLOEXEC, 3)) { ::dup2(fd, 1); }
  ~StandardOutput() {
    if (saved_) ::dup2(saved_.get(), 1);
    if (!saved_) ::close(1);
  }
  StandardOutput(const StandardOutput&) = delete;

 private:
  Descriptor saved_;
};

}  // namespace

Expected<std::vector<std::byte>> link_shared_object(std::span<const char> object) {
  JITNEY_TRY(Descriptor in, memory_file("kernel.o"));
  JITNEY_TRY(Descriptor out, memory_file("kernel.so"));
  JITNEY_CHECK(write_all(in.get(), object));
  std::string in_path = fmt::format("/proc/self/fd/{}", in.get());
  if (::access(in_path.c_str(), R_OK) != 0)
    return environment_error("the linker reads files in memory through /proc, which gives no access ({})",
                             std::strerror(errno));
  // One thread: LLD's pool costs more than it saves on one small object.
  const char* args[] = {"ld.lld",
                        "-shared",
                        "--threads=1",
                        "--no-mmap-output-file",
                        "--hash-style=gnu",
                        "--build-id=none",
                        "-z",
                        "noexecstack",
                        "-z",
                        "now",
                        "--gc-sections",
                        "-soname",
                        "kernel.so",
                        "-o",
                        "-",
                        in_path.c_str()};
  std::string text;
  llvm::raw_string_ostream stream(text);
  lld::Result result{};
  {
    StandardOutput redirected(out.get());
    result = lld::lldMain(args, stream, stream, {{lld::Gnu, &lld::elf::link}});
  }
  stream.flush();
  if (result.retCode != 0) return internal_error("the linker refused the object: {}", text);
  if (!result.canRunAgain) return internal_error("the linker is in no state to go on: {}", text);
  return read_all(out.get());
}

}  // namespace jitney::compiler
