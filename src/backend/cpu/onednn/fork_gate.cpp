// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/onednn/fork_gate.h"

#include <pthread.h>

#include <new>
#include <shared_mutex>

namespace jitney::backend::onednn {
namespace {

std::shared_mutex& gate() {
  static auto& mutex = *new std::shared_mutex;
  return mutex;
}

// The child has another thread id than the one that locked it, so that it cannot unlock: it gets a new one.
[[maybe_unused]] const int registered =
    pthread_atfork([] { gate().lock(); }, [] { gate().unlock(); }, [] { new (&gate()) std::shared_mutex; });

}  // namespace

ForkGate::ForkGate() { gate().lock_shared(); }
ForkGate::~ForkGate() { gate().unlock_shared(); }

}  // namespace jitney::backend::onednn
