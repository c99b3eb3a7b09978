// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/cuda_backend.h"

#include <algorithm>
#include <array>
#include <utility>

#include "backend/cuda/architecture.h"
#include "backend/cuda/binary_check.h"
#include "backend/cuda/error.h"
#include "backend/cuda/launch.h"
#include "backend/cuda/preload.h"
#include "backend/cuda/which_library.h"

namespace jitney::backend::cuda {
namespace {

/// What modules define whose kernels wait for what they follow (JT_OVERLAPS in prelude_cuda.inc).
constexpr const char* kOverlapsMark = "jitney_overlaps";

CUdeviceptr address_of(const void* memory) { return reinterpret_cast<CUdeviceptr>(memory); }

}  // namespace

CudaBackend::State& CudaBackend::state() const {
  std::call_once(once_, [this] {
    auto driver = open_();
    if (!driver) {
      state_.problem = driver.error().message;
      return;
    }
    state_.driver = *driver;
    if (open_ == open_driver) preload_libraries();  // not beside a driver of a test's own
    const auto fail = [&](const Failure& failure) {
      state_.devices.clear();
      state_.problem = failure.message;
    };
    int count = 0;
    if (auto ready = check(state_.driver, state_.driver.Init(0), "cuInit", "looking for CUDA devices"); !ready) {
      return fail(ready.error());
    }
    if (auto counted =
            check(state_.driver, state_.driver.DeviceGetCount(&count), "cuDeviceGetCount", "looking for CUDA devices");
        !counted) {
      return fail(counted.error());
    }
    if (count == 0) state_.problem = "the NVIDIA driver finds no device";
    for (int i = 0; i < count; ++i) {
      auto device = Device::open(state_.driver, i);
      if (!device) return fail(device.error());
      state_.devices.push_back(std::move(*device));
    }
  });
  return state_;
}

Expected<Device*> CudaBackend::find(int device) const {
  const auto& devices = state().devices;
  if (device >= 0 && static_cast<std::size_t>(device) < devices.size())
    return devices[static_cast<std::size_t>(device)].get();
  if (devices.empty()) return environment_error("there is no device cuda:{}: {}", device, state().problem);
  if (devices.size() == 1) return user_error("there is no device cuda:{}; this machine has cuda:0 only", device);
  return user_error("there is no device cuda:{}; this machine has cuda:0 to cuda:{}", device, devices.size() - 1);
}

CudaBackend::Entry::Entry(const CudaBackend& backend, int device) {
  const auto found = backend.find(device);
  const auto context = found ? (*found)->context() : tl::unexpected(found.error());
  if (!context) {
    status = tl::unexpected(context.error());
    return;
  }
  scope_.emplace(backend.driver(), *context);
  status = check(backend.driver(), scope_->result(), "cuCtxSetCurrent", "turning to cuda:{}", device);
  if (!status) return;
  relaxed_.emplace(backend.driver());
  device_ = *found;
}

int CudaBackend::device_count() const { return static_cast<int>(state().devices.size()); }

Expected<DeviceInfo> CudaBackend::device_info(int device) const {
  JITNEY_TRY(const Device* found, find(device));
  const Properties& p = found->properties();
  JITNEY_CHECK(allowed_libraries().map([](auto) {}));
  DeviceInfo info = describe_architecture(p.major, p.minor);
  info.name = p.name;
  info.parallel_units = p.multiprocessors;
  info.memory_bytes = static_cast<std::int64_t>(p.memory_bytes);
  return info;
}

Expected<void*> CudaBackend::allocate(int device, std::size_t bytes, StreamHandle stream) {
  const Entry on(*this, device);
  JITNEY_CHECK(on.status);
  return on->allocate(bytes, stream_of(stream));
}

void CudaBackend::free(int device, void* memory, std::size_t bytes, StreamHandle stream) noexcept {
  if (memory == nullptr) return;
  if (const Entry on(*this, device); on) on->free(memory, bytes, stream_of(stream));
}

Status CudaBackend::copy(int device, void* to, const void* from, std::size_t bytes, CopyKind kind,
                         StreamHandle handle) {
  JITNEY_TRY(const Device* checked, find(device));
  static_cast<void>(checked);
  if (bytes == 0) return {};
  if (to == nullptr || from == nullptr) return internal_error("a copy of {} bytes was given a null address", bytes);
  const Entry on(*this, device);
  JITNEY_CHECK(on.status);
  const Driver& d = driver();
  CUstream stream = stream_of(handle);
  const void* host = nullptr;
  switch (kind) {
    case CopyKind::host_to_device:
      host = from;
      JITNEY_CHECK(check(d, d.MemcpyHtoDAsync(address_of(to), from, bytes, stream), "cuMemcpyHtoDAsync",
                         "copying {} bytes to cuda:{}", bytes, device));
      break;
    case CopyKind::device_to_host:
      host = to;
      JITNEY_CHECK(check(d, d.MemcpyDtoHAsync(to, address_of(from), bytes, stream), "cuMemcpyDtoHAsync",
                         "copying {} bytes from cuda:{}", bytes, device));
      break;
    case CopyKind::device_to_device:
      return check(d, d.MemcpyDtoDAsync(address_of(to), address_of(from), bytes, stream), "cuMemcpyDtoDAsync",
                   "copying {} bytes on cuda:{}", bytes, device);
  }
  // The driver knows what is page-locked and nothing of other host memory.
  unsigned type = 0;
  if (d.PointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, address_of(host)) == CUDA_SUCCESS) return {};
  auto capturing = CU_STREAM_CAPTURE_STATUS_NONE;
  if (d.StreamIsCapturing(stream, &capturing) != CUDA_SUCCESS || capturing != CU_STREAM_CAPTURE_STATUS_NONE) return {};
  return check(d, d.StreamSynchronize(stream), "cuStreamSynchronize", "copying {} bytes between the host and cuda:{}",
               bytes, device);
}

Expected<ModuleHandle> CudaBackend::load(int device, std::span<const std::byte> binary) {
  const Entry on(*this, device);
  JITNEY_CHECK(on.status);
  JITNEY_TRY(const auto copy, checked_copy(binary));
  const RelaxedCapture relaxed(driver());
  CUmodule module = nullptr;
  JITNEY_CHECK(check(driver(), driver().ModuleLoadData(&module, copy.data()), "cuModuleLoadData",
                     "loading a binary of {} bytes on cuda:{}", binary.size(), device));
  return on->modules.add(module);
}

void CudaBackend::unload(int device, ModuleHandle handle) noexcept {
  const Entry on(*this, device);
  if (!on) return;
  const RelaxedCapture relaxed(driver());
  if (CUmodule module = on->modules.remove(handle)) driver().ModuleUnload(module);
}

Expected<KernelHandle> CudaBackend::kernel(int device, ModuleHandle handle, const char* symbol) {
  const Entry on(*this, device);
  JITNEY_CHECK(on.status);
  JITNEY_TRY(CUmodule module, on->modules.find(handle));
  const RelaxedCapture relaxed(driver());
  CUfunction function = nullptr;
  const CUresult result = driver().ModuleGetFunction(&function, module, symbol);
  if (result == CUDA_ERROR_NOT_FOUND) return internal_error("a compiled module defines no kernel '{}'", symbol);
  JITNEY_CHECK(check(driver(), result, "cuModuleGetFunction", "looking for kernel '{}' on cuda:{}", symbol, device));
  CUdeviceptr mark = 0;
  std::size_t bytes = 0;
  const bool overlaps = takes_launch_attributes(*on.operator->()) && driver().ModuleGetGlobal != nullptr &&
                        driver().ModuleGetGlobal(&mark, &bytes, module, kOverlapsMark) == CUDA_SUCCESS;
  return on->modules.add_kernel(handle, symbol, function, overlaps);
}

bool CudaBackend::takes_launch_attributes(const Device& device) const {
  return device.properties().major >= 9 && driver().LaunchKernelEx != nullptr;
}

Status CudaBackend::launch(int device, KernelHandle kernel, const LaunchArgs& args, StreamHandle handle) {
  const Entry on(*this, device);
  JITNEY_CHECK(on.status);
  JITNEY_TRY(const auto use, on->modules.use(kernel));
  const bool has_clusters =
      takes_launch_attributes(*on.operator->()) && !has_no_room_for_clusters_.load(std::memory_order_relaxed);
  JITNEY_TRY(auto shape, geometry(args, on->properties().multiprocessors, has_clusters));
  if (shape.grid == 0) return {};
  CUstream stream = stream_of(handle);
  CUdeviceptr fault = reinterpret_cast<CUdeviceptr>(args.fault);
  if (!args.fault_is_shared) {
    JITNEY_TRY(fault, on->faults.stand_in(stream, args.fault));
  }
  Parameters parameters;
  JITNEY_CHECK(parameters.fill(args, fault));
  std::size_t bytes = parameters.bytes();
  void* extra[] = {CU_LAUNCH_PARAM_BUFFER_POINTER, parameters.data(), CU_LAUNCH_PARAM_BUFFER_SIZE, &bytes,
                   CU_LAUNCH_PARAM_END};
  std::array<CUlaunchAttribute, 2> attributes{};
  unsigned count = 0;
  if (use.overlaps && on->captures.any() && is_captured_here(*on.operator->(), stream)) {
    // In graphs alone, and in our own: there nobody asks for the edges of a stream without their kinds.
    attributes[count].id = CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION;
    attributes[count++].value.programmaticStreamSerializationAllowed = 1;
  }
  if (shape.parts > 1) {
    attributes[count].id = CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION;
    attributes[count++].value.clusterDim = {.x = shape.parts, .y = 1, .z = 1};
  }
  const auto launch_with = [&](unsigned attribute_count) {
    if (attribute_count == 0)
      return driver().LaunchKernel(use.function, shape.grid, 1, 1, shape.block, 1, 1, 0, stream, nullptr, extra);
    const CUlaunchConfig config{.gridDimX = shape.grid,
                                .gridDimY = 1,
                                .gridDimZ = 1,
                                .blockDimX = shape.block,
                                .blockDimY = 1,
                                .blockDimZ = 1,
                                .sharedMemBytes = 0,
                                .hStream = stream,
                                .attrs = attributes.data(),
                                .numAttrs = attribute_count};
    return driver().LaunchKernelEx(&config, use.function, nullptr, extra);
  };
  CUresult launched = launch_with(count);
  if (launched == CUDA_ERROR_INVALID_CLUSTER_SIZE && shape.parts > 1) {
    // A part of a device, which a green context may be, can have no room for clusters. From now on there are none: a
    // graph that is being recorded would tell only when it is replayed.
    has_no_room_for_clusters_.store(true, std::memory_order_relaxed);
    shape.grid /= std::exchange(shape.parts, 1);
    launched = launch_with(count - 1);
  }
  JITNEY_CHECK(check(driver(), launched, "cuLaunchKernel",
                     "launching {} blocks of {} threads with {} bytes of parameters on cuda:{}", shape.grid,
                     shape.block, bytes, device));
  if (!args.is_in_call && on->captures.any()) log_launch(*on.operator->(), stream);
  return {};
}

Expected<std::int32_t*> CudaBackend::allocate_faults(int device, std::size_t count) {
  const Entry on(*this, device);
  JITNEY_CHECK(on.status);
  void* host = nullptr;
  CUdeviceptr address = 0;
  JITNEY_CHECK(check(driver(),
                     driver().MemHostAlloc(&host, std::max<std::size_t>(count, 1) * sizeof(std::int32_t),
                                           CU_MEMHOSTALLOC_PORTABLE | CU_MEMHOSTALLOC_DEVICEMAP),
                     "cuMemHostAlloc", "allocating {} fault words for cuda:{}", count, device));
  auto mapped = check(driver(), driver().MemHostGetDevicePointer(&address, host, 0), "cuMemHostGetDevicePointer",
                      "mapping fault words for cuda:{}", device);
  // All devices since Fermi see such memory where the host does.
  if (mapped && address != reinterpret_cast<CUdeviceptr>(host))
    mapped = environment_error("cuda:{} sees host memory at other addresses", device);
  if (!mapped) {
    driver().MemFreeHost(host);
    return tl::unexpected(mapped.error());
  }
  std::fill_n(static_cast<std::int32_t*>(host), count, 0);
  return static_cast<std::int32_t*>(host);
}

void CudaBackend::free_faults(int device, std::int32_t* words) noexcept {
  if (words == nullptr) return;
  if (const Entry on(*this, device); on) driver().MemFreeHost(words);
}

Status CudaBackend::set_allocator(int device, std::shared_ptr<Allocator> allocator) {
  JITNEY_TRY(Device * found, find(device));
  found->set_allocator(std::move(allocator));
  return {};
}

std::int64_t CudaBackend::live_bytes() const {
  std::int64_t total = 0;
  for (const auto& device : state().devices) total += device->live_bytes();
  return total;
}

std::vector<std::string> CudaBackend::diagnose() const {
  if (state().devices.empty()) return {fmt::format("no CUDA device: {}", state().problem)};
  int version = 0;
  driver().DriverGetVersion(&version);
  std::vector<std::string> lines{fmt::format("NVIDIA driver for CUDA {}.{}", version / 1000, version % 1000 / 10)};
  for (const auto& device : state().devices) {
    const Properties& p = device->properties();
    lines.push_back(fmt::format("cuda:{}: compute capability {}.{}, memory {}", device->index(), p.major, p.minor,
                                p.memory_pools ? "in stream order from a pool" : "without pools: every free waits"));
  }
  for (auto& line : LibraryCalls::diagnose()) lines.push_back(std::move(line));
  return lines;
}

}  // namespace jitney::backend::cuda
