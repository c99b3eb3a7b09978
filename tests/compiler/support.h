// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include "compiler/compiler.h"

namespace jitney::compiler {

inline void PrintTo(const CompileOutcome& outcome, std::ostream* out) {
  if (outcome) {
    *out << outcome->binary.size() << " bytes";
  } else {
    *out << "failure " << static_cast<int>(outcome.error().reason) << ": " << outcome.error().message;
  }
}

namespace test {

using Clock = std::chrono::steady_clock;

inline double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// Any machine of this architecture runs what is compiled for these.
inline std::vector<std::string> baseline_target() {
#if defined(__aarch64__)
  return {"-triple", "aarch64-unknown-linux-gnu", "-target-cpu", "generic"};
#else
  return {"-triple", "x86_64-unknown-linux-gnu", "-target-cpu", "x86-64-v2"};
#endif
}

inline CompileRequest request(std::string source, std::string name = "kernel") {
  CompileRequest r;
  r.name = std::move(name);
  r.source = std::move(source);
  r.options = baseline_target();
  return r;
}

/// A compiled shared object in this process.
class Loaded {
 public:
  explicit Loaded(std::span<const std::byte> binary) {
    // Open as long as the object is loaded: the loader takes a path that it knows for what it loaded from there before.
    fd_ = ::memfd_create("kernel", MFD_CLOEXEC);
    EXPECT_EQ(::write(fd_, binary.data(), binary.size()), static_cast<ssize_t>(binary.size()));
    handle_ = ::dlopen(("/proc/self/fd/" + std::to_string(fd_)).c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle_) ADD_FAILURE() << ::dlerror();
  }
  ~Loaded() {
    if (handle_) ::dlclose(handle_);
    ::close(fd_);
  }
  Loaded(const Loaded&) = delete;
  template <class F>
  F* symbol(const char* name) const {
    return handle_ ? reinterpret_cast<F*>(::dlsym(handle_, name)) : nullptr;
  }

 private:
  int fd_ = -1;
  void* handle_ = nullptr;
};

/// A folder that goes away.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "jitney-test-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  std::string write(const std::string& name, const std::string& text, bool executable) const {
    std::string file = (path_ / name).string();
    std::ofstream(file) << text;
    if (executable) std::filesystem::permissions(file, std::filesystem::perms::owner_all);
    return file;
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Children of this process, zombies included.
inline std::vector<pid_t> children() {
  std::vector<pid_t> result;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream file(task.path() / "children");
    for (pid_t pid; file >> pid;) result.push_back(pid);
  }
  return result;
}

/// Waits until a condition holds, at most so long.
template <class F>
bool eventually(F&& condition, double limit_ms = 3000) {
  for (auto start = Clock::now(); ms_since(start) < limit_ms; ::usleep(1000)) {
    if (condition()) return true;
  }
  return condition();
}

/// A softmax over float rows with an exponential polynomial: what a typical generated kernel looks like.
std::string softmax_source();

}  // namespace test
}  // namespace jitney::compiler
