// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

#include "backend/backend.h"
#include "backend/cpu/host_memory.h"
#include "backend/cpu/library_calls.h"
#include "backend/cpu/module_table.h"
#include "backend/cpu/native/native_calls.h"

namespace jitney::backend {

/// This machine's processor. Launches are synchronous: they are done when launch() returns, on any stream, so that
/// events and waiting are not needed. A stream is how many threads work. Binaries are shared objects whose functions
/// follow kernel_abi.h.
class CpuBackend final : public Backend {
 public:
  CpuBackend();

  std::string_view name() const override { return "cpu"; }
  int device_count() const override { return 1; }
  /// Error(user) when JITNEY_CPU_TARGET names a target that does not exist or that this CPU cannot run.
  Expected<DeviceInfo> device_info(int device) const override;
  Expected<void*> allocate(int device, std::size_t bytes, StreamHandle stream) override;
  void free(int device, void* memory, std::size_t bytes, StreamHandle stream) noexcept override;
  Status copy(int device, void* to, const void* from, std::size_t bytes, CopyKind kind, StreamHandle stream) override;
  Expected<StreamHandle> create_stream(int device, const StreamOptions& options) override;
  void destroy_stream(int device, StreamHandle stream) noexcept override;
  Status synchronize(int device, StreamHandle stream) override;
  Expected<ModuleHandle> load(int device, std::span<const std::byte> binary) override;
  void unload(int device, ModuleHandle module) noexcept override;
  Expected<KernelHandle> kernel(int device, ModuleHandle module, const char* symbol) override;
  Status launch(int device, KernelHandle kernel, const LaunchArgs& args, StreamHandle stream) override;
  bool offers(int device, const LibraryCall& call) const override;
  Expected<std::shared_ptr<const Primitive>> plan(int device, const LibraryCall& call,
                                                  const PlanOptions& options) override;
  Expected<std::shared_ptr<const PackedWeights>> pack(int device, const Primitive& primitive,
                                                      const WeightsSource& source) override;
  Expected<std::unique_ptr<Invocation>> invocation(int device, std::shared_ptr<const Primitive> primitive,
                                                   std::shared_ptr<const PackedWeights> weights) override;
  Status run(int device, Invocation& invocation, std::span<void* const> pointers, void* scratch,
             StreamHandle stream) override;
  Expected<std::uintptr_t> begin_execute(int device, StreamHandle stream) override;
  void end_execute(int device, StreamHandle stream, std::uintptr_t token) noexcept override;
  std::int64_t live_bytes() const override { return memory_.live_bytes(); }
  Status set_allocator(int device, std::shared_ptr<Allocator> allocator) override;
  std::vector<std::string> diagnose() const override;

 private:
  int threads_of(StreamHandle stream) const;

  const int default_threads_;  ///< of stream 0: the cores usable when the backend was loaded
  std::atomic<std::uint64_t> streams_created_ = 0;
  HostMemory memory_;
  ModuleTable modules_;
  LibraryCalls calls_{memory_};
  native::NativeCalls native_;
};

}  // namespace jitney::backend
