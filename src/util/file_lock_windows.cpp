// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#if defined(_WIN32)
#include <windows.h>

#include <algorithm>
#include <thread>

#include "util/file_lock.h"
#include "util/windows_file.h"

namespace jitney {
namespace {

using Fault = LockFailure::Fault;
using Clock = std::chrono::steady_clock;

tl::unexpected<LockFailure> fail(Fault fault, const std::string& name, const std::string& why) {
  return tl::unexpected(LockFailure{fault, fmt::format("cannot lock '{}': {}", name, why)});
}

}  // namespace

struct FileLock::Handle {
  HANDLE file = INVALID_HANDLE_VALUE;

  Handle() = default;
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    if (file == INVALID_HANDLE_VALUE) return;
    OVERLAPPED where{};
    UnlockFileEx(file, 0, 1, 0, &where);
    CloseHandle(file);
  }
};

FileLock::FileLock(std::unique_ptr<Handle> handle, Mode mode) : handle_(std::move(handle)), mode_(mode) {}
FileLock::FileLock(FileLock&&) noexcept = default;
FileLock& FileLock::operator=(FileLock&&) noexcept = default;
FileLock::~FileLock() = default;

bool FileLock::owns() const { return handle_ != nullptr; }
void FileLock::release() { handle_.reset(); }

tl::expected<FileLock, LockFailure> FileLock::acquire(const std::string& path, const Options& options) {
  const auto deadline = Clock::now() + options.timeout;
  auto handle = std::make_unique<Handle>();
  // Nobody may delete the file while it is open, so that the name always means the locked one.
  handle->file =
      CreateFileW(windows::wide(path).c_str(), GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                  nullptr, OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT, nullptr);
  if (handle->file == INVALID_HANDLE_VALUE)
    return fail(Fault::refused, path, fmt::format("Windows error {}", GetLastError()));
  const DWORD flags = LOCKFILE_FAIL_IMMEDIATELY | (options.mode == Mode::exclusive ? LOCKFILE_EXCLUSIVE_LOCK : 0);
  for (;;) {
    OVERLAPPED where{};
    if (LockFileEx(handle->file, flags, 0, 1, 0, &where)) return FileLock(std::move(handle), options.mode);
    const DWORD error = GetLastError();
    if (error != ERROR_LOCK_VIOLATION && error != ERROR_IO_PENDING) {
      CloseHandle(std::exchange(handle->file, INVALID_HANDLE_VALUE));
      return fail(Fault::unsupported, path, fmt::format("Windows error {}", error));
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (options.timeout.count() >= 0 && left.count() <= 0) {
      CloseHandle(std::exchange(handle->file, INVALID_HANDLE_VALUE));
      return fail(Fault::timeout, path,
                  fmt::format("somebody else has held it for {} ms; it can be tried again", options.timeout.count()));
    }
    const auto poll = std::max(options.poll, std::chrono::milliseconds(1));
    std::this_thread::sleep_for(options.timeout.count() < 0 ? poll : std::min(poll, left));
  }
}

}  // namespace jitney
#endif
