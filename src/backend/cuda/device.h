// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

#include "backend/backend.h"
#include "backend/cuda/capture_log.h"
#include "backend/cuda/context.h"
#include "backend/cuda/fault_words.h"
#include "backend/cuda/graph_table.h"
#include "backend/cuda/module_table.h"
#include "backend/program_allocator.h"

namespace jitney::backend::cuda {

/// What the driver says of a device without a context.
struct Properties {
  std::string name;
  int major = 0, minor = 0;  ///< compute capability
  int multiprocessors = 1;
  std::size_t cache_bytes = 0;  ///< of the last level
  std::size_t memory_bytes = 0;
  bool memory_pools = false;
};

/// One GPU: its primary context, which PyTorch and the CUDA runtime share, retained at first use; its memory; and what
/// was loaded on it. Thread-safe.
class Device {
 public:
  static Expected<std::unique_ptr<Device>> open(const Driver& driver, int index);
  /// Frees everything but the memory that callers still hold.
  ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  int index() const { return index_; }
  const Properties& properties() const { return properties_; }
  /// Retained at the first call. To be made current with a ContextScope.
  Expected<CUcontext> context();

  /// Stream-ordered, from a pool of this device's own that gives nothing back to the system before the process ends, so
  /// that a running model never waits for it; where the device has no pools (some virtual GPUs), plain and synchronous.
  /// On stream 0 the memory is usable on every stream at once. Error(environment) that names the bytes asked and free.
  /// The context is current.
  Expected<void*> allocate(std::size_t bytes, CUstream stream);
  void free(void* memory, std::size_t bytes, CUstream stream) noexcept;
  /// Who allocates from now on; null is the pool.
  void set_allocator(std::shared_ptr<Allocator> allocator) { program_.set(std::move(allocator)); }
  std::int64_t live_bytes() const { return live_bytes_.load(std::memory_order_relaxed); }

  ModuleTable modules;
  GraphTable graphs;
  FaultWords faults;
  CaptureLog captures;

 private:
  Device(const Driver& driver, int index, CUdevice handle, Properties properties)
      : faults(driver), driver_(driver), index_(index), handle_(handle), properties_(std::move(properties)) {}
  Status make_pool();
  tl::unexpected<Failure> out_of_memory(std::size_t bytes);

  const Driver& driver_;
  const int index_;
  const CUdevice handle_;
  const Properties properties_;
  std::mutex mutex_;
  std::atomic<CUcontext> context_ = nullptr;
  CUmemoryPool pool_ = nullptr;  ///< set before context_
  std::atomic<std::int64_t> live_bytes_ = 0;
  ProgramAllocator program_;
};

}  // namespace jitney::backend::cuda
