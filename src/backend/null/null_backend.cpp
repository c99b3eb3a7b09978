// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/null/null_backend.h"

#include <cstdlib>
#include <cstring>

#include "util/memory.h"

namespace jitney::backend {
namespace {

constexpr std::size_t kAlignment = 64;

}  // namespace

Status NullBackend::check_device(int device) const {
  if (device == 0) return {};
  return user_error("there is no device null:{}; the null backend has device 0 only", device);
}

Expected<NullBackend::Stream*> NullBackend::find_stream(StreamHandle handle) {
  const auto found = streams_.find(handle);
  if (found == streams_.end()) return internal_error("the null backend has no stream {}", handle);
  return &found->second;
}

Status NullBackend::begin_call(NullCall call) {
  const auto index = static_cast<std::size_t>(call);
  ++counters_.calls[index];
  auto& remaining = calls_until_failure_[index];
  if (remaining > 0 && --remaining == 0) return environment_error("the null backend fails this call as a test asked");
  return {};
}

Expected<DeviceInfo> NullBackend::device_info(int device) const {
  JITNEY_CHECK(check_device(device));
  DeviceInfo info;
  info.name = "null";
  info.target_key = "null";
  info.memory_bytes = static_cast<std::int64_t>(usable_memory());
  info.alignment = kAlignment;
  info.host_memory = true;
  return info;
}

Expected<void*> NullBackend::allocate(int device, std::size_t bytes, StreamHandle stream) {
  JITNEY_CHECK(check_device(device));
  std::lock_guard lock(mutex_);
  JITNEY_CHECK(find_stream(stream));
  JITNEY_CHECK(begin_call(NullCall::allocate));
  if (bytes == 0) return nullptr;
  void* memory = nullptr;
  const std::size_t available = usable_memory() - static_cast<std::size_t>(live_bytes_);
  if (bytes > available || posix_memalign(&memory, kAlignment, bytes) != 0) {
    return environment_error("the null backend cannot allocate {} bytes: {} are available", bytes, available);
  }
  live_bytes_ += static_cast<std::int64_t>(bytes);
  return memory;
}

void NullBackend::free(int, void* memory, std::size_t bytes, StreamHandle) noexcept {
  if (memory == nullptr) return;
  std::lock_guard lock(mutex_);
  live_bytes_ -= static_cast<std::int64_t>(bytes);
  std::free(memory);
}

Status NullBackend::copy(int device, void* to, const void* from, std::size_t bytes, CopyKind, StreamHandle stream) {
  JITNEY_CHECK(check_device(device));
  std::lock_guard lock(mutex_);
  JITNEY_TRY(auto* s, find_stream(stream));
  JITNEY_CHECK(begin_call(NullCall::copy));
  if (bytes == 0) return {};
  if (to == nullptr || from == nullptr) return internal_error("a copy of {} bytes was given a null address", bytes);
  if (s->recording) {
    s->recording->copies.push_back({to, from, bytes});
  } else {
    std::memcpy(to, from, bytes);
    ++s->clock[stream];
  }
  return {};
}

Expected<StreamHandle> NullBackend::create_stream(int device, const StreamOptions& options) {
  JITNEY_CHECK(check_device(device));
  if (options.threads < 0) return user_error("a stream cannot have {} threads; 0 means all cores", options.threads);
  std::lock_guard lock(mutex_);
  JITNEY_CHECK(begin_call(NullCall::create_stream));
  const StreamHandle handle = next_handle_++;
  streams_[handle];
  return handle;
}

void NullBackend::destroy_stream(int, StreamHandle stream) noexcept {
  std::lock_guard lock(mutex_);
  if (stream != 0) streams_.erase(stream);
}

Status NullBackend::synchronize(int device, StreamHandle stream) {
  JITNEY_CHECK(check_device(device));
  std::lock_guard lock(mutex_);
  JITNEY_TRY(auto* s, find_stream(stream));
  JITNEY_CHECK(begin_call(NullCall::synchronize));
  if (s->recording) return internal_error("stream {} is being captured and cannot be waited for", stream);
  return {};
}

Expected<ModuleHandle> NullBackend::load(int device, std::span<const std::byte> binary) {
  JITNEY_CHECK(check_device(device));
  std::lock_guard lock(mutex_);
  JITNEY_CHECK(begin_call(NullCall::load));
  if (binary.empty()) return internal_error("the null backend was given an empty binary");
  return *modules_.insert(next_handle_++).first;
}

void NullBackend::unload(int, ModuleHandle module) noexcept {
  std::lock_guard lock(mutex_);
  modules_.erase(module);
  std::erase_if(kernels_, [&](const auto& kernel) { return kernel.second == module; });
}

Expected<KernelHandle> NullBackend::kernel(int device, ModuleHandle module, const char* symbol) {
  JITNEY_CHECK(check_device(device));
  std::lock_guard lock(mutex_);
  if (!modules_.contains(module)) return internal_error("the null backend has no module {}", module);
  if (symbol == nullptr || *symbol == 0) return internal_error("a kernel of the null backend needs a name");
  const KernelHandle handle = next_handle_++;
  kernels_[handle] = module;
  return handle;
}

Status NullBackend::launch(int device, KernelHandle kernel, const LaunchArgs&, StreamHandle stream) {
  JITNEY_CHECK(check_device(device));
  std::lock_guard lock(mutex_);
  JITNEY_TRY(auto* s, find_stream(stream));
  JITNEY_CHECK(begin_call(NullCall::launch));
  if (!kernels_.contains(kernel)) return internal_error("the null backend has no kernel {}", kernel);
  if (s->recording) {
    ++s->recording->launches;
    ++counters_.captured_launches;
  } else {
    ++s->clock[stream];
  }
  return {};
}

std::int64_t NullBackend::live_bytes() const {
  std::lock_guard lock(mutex_);
  return live_bytes_;
}

std::vector<std::string> NullBackend::diagnose() const { return {"works; computes nothing"}; }

void NullBackend::fail_call(NullCall call, std::int64_t nth) {
  std::lock_guard lock(mutex_);
  calls_until_failure_[static_cast<std::size_t>(call)] = nth;
}

NullCounters NullBackend::counters() const {
  std::lock_guard lock(mutex_);
  return counters_;
}

}  // namespace jitney::backend
