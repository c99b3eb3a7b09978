// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/fault_words.h"

#include <algorithm>

#include "backend/cuda/context.h"
#include "backend/cuda/error.h"

namespace jitney::backend::cuda {
namespace {

/// The word that nobody reads.
constexpr std::uint32_t kSink = 0;

}  // namespace

void FaultWords::free_pages() {
  const std::lock_guard lock(mutex_);
  for (const auto& page : pages_) driver_.MemFreeHost(const_cast<std::int32_t*>(page.host));
  pages_.clear();
  uses_.clear();
  free_.clear();
  pending_.clear();
  captures_.clear();
}

Expected<std::uint32_t> FaultWords::take() {
  if (free_.empty()) {
    const RelaxedCapture relaxed(driver_);
    void* host = nullptr;
    CUdeviceptr device = 0;
    JITNEY_CHECK(check(driver_,
                       driver_.MemHostAlloc(&host, kPageWords * sizeof(std::int32_t),
                                            CU_MEMHOSTALLOC_PORTABLE | CU_MEMHOSTALLOC_DEVICEMAP),
                       "cuMemHostAlloc", "allocating words for faults"));
    if (auto mapped = check(driver_, driver_.MemHostGetDevicePointer(&device, host, 0), "cuMemHostGetDevicePointer",
                            "mapping words for faults");
        !mapped) {
      driver_.MemFreeHost(host);
      return tl::unexpected(mapped.error());
    }
    std::fill_n(static_cast<std::int32_t*>(host), kPageWords, 0);
    const auto first = static_cast<std::uint32_t>(pages_.size()) * kPageWords;
    pages_.push_back({static_cast<std::int32_t*>(host), device});
    uses_.resize(first + kPageWords);
    for (std::uint32_t i = first + kPageWords; i-- > std::max(first, kSink + 1);) free_.push_back(i);
  }
  const auto index = free_.back();
  free_.pop_back();
  word(index) = 0;
  uses_[index] = 1;
  return index;
}

void FaultWords::drop(std::uint32_t index) {
  if (--uses_[index] == 0) free_.push_back(index);
}

Expected<CUdeviceptr> FaultWords::stand_in(CUstream stream, std::int32_t* host) {
  if (host == nullptr) return CUdeviceptr{0};
  auto status = CU_STREAM_CAPTURE_STATUS_NONE;
  cuuint64_t id = 0;
  // A failure here is one of the launch, too, which then says so.
  if (driver_.StreamGetCaptureInfo(stream, &status, &id, nullptr, nullptr, nullptr) != CUDA_SUCCESS) {
    status = CU_STREAM_CAPTURE_STATUS_NONE;
  }
  const std::lock_guard lock(mutex_);
  Words* words = nullptr;
  if (status == CU_STREAM_CAPTURE_STATUS_NONE) {
    words = &pending_[stream];
  } else if (const auto capture = captures_.find(id); capture != captures_.end()) {
    words = &capture->second;
  } else {
    if (pages_.empty()) {
      JITNEY_TRY(const auto first, take());
      drop(first);
    }
    return address(kSink);
  }
  const auto known = std::ranges::find(*words, host, &Words::value_type::first);
  if (known != words->end()) return address(known->second);
  JITNEY_TRY(const auto index, take());
  words->emplace_back(host, index);
  return address(index);
}

void FaultWords::collect(CUstream stream) {
  const std::lock_guard lock(mutex_);
  const auto found = pending_.find(stream);
  if (found == pending_.end()) return;
  for (const auto& [host, index] : found->second) {
    if (const std::int32_t value = word(index); value != 0) {
      *host = value;
      word(index) = 0;
    }
    drop(index);
  }
  found->second.clear();  // the list stays: the next launch allocates nothing
}

void FaultWords::forget(CUstream stream) {
  const std::lock_guard lock(mutex_);
  const auto found = pending_.find(stream);
  if (found == pending_.end()) return;
  for (const auto& entry : found->second) drop(entry.second);
  pending_.erase(found);
}

bool FaultWords::is_pending(CUstream stream) const {
  const std::lock_guard lock(mutex_);
  const auto found = pending_.find(stream);
  return found != pending_.end() && !found->second.empty();
}

void FaultWords::begin_capture(cuuint64_t id) {
  const std::lock_guard lock(mutex_);
  captures_[id];
}

FaultWords::Words FaultWords::end_capture(cuuint64_t id) {
  const std::lock_guard lock(mutex_);
  const auto found = captures_.find(id);
  if (found == captures_.end()) return {};
  Words words = std::move(found->second);
  captures_.erase(found);
  return words;
}

void FaultWords::replayed(CUstream stream, const Words& words) {
  if (words.empty()) return;
  const std::lock_guard lock(mutex_);
  auto& pending = pending_[stream];
  for (const auto& entry : words) {
    if (std::ranges::find(pending, entry) != pending.end()) continue;
    ++uses_[entry.second];
    pending.push_back(entry);
  }
}

void FaultWords::release(const Words& words) {
  const std::lock_guard lock(mutex_);
  for (const auto& entry : words) drop(entry.second);
}

}  // namespace jitney::backend::cuda
