// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "util/fork_closed_fd.h"

#if !defined(_WIN32)
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <vector>

namespace jitney {
namespace {

struct Registry {
  std::mutex mutex;
  std::vector<int> open;
  std::atomic<unsigned> generation{1};
};

/// Never destroyed: a fork may come from a static object's destructor.
Registry& registry() {
  static Registry* const instance = [] {
    auto* made = new Registry;
    pthread_atfork([] { registry().mutex.lock(); }, [] { registry().mutex.unlock(); },
                   [] {
                     // The forking thread holds the mutex, and is the only one here.
                     Registry& r = registry();
                     for (int fd : r.open) ::close(fd);
                     r.open.clear();
                     ++r.generation;
                     r.mutex.unlock();
                   });
    return made;
  }();
  return *instance;
}

}  // namespace

ForkClosedFd ForkClosedFd::open(const std::function<int()>& open) {
  Registry& r = registry();
  std::lock_guard lock(r.mutex);
  r.open.reserve(r.open.size() + 1);
  ForkClosedFd made;
  made.fd_ = open();
  if (made.fd_ < 0) return made;
  made.generation_ = r.generation;
  r.open.push_back(made.fd_);
  return made;
}

int ForkClosedFd::get() const { return fd_ >= 0 && generation_ == registry().generation ? fd_ : -1; }

void ForkClosedFd::reset() {
  if (fd_ < 0) return;
  Registry& r = registry();
  const int saved = errno;
  std::lock_guard lock(r.mutex);
  // In a child the number may by now be another file's.
  if (generation_ == r.generation) {
    std::erase(r.open, fd_);
    ::close(fd_);
  }
  fd_ = -1;
  errno = saved;
}

}  // namespace jitney
#endif
