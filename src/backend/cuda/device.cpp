// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/device.h"

#include <algorithm>
#include <array>
#include <limits>

#include "backend/cuda/architecture.h"
#include "backend/cuda/error.h"

namespace jitney::backend::cuda {
namespace {

Expected<int> attribute(const Driver& driver, CUdevice device, CUdevice_attribute which, int index) {
  int value = 0;
  JITNEY_CHECK(check(driver, driver.DeviceGetAttribute(&value, which, device), "cuDeviceGetAttribute",
                     "asking for attribute {} of cuda:{}", static_cast<int>(which), index));
  return value;
}

}  // namespace

Expected<std::unique_ptr<Device>> Device::open(const Driver& driver, int index) {
  CUdevice handle = 0;
  Properties p;
  std::array<char, 256> name{};
  JITNEY_CHECK(check(driver, driver.DeviceGet(&handle, index), "cuDeviceGet", "opening cuda:{}", index));
  JITNEY_CHECK(check(driver, driver.DeviceGetName(name.data(), static_cast<int>(name.size()) - 1, handle),
                     "cuDeviceGetName", "asking for the name of cuda:{}", index));
  p.name = name.data();
  JITNEY_CHECK(check(driver, driver.DeviceTotalMem(&p.memory_bytes, handle), "cuDeviceTotalMem",
                     "asking for the memory of cuda:{}", index));
  JITNEY_TRY(p.major, attribute(driver, handle, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, index));
  JITNEY_TRY(p.minor, attribute(driver, handle, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, index));
  JITNEY_TRY(p.multiprocessors, attribute(driver, handle, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, index));
  JITNEY_TRY(const int cache, attribute(driver, handle, CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE, index));
  p.cache_bytes = static_cast<std::size_t>(std::max(cache, 0));
  JITNEY_TRY(const int pools, attribute(driver, handle, CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED, index));
  p.memory_pools = pools != 0;
  return std::unique_ptr<Device>(new Device(driver, index, handle, std::move(p)));
}

Device::~Device() {
  if (context_.load() == nullptr) return;
  {
    const ContextScope scope(driver_, context_.load());
    while (const auto graph = graphs.remove_any()) {
      driver_.GraphExecDestroy(graph->executable);
      if (graph->recorded != nullptr) driver_.GraphDestroy(graph->recorded);
      faults.release(graph->words);
    }
    while (CUmodule module = modules.remove_any()) driver_.ModuleUnload(module);
    faults.free_pages();
    if (pool_ != nullptr) driver_.MemPoolDestroy(pool_);
  }
  driver_.DevicePrimaryCtxRelease(handle_);
}

Expected<CUcontext> Device::context() {
  if (CUcontext known = context_.load(std::memory_order_acquire)) return known;
  const std::lock_guard lock(mutex_);
  if (CUcontext known = context_.load(std::memory_order_relaxed)) return known;
  CUcontext context = nullptr;
  JITNEY_CHECK(check(driver_, driver_.DevicePrimaryCtxRetain(&context, handle_), "cuDevicePrimaryCtxRetain",
                     "starting to use cuda:{}", index_));
  if (auto made = make_pool(); !made) {
    driver_.DevicePrimaryCtxRelease(handle_);
    return tl::unexpected(made.error());
  }
  context_.store(context, std::memory_order_release);
  return context;
}

Status Device::make_pool() {
  if (!properties_.memory_pools) return {};
  CUmemPoolProps props{};
  props.allocType = CU_MEM_ALLOCATION_TYPE_PINNED;
  props.handleTypes = CU_MEM_HANDLE_TYPE_NONE;
  props.location = {.type = CU_MEM_LOCATION_TYPE_DEVICE, .id = handle_};
  JITNEY_CHECK(
      check(driver_, driver_.MemPoolCreate(&pool_, &props), "cuMemPoolCreate", "making a pool on cuda:{}", index_));
  cuuint64_t keep = std::numeric_limits<cuuint64_t>::max();
  auto set = check(driver_, driver_.MemPoolSetAttribute(pool_, CU_MEMPOOL_ATTR_RELEASE_THRESHOLD, &keep),
                   "cuMemPoolSetAttribute", "letting the pool of cuda:{} keep its memory", index_);
  if (!set) {
    driver_.MemPoolDestroy(pool_);
    pool_ = nullptr;
  }
  return set;
}

tl::unexpected<Failure> Device::out_of_memory(std::size_t bytes) {
  std::size_t free = 0, total = 0;
  if (driver_.MemGetInfo(&free, &total) != CUDA_SUCCESS) total = properties_.memory_bytes;
  return environment_error("cuda:{} cannot allocate {} bytes: {} of its {} are free", index_, bytes, free, total);
}

Expected<void*> Device::allocate(std::size_t bytes, CUstream stream) {
  if (bytes == 0) return nullptr;
  if (bytes > properties_.memory_bytes) return out_of_memory(bytes);
  const RelaxedCapture relaxed(driver_);
  const std::shared_ptr<Allocator> allocator = program_.current();
  void* memory = nullptr;
  if (allocator) {
    JITNEY_TRY(memory, program_.allocate(allocator, bytes, reinterpret_cast<StreamHandle>(stream), kMemoryAlignment,
                                         fmt::format("cuda:{}", index_)));
  } else {
    CUdeviceptr address = 0;
    // Kernels of libraries read whole vectors: cuBLASLt's of bfloat16 pairs, for one, the half behind an odd number of
    // elements. What they read there they do not use, but it has to be memory.
    const std::size_t whole = (bytes + 15) & ~std::size_t{15};
    const CUresult result = pool_ != nullptr ? driver_.MemAllocFromPoolAsync(&address, whole, pool_, stream)
                                             : driver_.MemAlloc(&address, whole);
    if (result == CUDA_ERROR_OUT_OF_MEMORY) return out_of_memory(bytes);
    JITNEY_CHECK(check(driver_, result, pool_ != nullptr ? "cuMemAllocFromPoolAsync" : "cuMemAlloc",
                       "allocating {} bytes on cuda:{}", bytes, index_));
    memory = reinterpret_cast<void*>(address);  // NOLINT(performance-no-int-to-ptr)
  }
  live_bytes_.fetch_add(static_cast<std::int64_t>(bytes), std::memory_order_relaxed);
  if ((pool_ != nullptr || allocator) && stream == nullptr) {
    // The order of the default stream is no order for others: the memory is there before anybody hears of it.
    if (auto done = check(driver_, driver_.StreamSynchronize(stream), "cuStreamSynchronize",
                          "allocating {} bytes on cuda:{}", bytes, index_);
        !done) {
      free(memory, bytes, stream);
      return tl::unexpected(done.error());
    }
  }
  return memory;
}

void Device::free(void* memory, std::size_t bytes, CUstream stream) noexcept {
  if (memory == nullptr) return;
  const RelaxedCapture relaxed(driver_);
  const auto address = reinterpret_cast<CUdeviceptr>(memory);
  live_bytes_.fetch_sub(static_cast<std::int64_t>(bytes), std::memory_order_relaxed);
  if (program_.free(memory, bytes, reinterpret_cast<StreamHandle>(stream))) return;
  // A stream that is gone cannot order anything; the memory is given back all the same.
  if (pool_ == nullptr || driver_.MemFreeAsync(address, stream) != CUDA_SUCCESS) driver_.MemFree(address);
}

}  // namespace jitney::backend::cuda
