// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

namespace jitney::backend::onednn {

/// Held while a thread is where it may hold a lock of oneDNN's or of our tables. A fork waits until nobody is there, so
/// that the child, which may plan and pack itself, finds every lock free. Not recursive: a thread that waits for a fork
/// in between would wait for ever.
class ForkGate {
 public:
  ForkGate();
  ~ForkGate();
  ForkGate(const ForkGate&) = delete;
  ForkGate& operator=(const ForkGate&) = delete;
};

}  // namespace jitney::backend::onednn
