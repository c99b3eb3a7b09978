// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>

#include "backend/backend.h"

namespace jitney::backend::cuda {

/// A GPU that is not here: its kernels can be compiled and cached under the keys that it will look them up by, and
/// nothing runs. Needs neither a driver nor the vendor libraries: which calls those would do follows from rules.
///
/// Memory is address space that nobody touches, copies to it do nothing, binaries are looked at and not loaded. plan()
/// has the backend's own kernels for the call compiled. Launching, running and copies of what would have been computed
/// are Error(environment). Thread-safe.
class AbsentGpu final : public Backend {
 public:
  /// `target`: what parse_target() takes, or device_info() is its error. `variable` gave it.
  AbsentGpu(std::string target, std::string variable) : target_(std::move(target)), variable_(std::move(variable)) {}

  std::string_view name() const override { return "cuda"; }
  int device_count() const override { return 1; }
  Expected<DeviceInfo> device_info(int device) const override;
  Expected<void*> allocate(int device, std::size_t bytes, StreamHandle stream) override;
  void free(int device, void* memory, std::size_t bytes, StreamHandle stream) noexcept override;
  Status copy(int, void*, const void*, std::size_t, CopyKind kind, StreamHandle) override;
  Expected<StreamHandle> create_stream(int, const StreamOptions&) override { return ++handles_; }
  void destroy_stream(int, StreamHandle) noexcept override {}
  Status synchronize(int, StreamHandle) override { return {}; }
  Expected<ModuleHandle> load(int device, std::span<const std::byte> binary) override;
  void unload(int, ModuleHandle) noexcept override {}
  Expected<KernelHandle> kernel(int, ModuleHandle, const char*) override { return ++handles_; }
  Status launch(int, KernelHandle, const LaunchArgs&, StreamHandle) override { return nothing_runs(); }
  bool offers(int device, const LibraryCall& call) const override;
  Expected<std::shared_ptr<const Primitive>> plan(int device, const LibraryCall& call,
                                                  const PlanOptions& options) override;
  Expected<std::shared_ptr<const PackedWeights>> pack(int, const Primitive&, const WeightsSource&) override {
    return std::shared_ptr<const PackedWeights>();
  }
  Expected<std::unique_ptr<Invocation>> invocation(int, std::shared_ptr<const Primitive>,
                                                   std::shared_ptr<const PackedWeights>) override {
    return nothing_runs();
  }
  Status run(int, Invocation&, std::span<void* const>, void*, StreamHandle) override { return nothing_runs(); }
  std::int64_t live_bytes() const override { return live_bytes_.load(); }
  std::vector<std::string> diagnose() const override;

 private:
  Expected<int> capability() const;
  tl::unexpected<Failure> nothing_runs() const;

  const std::string target_, variable_;
  std::atomic<std::uintptr_t> handles_{0};
  std::atomic<std::int64_t> live_bytes_{0};
  std::mutex mutex_;
  std::map<std::string, std::mutex> compiling_;  ///< by source, so that equal ones are compiled once
};

}  // namespace jitney::backend::cuda
