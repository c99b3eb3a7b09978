// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/backend.h"

/// Defaults of the optional functions: each refuses with one sentence that names the backend, so that a caller can
/// fall back or pass the sentence on.
namespace jitney::backend {
namespace {

tl::unexpected<Failure> refuse(const Backend& backend, std::string_view what) {
  return environment_error("the '{}' backend does not support {}", backend.name(), what);
}

}  // namespace

Expected<EventHandle> Backend::record(int, StreamHandle) { return refuse(*this, "events"); }
Status Backend::wait(int, StreamHandle, EventHandle) { return refuse(*this, "events"); }
void Backend::destroy_event(int, EventHandle) noexcept {}

Status Backend::begin_capture(int, StreamHandle) { return refuse(*this, "graph capture"); }
Expected<GraphHandle> Backend::end_capture(int, StreamHandle) { return refuse(*this, "graph capture"); }
Status Backend::replay(int, GraphHandle, StreamHandle) { return refuse(*this, "graph replay"); }
void Backend::destroy_graph(int, GraphHandle) noexcept {}

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
