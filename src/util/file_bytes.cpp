// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "util/file_bytes.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace jitney {
namespace {

std::size_t bytes_of(DType dtype, const std::vector<std::int64_t>& shape) {
  std::size_t bytes = size_of(dtype);
  for (const auto extent : shape) bytes *= static_cast<std::size_t>(extent);
  return bytes;
}

class InFile final : public Reloadable {
 public:
  InFile(std::size_t bytes, std::shared_ptr<const OpenFile> file, std::int64_t offset)
      : Reloadable(bytes), file_(std::move(file)), offset_(offset) {}

 private:
  Expected<std::shared_ptr<void>> load() override {
    JITNEY_TRY(auto memory, map_memory(bytes()));
    JITNEY_CHECK(file_->read(offset_, bytes(), memory.get()));
    return memory;
  }
  const std::shared_ptr<const OpenFile> file_;
  const std::int64_t offset_;
};

/// The pages within [data, data + bytes) of a read-only mapping are no longer counted as this process's; touched again,
/// they come back from the file.
void give_pages_back(const void* data, std::size_t bytes) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = (reinterpret_cast<std::uintptr_t>(data) + page - 1) / page * page;
  const auto end = (reinterpret_cast<std::uintptr_t>(data) + bytes) / page * page;
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

class InMapping final : public Reloadable {
 public:
  InMapping(std::size_t bytes, std::shared_ptr<const void> owner, const void* data)
      : Reloadable(bytes), owner_(std::move(owner)), data_(data) {}

 private:
  Expected<std::shared_ptr<void>> load() override {
    // The deleter holds the mapping, so that it outlives those who hold the bytes and not this.
    return std::shared_ptr<void>(const_cast<void*>(data_),
                                 [owner = owner_, size = bytes()](void* p) { give_pages_back(p, size); });
  }
  const std::shared_ptr<const void> owner_;
  const void* const data_;
};

}  // namespace

Expected<std::shared_ptr<const OpenFile>> OpenFile::duplicate(int fd, std::string name) {
  unique_fd own(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
  struct stat status{};
  if (!own || ::fstat(own.get(), &status) != 0)
    return environment_error("cannot keep '{}' open: {}", name, std::strerror(errno));
  return std::shared_ptr<const OpenFile>(new OpenFile(std::move(own), std::move(name), status));
}

Status OpenFile::check() const {
  struct stat now{};
  // The descriptor may be another file's by now, in a process that closes all it does not know.
  const bool is_same = ::fstat(fd_.get(), &now) == 0 && now.st_dev == status_.st_dev && now.st_ino == status_.st_ino &&
                       now.st_size == status_.st_size && now.st_mtim.tv_sec == status_.st_mtim.tv_sec &&
                       now.st_mtim.tv_nsec == status_.st_mtim.tv_nsec;
  if (is_same) return {};
  return environment_error(
      "'{}' changed or was closed since it was loaded, and its weights are needed again; load the model again", name_);
}

Status OpenFile::read(std::int64_t offset, std::size_t size, void* into) const {
  JITNEY_CHECK(check());
  for (std::size_t done = 0; done < size;) {
    const ssize_t n =
        ::pread(fd_.get(), static_cast<char*>(into) + done, size - done, offset + static_cast<std::int64_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return environment_error("cannot read weights from '{}': {}", name_, std::strerror(errno));
    if (n == 0) return environment_error("cannot read weights from '{}': it became shorter", name_);
    done += static_cast<std::size_t>(n);
  }
  // Also afterwards: it may have changed while it was read.
  return check();
}

Tensor tensor_in_file(DType dtype, std::vector<std::int64_t> shape, std::shared_ptr<const OpenFile> file,
                      std::int64_t offset) {
  const std::size_t bytes = bytes_of(dtype, shape);
  return Tensor::reloading(dtype, std::move(shape), std::make_shared<InFile>(bytes, std::move(file), offset));
}

Tensor tensor_in_mapping(DType dtype, std::vector<std::int64_t> shape, std::shared_ptr<const void> owner,
                         const void* data) {
  const std::size_t bytes = bytes_of(dtype, shape);
  return Tensor::reloading(dtype, std::move(shape), std::make_shared<InMapping>(bytes, std::move(owner), data));
}

}  // namespace jitney
