// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <c10/core/Allocator.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <jitney/allocator.h>

#include <mutex>
#include <set>
#include <unordered_map>

#include "jitney/torch/device.h"

namespace jitney::torch_runtime {
namespace {

/// torch's caching allocator behind Jitney's interface. Thread-safe.
class TorchAllocator : public Allocator {
 public:
  explicit TorchAllocator(Device device) : device_(to_torch(device)), guard_(device_.type()) {}

  void* allocate(std::size_t bytes, StreamHandle stream) override {
    const c10::Device before_device = guard_.exchangeDevice(device_);
    const c10::Stream before = guard_.exchangeStream(stream_of(stream));
    c10::DataPtr data;
    try {
      data = c10::GetAllocator(device_.type())->allocate(bytes);
    } catch (...) {
      restore(before, before_device);
      throw;
    }
    restore(before, before_device);
    void* memory = data.get();
    const std::lock_guard lock(mutex_);
    live_.emplace(memory, std::move(data));
    return memory;
  }

  void free(void* memory, std::size_t, StreamHandle stream) noexcept override {
    c10::DataPtr data;
    {
      const std::lock_guard lock(mutex_);
      const auto found = live_.find(memory);
      if (found == live_.end()) return;
      data = std::move(found->second);
      live_.erase(found);
    }
    try {
      // It may be used again once this stream has got here, whatever stream it was allocated on.
      guard_.recordDataPtrOnStream(data, stream_of(stream));
    } catch (...) {
      // Without the record the memory would go too early: it is kept.
      data.release_context();
    }
  }

 private:
  /// torch names streams that are not its own by their address.
  c10::Stream stream_of(StreamHandle stream) const {
    const c10::Stream current = guard_.getStream(device_);
    if (reinterpret_cast<StreamHandle>(current.native_handle()) == stream) return current;
    const bool is_default = stream <= 2;
    return c10::Stream(c10::Stream::UNSAFE, device_, is_default ? 0 : static_cast<c10::StreamId>(stream));
  }

  void restore(const c10::Stream& stream, c10::Device device) const {
    guard_.exchangeStream(stream);
    guard_.setDevice(device);
  }

  const c10::Device device_;
  const c10::impl::VirtualGuardImpl guard_;
  std::mutex mutex_;
  std::unordered_map<void*, c10::DataPtr> live_;
};

}  // namespace

void use_torch_allocator(Device device) {
  if (device.type != Device::Type::cuda) return;
  static std::mutex mutex;
  static std::set<std::int32_t> done;
  const std::lock_guard lock(mutex);
  if (!done.insert(device.index).second) return;
  set_allocator(device, std::make_shared<TorchAllocator>(device));
}

}  // namespace jitney::torch_runtime
