// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "util/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "util/file.h"

namespace jitney {

Expected<MappedFile> MappedFile::open(const std::string& path) {
  const auto fd = open_regular(AT_FDCWD, path.c_str(), true);
  if (fd) return map(fd->get(), path);
  if (fd.error() == EISDIR) return user_error("'{}' is a directory; a regular file is needed", path);
  if (fd.error() == EINVAL || fd.error() == ENXIO) return user_error("'{}' is not a regular file", path);
  if (fd.error() == EMFILE || fd.error() == ENFILE || fd.error() == ENOMEM || fd.error() == EIO) {
    return environment_error("cannot open '{}': {}", path, errno_text(fd.error()));
  }
  return user_error("cannot open '{}': {}", path, errno_text(fd.error()));
}

Expected<MappedFile> MappedFile::map(int fd, const std::string& name) {
  struct stat status{};
  if (fstat(fd, &status) != 0) return environment_error("cannot read the size of '{}': {}", name, errno_text(errno));
  if (!S_ISREG(status.st_mode)) return user_error("'{}' is not a regular file", name);
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0) return MappedFile(nullptr, 0);
  void* data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (data == MAP_FAILED)
    return environment_error("cannot map the {} bytes of '{}': {}", size, name, errno_text(errno));
  return MappedFile(data, size);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(data_, size_);
}

}  // namespace jitney
