// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/cuda_backend.h"
#include "backend/cuda/error.h"

/// Streams, events and captured graphs.
namespace jitney::backend::cuda {
namespace {

CUevent event_of(EventHandle handle) { return reinterpret_cast<CUevent>(handle); }  // NOLINT

}  // namespace

Expected<StreamHandle> CudaBackend::create_stream(int device, const StreamOptions& options) {
  JITNEY_CHECK(find(device));
  if (options.threads < 0) return user_error("a stream cannot have {} threads; 0 means all cores", options.threads);
  const Entry on(*this, device);
  JITNEY_CHECK(on.status);
  CUstream stream = nullptr;
  JITNEY_CHECK(check(driver(), driver().StreamCreate(&stream, CU_STREAM_NON_BLOCKING), "cuStreamCreate",
                     "making a stream on cuda:{}", device));
  return reinterpret_cast<StreamHandle>(stream);
}

void CudaBackend::destroy_stream(int device, StreamHandle handle) noexcept {
  if (handle == 0) return;
  const Entry on(*this, device);
  if (!on) return;
  CUstream stream = stream_of(handle);
  // The driver lets running work end by itself, but its fault words must not go to somebody else before that.
  if (on->faults.is_pending(stream)) driver().StreamSynchronize(stream);
  on->faults.forget(stream);
  driver().StreamDestroy(stream);
}

Status CudaBackend::synchronize(int device, StreamHandle handle) {
  const Entry on(*this, device);
  JITNEY_CHECK(on.status);
  CUstream stream = stream_of(handle);
  JITNEY_CHECK(check(driver(), driver().StreamSynchronize(stream), "cuStreamSynchronize",
                     "waiting for a stream of cuda:{}", device));
  on->faults.collect(stream);
  return {};
}

Expected<EventHandle> CudaBackend::record(int device, StreamHandle stream) {
  const Entry on(*this, device);
  JITNEY_CHECK(on.status);
  CUevent event = nullptr;
  JITNEY_CHECK(check(driver(), driver().EventCreate(&event, CU_EVENT_DISABLE_TIMING), "cuEventCreate",
                     "making an event on cuda:{}", device));
  auto recorded = check(driver(), driver().EventRecord(event, stream_of(stream)), "cuEventRecord",
                        "recording an event on cuda:{}", device);
  if (!recorded) {
    driver().EventDestroy(event);
    return tl::unexpected(recorded.error());
  }
  return reinterpret_cast<EventHandle>(event);
}

Status CudaBackend::wait(int device, StreamHandle stream, EventHandle event) {
  const Entry on(*this, device);
  JITNEY_CHECK(on.status);
  if (event == 0) return internal_error("a stream of cuda:{} was told to wait for no event", device);
  return check(driver(), driver().StreamWaitEvent(stream_of(stream), event_of(event), 0), "cuStreamWaitEvent",
               "making a stream of cuda:{} wait", device);
}

void CudaBackend::destroy_event(int device, EventHandle event) noexcept {
  if (event == 0) return;
  if (const Entry on(*this, device); on) driver().EventDestroy(event_of(event));
}

Expected<std::optional<cuuint64_t>> CudaBackend::capture_id(CUstream stream) const {
  auto status = CU_STREAM_CAPTURE_STATUS_NONE;
  cuuint64_t id = 0;
  JITNEY_CHECK(check(driver(), driver().StreamGetCaptureInfo(stream, &status, &id, nullptr, nullptr, nullptr),
                     "cuStreamGetCaptureInfo", "asking whether a stream is being captured"));
  if (status == CU_STREAM_CAPTURE_STATUS_NONE) return std::optional<cuuint64_t>();
  return std::optional(id);
}

Status CudaBackend::begin_capture(int device, StreamHandle handle) {
  const Entry on(*this, device);
  JITNEY_CHECK(on.status);
  if (handle == 0) return internal_error("the default stream of cuda:{} cannot be captured", device);
  CUstream stream = stream_of(handle);
  JITNEY_CHECK(check(driver(), driver().StreamBeginCapture(stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL),
                     "cuStreamBeginCapture", "capturing a stream of cuda:{}", device));
  const auto id = capture_id(stream);
  if (id && *id) {
    on->faults.begin_capture(**id);
    return {};
  }
  CUgraph graph = nullptr;
  if (driver().StreamEndCapture(stream, &graph) == CUDA_SUCCESS && graph != nullptr) driver().GraphDestroy(graph);
  if (!id) return tl::unexpected(id.error());
  return internal_error("a capture on cuda:{} ended as soon as it began", device);
}

Expected<GraphHandle> CudaBackend::end_capture(int device, StreamHandle handle) {
  const Entry on(*this, device);
  JITNEY_CHECK(on.status);
  CUstream stream = stream_of(handle);
  JITNEY_TRY(const auto id, capture_id(stream));
  if (!id) return internal_error("a stream of cuda:{} is not being captured", device);
  Graph captured;
  captured.words = on->faults.end_capture(*id);
  CUgraph graph = nullptr;
  auto status = check(driver(), driver().StreamEndCapture(stream, &graph), "cuStreamEndCapture",
                      "ending a capture on cuda:{}", device);
  if (status && graph == nullptr) status = internal_error("a capture on cuda:{} gave no graph", device);
  if (status) {
    status = check(driver(), driver().GraphInstantiate(&captured.executable, graph, 0), "cuGraphInstantiate",
                   "making a captured graph ready on cuda:{}", device);
  }
  if (graph != nullptr) driver().GraphDestroy(graph);
  if (!status) {
    on->faults.release(captured.words);
    return tl::unexpected(status.error());
  }
  return on->graphs.add(std::move(captured));
}

Status CudaBackend::replay(int device, GraphHandle handle, StreamHandle stream_handle) {
  const Entry on(*this, device);
  JITNEY_CHECK(on.status);
  const auto graph = on->graphs.find(handle);
  if (!graph) return internal_error("cuda:{} has no graph {}", device, handle);
  CUstream stream = stream_of(stream_handle);
  if (!graph->words.empty()) {
    // Whoever replays the outer graph would not be seen here, and so neither would the faults.
    JITNEY_TRY(const auto outer, capture_id(stream));
    if (outer)
      return internal_error("a stream of cuda:{} is being captured: a graph inside a graph is not supported", device);
    on->faults.replayed(stream, graph->words);
  }
  return check(driver(), driver().GraphLaunch(graph->executable, stream), "cuGraphLaunch",
               "replaying a graph on cuda:{}", device);
}

void CudaBackend::destroy_graph(int device, GraphHandle handle) noexcept {
  const Entry on(*this, device);
  if (!on) return;
  if (const auto graph = on->graphs.remove(handle)) {
    driver().GraphExecDestroy(graph->executable);
    on->faults.release(graph->words);
  }
}

}  // namespace jitney::backend::cuda
