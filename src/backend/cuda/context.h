// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/cuda/driver.h"

namespace jitney::backend::cuda {

/// Makes a context current on this thread for a while. A thread that had none keeps it, so that its next call finds it
/// there; one that had another (the application's, on another device) gets that back. Where it is current already this
/// costs one look at a thread-local variable.
class ContextScope {
 public:
  ContextScope(const Driver& driver, CUcontext context) : driver_(driver) {
    CUcontext current = nullptr;
    result_ = driver.CtxGetCurrent(&current);
    if (result_ != CUDA_SUCCESS || current == context) return;
    result_ = driver.CtxSetCurrent(context);
    if (result_ == CUDA_SUCCESS) before_ = current;
  }
  ~ContextScope() {
    if (before_ != nullptr) driver_.CtxSetCurrent(before_);
  }
  ContextScope(const ContextScope&) = delete;
  ContextScope& operator=(const ContextScope&) = delete;
  CUresult result() const { return result_; }

 private:
  const Driver& driver_;
  CUresult result_ = CUDA_SUCCESS;
  CUcontext before_ = nullptr;
};

/// While it lives, what this thread allocates or loads cannot break a capture, its own or another thread's.
class RelaxedCapture {
 public:
  explicit RelaxedCapture(const Driver& driver) : driver_(driver) { driver_.ThreadExchangeStreamCaptureMode(&mode_); }
  ~RelaxedCapture() { driver_.ThreadExchangeStreamCaptureMode(&mode_); }
  RelaxedCapture(const RelaxedCapture&) = delete;
  RelaxedCapture& operator=(const RelaxedCapture&) = delete;

 private:
  const Driver& driver_;
  CUstreamCaptureMode mode_ = CU_STREAM_CAPTURE_MODE_RELAXED;
};

}  // namespace jitney::backend::cuda
