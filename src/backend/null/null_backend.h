// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "backend/backend.h"
#include "backend/null/null_hooks.h"

namespace jitney::backend {

/// Memory is the host's, copies copy, launches are counted and do nothing, any non-empty bytes are a binary and every
/// name is a kernel in it. Handles are checked: a stale one is Error(internal), also where a real device would crash.
/// One mutex guards everything.
class NullBackend : public Backend {
 public:
  std::string_view name() const override { return "null"; }
  int device_count() const override { return 1; }
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
  Expected<EventHandle> record(int device, StreamHandle stream, EventHandle again) override;
  Status wait(int device, StreamHandle stream, EventHandle event) override;
  void destroy_event(int device, EventHandle event) noexcept override;
  Status begin_capture(int device, StreamHandle stream) override;
  Expected<GraphHandle> end_capture(int device, StreamHandle stream) override;
  Status replay(int device, GraphHandle graph, StreamHandle stream) override;
  Status update(int device, GraphHandle graph, std::size_t launch, const LaunchArgs& args) override;
  void destroy_graph(int device, GraphHandle graph) noexcept override;
  std::int64_t live_bytes() const override;
  std::vector<std::string> diagnose() const override;

  // what NullHooks offers
  void fail_call(NullCall call, std::int64_t nth);
  NullCounters counters() const;
  bool is_ordered(EventHandle event, StreamHandle stream) const;

 private:
  /// How much of each stream's work has been seen: a vector clock.
  using Clock = std::map<StreamHandle, std::int64_t>;
  struct Copy {
    void* to;
    const void* from;
    std::size_t bytes;
  };
  struct Graph {
    std::int64_t launches = 0;
    std::vector<Copy> copies;
  };
  struct Stream {
    Clock clock;  ///< its own entry counts the work put on it
    std::optional<Graph> recording;
  };

  Status check_device(int device) const;
  Expected<Stream*> find_stream(StreamHandle handle);
  /// Counts the call and fails it if a test asked for that.
  Status begin_call(NullCall call);

  mutable std::mutex mutex_;
  std::uintptr_t next_handle_ = 1;
  std::map<StreamHandle, Stream> streams_{{0, {}}};
  std::map<EventHandle, Clock> events_;
  std::map<GraphHandle, Graph> graphs_;
  std::set<ModuleHandle> modules_;
  std::map<KernelHandle, ModuleHandle> kernels_;
  std::int64_t live_bytes_ = 0;
  NullCounters counters_;
  std::array<std::int64_t, kNullCallCount> calls_until_failure_{};
};

}  // namespace jitney::backend
