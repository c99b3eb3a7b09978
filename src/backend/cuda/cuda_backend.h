// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "backend/cuda/device.h"
#include "backend/cuda/library_calls.h"

namespace jitney::backend::cuda {

inline CUstream stream_of(StreamHandle handle) { return reinterpret_cast<CUstream>(handle); }  // NOLINT

/// NVIDIA GPUs through the CUDA driver, which is opened at first use and need not be there: then there are no devices,
/// and device_info() and diagnose() say why.
///
/// A StreamHandle is the CUstream itself, so that a caller may pass a stream that it made, or was given; 0 is the
/// legacy default stream. Streams made here do not synchronize with that one. Launches and replays are asynchronous.
/// Binaries are cubins or PTX whose kernels follow kernel_abi.h.
///
/// Memory: free() takes effect after what was put on that stream before; use on other streams must be ordered before it
/// by events or by waiting. Memory allocated on stream 0 is usable everywhere at once.
/// Copies: a pageable host buffer may be used again as soon as copy() returns (which then waits for the stream, unless
/// it is being captured); a page-locked one belongs to the copy until the stream is synchronized.
/// Several streams at once: calls wait for each other nowhere but in tables, for as long as a look-up takes.
/// Faults: a number that a kernel wrote reaches *LaunchArgs::fault in the next synchronize() of the stream (see
/// FaultWords); the word must live until then, and as long as a graph that was captured with it.
/// Captures are of thread-local mode: begun and ended by one thread, undisturbed by others. Nothing that is called here
/// disturbs a capture, whoever began it: allocating, loading and waiting are done in relaxed mode.
/// Modules, graphs and events are unloaded or destroyed when nothing that uses them is running any more.
class CudaBackend : public Backend {
 public:
  /// `open` gives the driver, at most once.
  explicit CudaBackend(Expected<Driver> (*open)() = open_driver) : open_(open) {}

  std::string_view name() const override { return "cuda"; }
  int device_count() const override;
  /// Error(user) for a device that is not there; Error(environment) when there is none at all.
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
  Expected<EventHandle> record(int device, StreamHandle stream, EventHandle again = 0) override;
  Status wait(int device, StreamHandle stream, EventHandle event) override;
  void destroy_event(int device, EventHandle event) noexcept override;
  /// The legacy default stream by any of its names. The calling thread's default stream is a stream like others.
  bool is_default_stream(StreamHandle stream) const override { return stream == 0 || stream == 1; }
  Expected<std::uint64_t> stream_identity(int device, StreamHandle stream) override;
  Expected<bool> is_captured(int device, StreamHandle stream) override;
  /// On a green context's stream: in that green context.
  Expected<StreamHandle> create_stream_like(int device, StreamHandle stream, const StreamOptions& options) override;
  Status begin_capture(int device, StreamHandle stream) override;
  Expected<GraphHandle> end_capture(int device, StreamHandle stream) override;
  Status replay(int device, GraphHandle graph, StreamHandle stream) override;
  Status update(int device, GraphHandle graph, std::size_t launch, const LaunchArgs& args) override;
  void destroy_graph(int device, GraphHandle graph) noexcept override;
  Expected<std::int32_t*> allocate_faults(int device, std::size_t count) override;
  void free_faults(int device, std::int32_t* words) noexcept override;
  Status set_allocator(int device, std::shared_ptr<Allocator> allocator) override;
  bool offers(int device, const LibraryCall& call) const override;
  Expected<std::shared_ptr<const Primitive>> plan(int device, const LibraryCall& call,
                                                  const PlanOptions& options) override;
  void rehearse(int device, const LibraryCall& call, const PlanOptions& options) override;
  Expected<std::shared_ptr<const PackedWeights>> pack(int device, const Primitive& primitive,
                                                      const WeightsSource& source) override;
  Expected<std::unique_ptr<Invocation>> invocation(int device, std::shared_ptr<const Primitive> primitive,
                                                   std::shared_ptr<const PackedWeights> weights) override;
  Status run(int device, Invocation& invocation, std::span<void* const> pointers, void* scratch,
             StreamHandle stream) override;
  std::int64_t live_bytes() const override;
  std::vector<std::string> diagnose() const override;

 private:
  struct State {
    Driver driver;
    std::string problem;  ///< why there are no devices
    std::vector<std::unique_ptr<Device>> devices;
  };
  /// A device with its context current on this thread, or the failure that prevented it.
  class Entry {
   public:
    Entry(const CudaBackend& backend, int device);
    Status status;
    Device* operator->() const { return device_; }
    explicit operator bool() const { return device_ != nullptr; }

   private:
    Device* device_ = nullptr;
    std::optional<ContextScope> scope_;
    std::optional<RelaxedCapture> relaxed_;
  };

  /// The driver opened and asked for its devices, at the first call.
  State& state() const;
  const Driver& driver() const { return state().driver; }
  Expected<Device*> find(int device) const;
  /// Whether the stream is being captured, and by whom.
  Expected<std::optional<cuuint64_t>> capture_id(CUstream stream) const;
  /// Whether launches there may overlap, or be of clusters.
  bool takes_launch_attributes(const Device& device) const;
  /// Whether this backend began the capture that the stream is in.
  bool is_captured_here(Device& device, CUstream stream) const;
  /// After a launch: remembers its node where the stream is being captured by this backend.
  void log_launch(Device& device, CUstream stream) const;

  Expected<Driver> (*open_)();
  mutable std::once_flag once_;
  mutable State state_;
  std::atomic<bool> has_no_room_for_clusters_ = false;  ///< somewhere: a launch said so
  LibraryCalls library_calls_{*this};
};

}  // namespace jitney::backend::cuda
