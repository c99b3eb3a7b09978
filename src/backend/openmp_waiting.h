// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

namespace jitney::backend {

/// While it lives, a libgomp that is loaded reads how long its threads spin before they sleep: some microseconds, where
/// its own default is a millisecond. Long enough for the next kernel of a running model, which comes at once; but when
/// a neighbour holds a core, the thread that waits gives up its own, and the thread that it waits for runs there.
/// Measured with one busy process beside two threads: MobileNetV2 takes 690 ms with libgomp's default, 20 ms so, 15 ms
/// on one thread; alone there is no difference. libgomp reads the environment when it is loaded and never again, so
/// that is where it must be said. Does nothing where the user said something (GOMP_SPINCOUNT, OMP_WAIT_POLICY) or where
/// libgomp is there already: then it is somebody else's, too.
class ShortWaits {
 public:
  ShortWaits();
  ~ShortWaits();
  ShortWaits(const ShortWaits&) = delete;

 private:
  bool is_set_ = false;
};

}  // namespace jitney::backend
