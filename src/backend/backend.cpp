// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/backend.h"

#include <new>

/// Defaults of the optional functions: each refuses with one sentence that names the backend, so that a caller can
/// fall back or pass the sentence on.
namespace jitney::backend {
namespace {

tl::unexpected<Failure> refuse(const Backend& backend, std::string_view what) {
  return environment_error("the '{}' backend does not support {}", backend.name(), what);
}

}  // namespace

Expected<EventHandle> Backend::record(int, StreamHandle, EventHandle) { return refuse(*this, "events"); }
Status Backend::wait(int, StreamHandle, EventHandle) { return refuse(*this, "events"); }
void Backend::destroy_event(int, EventHandle) noexcept {}

Expected<std::uint64_t> Backend::stream_identity(int, StreamHandle stream) {
  return static_cast<std::uint64_t>(stream) + 1;
}
Expected<bool> Backend::is_captured(int, StreamHandle) { return false; }
Expected<StreamHandle> Backend::create_stream_like(int device, StreamHandle, const StreamOptions& options) {
  return create_stream(device, options);
}

Status Backend::begin_capture(int, StreamHandle) { return refuse(*this, "graph capture"); }
Expected<GraphHandle> Backend::end_capture(int, StreamHandle) { return refuse(*this, "graph capture"); }
Status Backend::replay(int, GraphHandle, StreamHandle) { return refuse(*this, "graph replay"); }
Status Backend::update(int, GraphHandle, std::size_t, const LaunchArgs&) { return refuse(*this, "graph updates"); }
void Backend::destroy_graph(int, GraphHandle) noexcept {}

Expected<std::int32_t*> Backend::allocate_faults(int, std::size_t count) {
  auto* words = new (std::nothrow) std::int32_t[count]();
  if (words == nullptr) return environment_error("there is no memory for {} fault words", count);
  return words;
}
void Backend::free_faults(int, std::int32_t* words) noexcept { delete[] words; }

Status Backend::set_allocator(int, std::shared_ptr<Allocator>) { return refuse(*this, "another allocator"); }

bool Backend::offers(int, const LibraryCall&) const { return false; }
Expected<std::shared_ptr<const Primitive>> Backend::plan(int, const LibraryCall&, const PlanOptions&) {
  return refuse(*this, "library calls");
}
Expected<std::shared_ptr<const PackedWeights>> Backend::pack(int, const Primitive&, const WeightsSource&) {
  return refuse(*this, "library calls");
}
Expected<std::unique_ptr<Invocation>> Backend::invocation(int, std::shared_ptr<const Primitive>,
                                                          std::shared_ptr<const PackedWeights>) {
  return refuse(*this, "library calls");
}
Status Backend::run(int, Invocation&, std::span<void* const>, void*, StreamHandle) {
  return refuse(*this, "library calls");
}
Expected<std::uintptr_t> Backend::begin_execute(int, StreamHandle) { return std::uintptr_t{0}; }
void Backend::end_execute(int, StreamHandle, std::uintptr_t) noexcept {}

std::int64_t Backend::live_bytes() const { return 0; }
std::vector<std::string> Backend::diagnose() const { return {}; }

}  // namespace jitney::backend
