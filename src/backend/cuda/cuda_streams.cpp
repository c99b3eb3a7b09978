// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/cuda_backend.h"
#include "backend/cuda/error.h"

/// Streams and events.
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

Expected<EventHandle> CudaBackend::record(int device, StreamHandle stream, EventHandle again) {
  const Entry on(*this, device);
  JITNEY_CHECK(on.status);
  CUevent event = event_of(again);
  if (event == nullptr)
    JITNEY_CHECK(check(driver(), driver().EventCreate(&event, CU_EVENT_DISABLE_TIMING), "cuEventCreate",
                       "making an event on cuda:{}", device));
  auto recorded = check(driver(), driver().EventRecord(event, stream_of(stream)), "cuEventRecord",
                        "recording an event on cuda:{}", device);
  if (!recorded) {
    if (again == 0) driver().EventDestroy(event);
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

Expected<std::uint64_t> CudaBackend::stream_identity(int device, StreamHandle stream) {
  const Entry on(*this, device);
  JITNEY_CHECK(on.status);
  unsigned long long id = 0;
  JITNEY_CHECK(check(driver(), driver().StreamGetId(stream_of(stream), &id), "cuStreamGetId",
                     "asking which stream of cuda:{} this is", device));
  return std::uint64_t{id} + 1;
}

Expected<bool> CudaBackend::is_captured(int device, StreamHandle stream) {
  const Entry on(*this, device);
  JITNEY_CHECK(on.status);
  auto status = CU_STREAM_CAPTURE_STATUS_NONE;
  JITNEY_CHECK(check(driver(), driver().StreamIsCapturing(stream_of(stream), &status), "cuStreamIsCapturing",
                     "asking whether a stream of cuda:{} is being captured", device));
  return status != CU_STREAM_CAPTURE_STATUS_NONE;
}

Expected<StreamHandle> CudaBackend::create_stream_like(int device, StreamHandle stream, const StreamOptions& options) {
  const Entry on(*this, device);
  JITNEY_CHECK(on.status);
  CUgreenCtx green = nullptr;
  const bool can_be_green = driver().StreamGetGreenCtx != nullptr && driver().GreenCtxStreamCreate != nullptr;
  if (!can_be_green || is_default_stream(stream) ||
      driver().StreamGetGreenCtx(stream_of(stream), &green) != CUDA_SUCCESS || green == nullptr)
    return create_stream(device, options);
  CUstream made = nullptr;
  JITNEY_CHECK(check(driver(), driver().GreenCtxStreamCreate(&made, green, CU_STREAM_NON_BLOCKING, 0),
                     "cuGreenCtxStreamCreate", "making a stream in a green context of cuda:{}", device));
  return reinterpret_cast<StreamHandle>(made);
}

}  // namespace jitney::backend::cuda
