// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Library calls, with the device's context current.
#include "backend/cuda/cuda_backend.h"

namespace jitney::backend::cuda {

bool CudaBackend::offers(int device, const LibraryCall& call) const {
  return device >= 0 && device < device_count() && LibraryCalls::offers(call);
}

Expected<std::shared_ptr<const Primitive>> CudaBackend::plan(int device, const LibraryCall& call,
                                                             const PlanOptions& options) {
  const Entry entry(*this, device);
  JITNEY_CHECK(entry.status);
  const Properties& p = entry->properties();
  return library_calls_.plan({device, p.major * 10 + p.minor, p.multiprocessors, p.cache_bytes}, call, options);
}

void CudaBackend::rehearse(int device, const LibraryCall& call, const PlanOptions& options) {
  const Entry entry(*this, device);
  if (!entry.status) return;
  const Properties& p = entry->properties();
  library_calls_.rehearse({device, p.major * 10 + p.minor, p.multiprocessors, p.cache_bytes}, call, options);
}

Expected<std::shared_ptr<const PackedWeights>> CudaBackend::pack(int device, const Primitive& primitive,
                                                                 const WeightsSource& source) {
  const Entry entry(*this, device);
  JITNEY_CHECK(entry.status);
  return library_calls_.pack(device, primitive, source);
}

Expected<std::unique_ptr<Invocation>> CudaBackend::invocation(int, std::shared_ptr<const Primitive> primitive,
                                                              std::shared_ptr<const PackedWeights> weights) {
  return LibraryCalls::invocation(std::move(primitive), std::move(weights));
}

Status CudaBackend::run(int device, Invocation& invocation, std::span<void* const> pointers, void* scratch,
                        StreamHandle stream) {
  const Entry entry(*this, device);
  JITNEY_CHECK(entry.status);
  return LibraryCalls::run(invocation, pointers, scratch, stream_of(stream));
}

}  // namespace jitney::backend::cuda
