// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "frontend/onnx/external_data.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace jitney::onnx {
namespace {

/// A model with thousands of small files must not use up the process's descriptors.
constexpr std::size_t kMaxOpenFiles = 16;

struct Descriptor {
  int fd = -1;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

Expected<std::vector<std::string>> split(const std::string& location) {
  if (location.empty()) return user_error("an external tensor names no file");
  if (location.find('\0') != std::string::npos || location.front() == '/') {
    return user_error("external data '{}' must be a path relative to the model's folder", location.c_str());
  }
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= location.size();) {
    const std::size_t end = std::min(location.find('/', begin), location.size());
    const std::string part = location.substr(begin, end - begin);
    if (part == "..") return user_error("external data '{}' lies outside the model's folder", location);
    if (!part.empty() && part != ".") parts.push_back(part);
    begin = end + 1;
  }
  if (parts.empty()) return user_error("external data '{}' names no file", location);
  return parts;
}

tl::unexpected<Failure> cannot_open(const std::string& location, int error) {
  if (error == ELOOP || error == ENOTDIR) {
    return user_error(
        "external data '{}' is reached through a symbolic link or a file; only plain folders beneath the model's "
        "folder are followed",
        location);
  }
  if (error == EMFILE || error == ENFILE || error == ENOMEM) {
    return environment_error("cannot open external data '{}': {}", location, std::strerror(error));
  }
  return user_error("cannot open external data '{}': {}", location, std::strerror(error));
}

}  // namespace

ExternalData::~ExternalData() {
  for (const auto& [location, file] : files_) ::close(file.descriptor);
}

Expected<ExternalData::File> ExternalData::open(const std::string& location) {
  if (const auto found = files_.find(location); found != files_.end()) return found->second;
  if (!base_) return user_error("external data '{}' cannot be read: a model given as bytes has no folder", location);
  JITNEY_TRY(const auto parts, split(location));

  Descriptor folder{::open(base_->empty() ? "." : base_->c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
  if (folder.fd < 0) return user_error("cannot open the model's folder '{}': {}", *base_, std::strerror(errno));
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    const int next = ::openat(folder.fd, parts[i].c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (next < 0) return cannot_open(location, errno);
    ::close(folder.fd);
    folder.fd = next;
  }
  // O_NONBLOCK: a FIFO must not hang us before fstat can refuse it.
  Descriptor file{::openat(folder.fd, parts.back().c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
  if (file.fd < 0) return cannot_open(location, errno);
  struct stat status{};
  if (::fstat(file.fd, &status) != 0) return cannot_open(location, errno);
  if (!S_ISREG(status.st_mode)) return user_error("external data '{}' is not a regular file", location);
  if (status.st_nlink > 1) {
    return user_error(
        "external data '{}' has several hard links, so it may be a file from outside the model's folder; copy it",
        location);
  }
  if (files_.size() >= kMaxOpenFiles) {
    ::close(files_.begin()->second.descriptor);
    files_.erase(files_.begin());
  }
  const File opened{std::exchange(file.fd, -1), static_cast<std::int64_t>(status.st_size)};
  files_.emplace(location, opened);
  return opened;
}

Status ExternalData::check(const std::string& location, std::int64_t offset, std::int64_t length) {
  JITNEY_TRY(const File file, open(location));
  if (offset < 0 || length < 0 || offset > file.size || length > file.size - offset) {
    return user_error("external data '{}' has {} bytes; {} bytes at offset {} lie outside it", location, file.size,
                      length, offset);
  }
  return {};
}

Status ExternalData::read(const std::string& location, std::int64_t offset, std::int64_t length, void* into) {
  JITNEY_CHECK(check(location, offset, length));
  JITNEY_TRY(const File file, open(location));
  for (std::int64_t done = 0; done < length;) {
    const ssize_t got = ::pread(file.descriptor, static_cast<char*>(into) + done,
                                static_cast<std::size_t>(length - done), offset + done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return environment_error("cannot read external data '{}': {}", location, std::strerror(errno));
    if (got == 0) return user_error("external data '{}' became shorter while it was read", location);
    done += got;
  }
  return {};
}

Expected<std::shared_ptr<const OpenFile>> ExternalData::keep(const std::string& location) {
  if (const auto found = kept_.find(location); found != kept_.end()) return found->second;
  if (kept_.size() >= kMaxOpenFiles) return nullptr;
  JITNEY_TRY(const File file, open(location));
  auto kept = OpenFile::duplicate(file.descriptor, location);
  if (!kept) return nullptr;  // no descriptor to spare: it is read now
  kept_.emplace(location, *kept);
  return *kept;
}

}  // namespace jitney::onnx
