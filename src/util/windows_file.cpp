// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "util/windows_file.h"

#if defined(_WIN32)
#include <windows.h>

#include <algorithm>
#include <atomic>

namespace jitney::windows {
namespace {

class Handle {
 public:
  explicit Handle(HANDLE handle) : handle_(handle) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { close(); }
  HANDLE get() const { return handle_; }
  explicit operator bool() const { return handle_ != INVALID_HANDLE_VALUE; }
  void close() {
    if (handle_ != INVALID_HANDLE_VALUE) CloseHandle(std::exchange(handle_, INVALID_HANDLE_VALUE));
  }

 private:
  HANDLE handle_;
};

constexpr DWORD kShareAll = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
constexpr std::size_t kPiece = std::size_t{1} << 30;

std::string temp_name(const std::string& path) {
  static std::atomic<unsigned> counter{0};
  return fmt::format("{}.jitney-tmp-{:x}-{:x}-{:x}", path, GetCurrentProcessId(), GetTickCount(), counter++);
}

bool write_all(HANDLE file, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    DWORD wrote = 0;
    if (!WriteFile(file, bytes.data(), static_cast<DWORD>(std::min(bytes.size(), kPiece)), &wrote, nullptr))
      return false;
    bytes = bytes.subspan(wrote);
  }
  return true;
}

/// A reader or a virus scanner may have the target open for a moment.
bool rename_over(const std::wstring& from, const std::wstring& to, bool durable) {
  const DWORD flags = MOVEFILE_REPLACE_EXISTING | (durable ? MOVEFILE_WRITE_THROUGH : 0);
  for (int attempt = 0; attempt < 20; ++attempt) {
    if (MoveFileExW(from.c_str(), to.c_str(), flags)) return true;
    const DWORD error = GetLastError();
    if (error != ERROR_ACCESS_DENIED && error != ERROR_SHARING_VIOLATION) return false;
    Sleep(10);
  }
  return false;
}

}  // namespace

std::wstring wide(const std::string& text) {
  const int size = static_cast<int>(text.size());
  std::wstring result(static_cast<std::size_t>(MultiByteToWideChar(CP_UTF8, 0, text.data(), size, nullptr, 0)), L'\0');
  MultiByteToWideChar(CP_UTF8, 0, text.data(), size, result.data(), static_cast<int>(result.size()));
  return result;
}

Expected<std::optional<std::vector<std::byte>>> read_if_there(const std::string& path, std::size_t limit) {
  Handle file(
      CreateFileW(wide(path).c_str(), GENERIC_READ, kShareAll, nullptr, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr));
  if (!file) {
    const DWORD error = GetLastError();
    if (error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND) return std::optional<std::vector<std::byte>>();
    return environment_error("cannot open '{}': Windows error {}", path, error);
  }
  LARGE_INTEGER size{};
  if (!GetFileSizeEx(file.get(), &size))
    return environment_error("cannot read '{}': Windows error {}", path, GetLastError());
  if (static_cast<std::uint64_t>(size.QuadPart) > limit)
    return environment_error("'{}' is larger than the {} bytes allowed", path, limit);
  std::vector<std::byte> bytes(static_cast<std::size_t>(size.QuadPart));
  std::size_t used = 0;
  while (used < bytes.size()) {
    DWORD got = 0;
    if (!ReadFile(file.get(), bytes.data() + used, static_cast<DWORD>(std::min(bytes.size() - used, kPiece)), &got,
                  nullptr))
      return environment_error("cannot read '{}': Windows error {}", path, GetLastError());
    if (got == 0) break;
    used += got;
  }
  bytes.resize(used);
  return std::optional(std::move(bytes));
}

Status replace(const std::string& path, std::span<const std::byte> bytes, bool durable) {
  const std::wstring temporary = wide(temp_name(path));
  const auto fail = [&](const char* what) -> Status {
    const DWORD error = GetLastError();
    DeleteFileW(temporary.c_str());
    return environment_error("cannot {} '{}': Windows error {}", what, path, error);
  };
  {
    Handle file(CreateFileW(temporary.c_str(), GENERIC_WRITE, 0, nullptr, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, nullptr));
    if (!file) return fail("make a temporary file for");
    if (!write_all(file.get(), bytes) || (durable && !FlushFileBuffers(file.get()))) {
      file.close();
      return fail("write");
    }
  }
  if (!rename_over(temporary, wide(path), durable)) return fail("rename to");
  return {};
}

}  // namespace jitney::windows
#endif
