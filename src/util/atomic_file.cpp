// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "util/atomic_file.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>

#include "util/file.h"

namespace jitney {
namespace {

/// Names need only be rare, O_EXCL does the rest; so a kernel without entropy yet is no reason to wait or fail.
std::string temp_name() {
  std::uint64_t value = 0;
  if (getrandom(&value, sizeof value, GRND_NONBLOCK) != sizeof value) {
    static std::atomic<std::uint64_t> counter{0};
    const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
    value =
        (static_cast<std::uint64_t>(getpid()) << 32) ^ static_cast<std::uint64_t>(now) ^ (counter.fetch_add(1) << 48);
  }
  return fmt::format("{}{:016x}", AtomicFile::kTempPrefix, value);
}

unique_fd duplicate(int fd) { return unique_fd(fcntl(fd, F_DUPFD_CLOEXEC, 3)); }

}  // namespace

Expected<AtomicFile> AtomicFile::create(int dir_fd, std::string name, const Options& options) {
  AtomicFile made;
  made.durable_ = options.durable;
  made.name_ = std::move(name);
  if (made.name_.empty() || made.name_.find('/') != std::string::npos) {
    return internal_error("'{}' is no plain file name", made.name_);
  }
  made.dir_ = duplicate(dir_fd);
  if (options.temp_dir_fd >= 0) made.temp_dir_ = duplicate(options.temp_dir_fd);
  if (!made.dir_ || (options.temp_dir_fd >= 0 && !made.temp_dir_)) {
    return environment_error("cannot write '{}': {}", made.name_, errno_text(errno));
  }
  const int temp_dir = made.temp_dir_ ? made.temp_dir_.get() : made.dir_.get();
  for (int attempt = 0; attempt < 16; ++attempt) {
    const std::string name_tried = temp_name();
    constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    made.file_ =
        unique_fd(retry_interrupted([&] { return openat(temp_dir, name_tried.c_str(), kFlags, options.mode); }));
    if (made.file_) {
      made.temp_name_ = name_tried;
      return made;
    }
    if (errno != EEXIST) break;
  }
  return environment_error("cannot make a temporary file for '{}': {}", made.name_, errno_text(errno));
}

Expected<AtomicFile> AtomicFile::create(const std::string& path, const Options& options) {
  const auto slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  unique_fd dir(retry_interrupted([&] { return open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (!dir) return user_error("cannot open the folder '{}' to write '{}': {}", folder, path, errno_text(errno));
  const std::string name = path.substr(slash == std::string::npos ? 0 : slash + 1);
  if (name.empty()) return user_error("'{}' names a folder; the name of a file is needed", path);
  struct stat status{};
  if (fstatat(dir.get(), name.c_str(), &status, 0) == 0 && !S_ISREG(status.st_mode)) {
    return user_error("'{}' exists and is not a regular file", path);
  }
  return create(dir.get(), name, options);
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : dir_(std::move(other.dir_)),
      temp_dir_(std::move(other.temp_dir_)),
      file_(std::move(other.file_)),
      name_(std::move(other.name_)),
      temp_name_(std::exchange(other.temp_name_, {})),
      durable_(other.durable_),
      failed_(other.failed_) {}

AtomicFile::~AtomicFile() { discard(); }

void AtomicFile::discard() {
  if (temp_name_.empty()) return;
  file_.reset();
  unlinkat(temp_dir_ ? temp_dir_.get() : dir_.get(), temp_name_.c_str(), 0);
  temp_name_.clear();
}

Status AtomicFile::write(std::span<const std::byte> bytes) {
  const auto wrote = write_all(file_.get(), bytes);
  if (wrote) return {};
  failed_ = true;
  return environment_error("cannot write '{}': {}", name_, errno_text(wrote.error()));
}

Status AtomicFile::commit() {
  const auto fail = [&](const char* what, int error) -> Status {
    discard();
    return environment_error("cannot {} '{}': {}", what, name_, errno_text(error));
  };
  if (failed_ || temp_name_.empty()) return fail("commit", failed_ ? EIO : EBADF);
  // A failed fsync is final: the kernel may have dropped the dirty pages, so a second one would succeed wrongly.
  if (durable_ && fsync(file_.get()) != 0) return fail("make durable", errno);
  if (!file_.close_checked()) return fail("finish writing", errno);
  const int temp_dir = temp_dir_ ? temp_dir_.get() : dir_.get();
  if (renameat(temp_dir, temp_name_.c_str(), dir_.get(), name_.c_str()) != 0) return fail("rename to", errno);
  temp_name_.clear();
  if (durable_ && fsync(dir_.get()) != 0)
    return environment_error("'{}' may not survive a power cut: {}", name_, errno_text(errno));
  return {};
}

}  // namespace jitney
