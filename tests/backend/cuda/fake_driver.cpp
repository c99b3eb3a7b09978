// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/fake_driver.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <mutex>

namespace jitney::backend::cuda {
namespace {

FakeDriver* g_fake = nullptr;
FakeDriver& fake() { return *g_fake; }

// Handles are numbers.
template <class H>
H handle(std::uintptr_t number) {
  return reinterpret_cast<H>(number);  // NOLINT(performance-no-int-to-ptr)
}
template <class H>
std::uintptr_t number(H handle) {
  return reinterpret_cast<std::uintptr_t>(handle);
}
CUcontext context_of(int device) { return handle<CUcontext>(0xc0 + static_cast<std::uintptr_t>(device)); }
void* pointer(CUdeviceptr address) { return reinterpret_cast<void*>(address); }  // NOLINT(performance-no-int-to-ptr)

bool forget(std::set<std::uintptr_t>& live, std::uintptr_t handle, const char* what) {
  if (live.erase(handle) != 0) return true;
  fake().breaches.push_back(std::string("stale ") + what);
  return false;
}

/// Of the functions below; some call others, and a test may from within.
std::recursive_mutex& one_at_a_time() {
  static std::recursive_mutex mutex;
  return mutex;
}

#define BEGIN(call)                                  \
  const std::lock_guard begin_lock(one_at_a_time()); \
  if (const CUresult r = fake().begin(call); r != CUDA_SUCCESS) return r
#define BEGIN_ANYWHERE(call)                         \
  const std::lock_guard begin_lock(one_at_a_time()); \
  if (const CUresult r = fake().begin(call, false); r != CUDA_SUCCESS) return r

CUresult allocate(CUdeviceptr* out, std::size_t bytes) {
  std::size_t used = bytes;
  for (const auto& [address, size] : fake().memory) used += size;
  if (used > FakeDriver::kMemory) return CUDA_ERROR_OUT_OF_MEMORY;
  void* memory = nullptr;
  if (posix_memalign(&memory, 256, bytes) != 0) return CUDA_ERROR_OUT_OF_MEMORY;
  std::memset(memory, 0x55, bytes);  // kernels that do nothing give always the same
  *out = reinterpret_cast<CUdeviceptr>(memory);
  fake().memory[*out] = bytes;
  return CUDA_SUCCESS;
}

void release(CUdeviceptr address) {
  if (fake().memory.erase(address) == 0) {
    fake().breaches.push_back("memory freed twice");
    return;
  }
  std::free(pointer(address));
}

void add_device_functions(Driver& d) {
  d.Init = [](unsigned) -> CUresult { return fake().begin("cuInit", false); };
  d.DriverGetVersion = [](int* version) -> CUresult { return *version = 13000, CUDA_SUCCESS; };
  d.GetErrorName = [](CUresult code, const char** name) -> CUresult {
    *name = code == CUDA_ERROR_ILLEGAL_ADDRESS ? "CUDA_ERROR_ILLEGAL_ADDRESS"
            : code == CUDA_ERROR_NO_DEVICE     ? "CUDA_ERROR_NO_DEVICE"
                                               : "CUDA_ERROR_OTHER";
    return CUDA_SUCCESS;
  };
  d.GetErrorString = [](CUresult, const char** text) -> CUresult { return *text = "as a test asked", CUDA_SUCCESS; };
  d.DeviceGetCount = [](int* count) -> CUresult {
    BEGIN_ANYWHERE("cuDeviceGetCount");
    return *count = fake().devices, CUDA_SUCCESS;
  };
  d.DeviceGet = [](CUdevice* device, int index) -> CUresult { return *device = index, CUDA_SUCCESS; };
  d.DeviceGetName = [](char* name, int size, CUdevice) -> CUresult {
    return std::strncpy(name, "Fake GPU", static_cast<std::size_t>(size)), CUDA_SUCCESS;
  };
  d.DeviceGetAttribute = [](int* value, CUdevice_attribute which, CUdevice) -> CUresult {
    *value = which == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR   ? fake().capability / 10
             : which == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR ? fake().capability % 10
             : which == CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT     ? fake().multiprocessors
                                                                     : static_cast<int>(fake().pools);
    return CUDA_SUCCESS;
  };
  d.DeviceTotalMem = [](std::size_t* bytes, CUdevice) -> CUresult {
    return *bytes = FakeDriver::kMemory, CUDA_SUCCESS;
  };
  d.DevicePrimaryCtxRetain = [](CUcontext* context, CUdevice device) -> CUresult {
    BEGIN_ANYWHERE("cuDevicePrimaryCtxRetain");
    ++fake().retained[device];
    return *context = context_of(device), CUDA_SUCCESS;
  };
  d.DevicePrimaryCtxRelease = [](CUdevice device) -> CUresult {
    BEGIN_ANYWHERE("cuDevicePrimaryCtxRelease");
    return --fake().retained[device], CUDA_SUCCESS;
  };
  d.CtxGetCurrent = [](CUcontext* context) -> CUresult { return *context = fake().current, CUDA_SUCCESS; };
  d.CtxSetCurrent = [](CUcontext context) -> CUresult {
    BEGIN_ANYWHERE("cuCtxSetCurrent");
    return fake().current = context, CUDA_SUCCESS;
  };
}

void add_memory_functions(Driver& d) {
  d.MemGetInfo = [](std::size_t* free, std::size_t* total) -> CUresult {
    *free = *total = FakeDriver::kMemory;
    for (const auto& [address, size] : fake().memory) *free -= size;
    return CUDA_SUCCESS;
  };
  d.MemAlloc = [](CUdeviceptr* out, std::size_t bytes) -> CUresult {
    BEGIN("cuMemAlloc");
    return allocate(out, bytes);
  };
  d.MemFree = [](CUdeviceptr address) -> CUresult {
    BEGIN("cuMemFree");
    return release(address), CUDA_SUCCESS;
  };
  d.MemAllocFromPoolAsync = [](CUdeviceptr* out, std::size_t bytes, CUmemoryPool pool, CUstream) -> CUresult {
    BEGIN("cuMemAllocFromPoolAsync");
    if (!fake().memory_pools.contains(number(pool))) fake().breaches.push_back("stale pool");
    return allocate(out, bytes);  // in a capture a node, whose address is known at once
  };
  d.MemFreeAsync = [](CUdeviceptr address, CUstream stream) -> CUresult {
    BEGIN("cuMemFreeAsync");
    if (stream != nullptr && !fake().streams.contains(number(stream))) return CUDA_ERROR_INVALID_HANDLE;
    // In a capture: a node that frees what a node before it allocated. Here that memory stays until it is replayed.
    fake().put(stream, [address] { release(address); });
    return CUDA_SUCCESS;
  };
  d.MemPoolCreate = [](CUmemoryPool* pool, const CUmemPoolProps*) -> CUresult {
    BEGIN_ANYWHERE("cuMemPoolCreate");
    *pool = handle<CUmemoryPool>(*fake().memory_pools.insert(fake().make()).first);
    return CUDA_SUCCESS;
  };
  d.MemPoolDestroy = [](CUmemoryPool pool) -> CUresult {
    BEGIN_ANYWHERE("cuMemPoolDestroy");
    return forget(fake().memory_pools, number(pool), "pool") ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
  };
  d.MemPoolSetAttribute = [](CUmemoryPool, CUmemPool_attribute which, void* value) -> CUresult {
    if (which != CU_MEMPOOL_ATTR_RELEASE_THRESHOLD || *static_cast<cuuint64_t*>(value) < FakeDriver::kMemory) {
      fake().breaches.push_back("a pool that keeps no memory");
    }
    return fake().begin("cuMemPoolSetAttribute", false);
  };
  d.MemHostAlloc = [](void** out, std::size_t bytes, unsigned flags) -> CUresult {
    BEGIN("cuMemHostAlloc");
    if ((flags & CU_MEMHOSTALLOC_DEVICEMAP) == 0) fake().breaches.push_back("host memory that no device sees");
    return fake().host_pages.insert(*out = std::calloc(1, bytes)), CUDA_SUCCESS;
  };
  d.MemFreeHost = [](void* memory) -> CUresult {
    BEGIN("cuMemFreeHost");
    if (fake().host_pages.erase(memory) == 0) fake().breaches.push_back("host memory freed twice");
    return std::free(memory), CUDA_SUCCESS;
  };
  d.MemHostGetDevicePointer = [](CUdeviceptr* out, void* memory, unsigned) -> CUresult {
    BEGIN("cuMemHostGetDevicePointer");
    return *out = reinterpret_cast<CUdeviceptr>(memory), CUDA_SUCCESS;
  };
  d.PointerGetAttribute = [](void* out, CUpointer_attribute, CUdeviceptr address) -> CUresult {
    if (!fake().page_locked.contains(pointer(address))) return CUDA_ERROR_INVALID_VALUE;
    return *static_cast<unsigned*>(out) = CU_MEMORYTYPE_HOST, CUDA_SUCCESS;
  };
  d.MemcpyHtoDAsync = [](CUdeviceptr to, const void* from, std::size_t bytes, CUstream stream) -> CUresult {
    BEGIN("cuMemcpyHtoDAsync");
    fake().put(stream, [=] { fake().touch(to, bytes, "copy"), std::memcpy(pointer(to), from, bytes); });
    return CUDA_SUCCESS;
  };
  d.MemcpyDtoHAsync = [](void* to, CUdeviceptr from, std::size_t bytes, CUstream stream) -> CUresult {
    BEGIN("cuMemcpyDtoHAsync");
    fake().put(stream, [=] { fake().touch(from, bytes, "copy"), std::memcpy(to, pointer(from), bytes); });
    return CUDA_SUCCESS;
  };
  d.MemcpyDtoDAsync = [](CUdeviceptr to, CUdeviceptr from, std::size_t bytes, CUstream stream) -> CUresult {
    BEGIN("cuMemcpyDtoDAsync");
    fake().put(stream, [=] {
      fake().touch(to, bytes, "copy"), fake().touch(from, bytes, "copy");
      std::memcpy(pointer(to), pointer(from), bytes);
    });
    return CUDA_SUCCESS;
  };
}

void add_stream_functions(Driver& d) {
  d.StreamCreate = [](CUstream* stream, unsigned flags) -> CUresult {
    BEGIN("cuStreamCreate");
    if (flags != CU_STREAM_NON_BLOCKING) fake().breaches.push_back("a stream that waits for the default stream");
    *stream = fake().make_stream();
    return CUDA_SUCCESS;
  };
  d.StreamGetId = [](CUstream stream, unsigned long long* id) -> CUresult {
    BEGIN("cuStreamGetId");
    if (fake().captures.contains(stream)) {
      fake().breaches.push_back("a question that ends a capture");
      return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    }
    return *id = fake().identities[stream], CUDA_SUCCESS;
  };
  d.StreamDestroy = [](CUstream stream) -> CUresult {
    BEGIN("cuStreamDestroy");
    fake().destroy_stream(stream);
    return CUDA_SUCCESS;
  };
  d.StreamSynchronize = [](CUstream stream) -> CUresult {
    BEGIN("cuStreamSynchronize");
    if (fake().captures.contains(stream)) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    return fake().run(stream), CUDA_SUCCESS;
  };
  d.StreamWaitEvent = [](CUstream stream, CUevent event, unsigned) -> CUresult {
    BEGIN("cuStreamWaitEvent");
    if (!fake().events.contains(number(event))) return CUDA_ERROR_INVALID_HANDLE;
    fake().put(stream, [mark = fake().marks[number(event)]] { fake().run_until(mark.first, mark.second); });
    return CUDA_SUCCESS;
  };
  d.StreamIsCapturing = [](CUstream stream, CUstreamCaptureStatus* status) -> CUresult {
    const bool capturing = fake().foreign_capture || fake().captures.contains(stream);
    *status = capturing ? CU_STREAM_CAPTURE_STATUS_ACTIVE : CU_STREAM_CAPTURE_STATUS_NONE;
    return CUDA_SUCCESS;
  };
  d.StreamGetCaptureInfo = [](CUstream stream, CUstreamCaptureStatus* status, cuuint64_t* id, CUgraph*,
                              const CUgraphNode** last, std::size_t* count) -> CUresult {
    const auto found = fake().captures.find(stream);
    const bool mine = found != fake().captures.end();
    *status = mine || fake().foreign_capture ? CU_STREAM_CAPTURE_STATUS_ACTIVE : CU_STREAM_CAPTURE_STATUS_NONE;
    *id = mine ? found->second.id : 1;
    if (last != nullptr && mine && !found->second.nodes.empty()) {
      static CUgraphNode node;
      node = handle<CUgraphNode>(found->second.nodes.back());
      *last = &node;
      *count = 1;
    }
    return CUDA_SUCCESS;
  };
  d.ThreadExchangeStreamCaptureMode = [](CUstreamCaptureMode* mode) -> CUresult {
    const auto before = fake().relaxed > 0 ? CU_STREAM_CAPTURE_MODE_RELAXED : CU_STREAM_CAPTURE_MODE_GLOBAL;
    fake().relaxed = *mode == CU_STREAM_CAPTURE_MODE_RELAXED ? 1 : 0;
    return *mode = before, CUDA_SUCCESS;
  };
  d.EventCreate = [](CUevent* event, unsigned) -> CUresult {
    BEGIN("cuEventCreate");
    *event = handle<CUevent>(*fake().events.insert(fake().make()).first);
    return CUDA_SUCCESS;
  };
  d.EventRecord = [](CUevent event, CUstream stream) -> CUresult {
    BEGIN("cuEventRecord");
    if (!fake().events.contains(number(event))) return CUDA_ERROR_INVALID_HANDLE;
    if (fake().captures.contains(stream)) fake().breaches.push_back("an event of ours in a capture");
    auto& queue = fake().queues[stream];
    fake().marks[number(event)] = {stream, queue.done + queue.waiting.size()};
    return CUDA_SUCCESS;
  };
  d.EventDestroy = [](CUevent event) -> CUresult {
    BEGIN("cuEventDestroy");
    return forget(fake().events, number(event), "event") ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
  };
}

FakeDriver::Operation run_kernel(const std::string& name, const FakeDriver::Launch& launch) {
  return [launch, kernel = fake().kernels[name]] {
    fake().launches.push_back(launch);
    kernel(launch);
  };
}

CUresult launch(CUfunction function, const CUlaunchConfig& config, void** kernel_params, void** extra) {
  const auto& [module, name] = fake().functions[number(function)];
  if (!fake().modules.contains(module)) fake().breaches.push_back("launch from an unloaded module");
  if (config.gridDimY * config.gridDimZ * config.blockDimY * config.blockDimZ != 1 || config.sharedMemBytes != 0 ||
      kernel_params != nullptr || config.gridDimX == 0 || config.blockDimX == 0 ||
      extra[0] != CU_LAUNCH_PARAM_BUFFER_POINTER || extra[2] != CU_LAUNCH_PARAM_BUFFER_SIZE ||
      extra[4] != CU_LAUNCH_PARAM_END) {
    fake().breaches.push_back("a launch of another form");
    return CUDA_ERROR_INVALID_VALUE;
  }
  const auto* words = static_cast<const std::uint64_t*>(extra[1]);
  FakeDriver::Launch launch{config.gridDimX,
                            config.blockDimX,
                            {words, words + *static_cast<std::size_t*>(extra[3]) / 8},
                            static_cast<int>(number(fake().current) - 0xc0)};
  for (unsigned i = 0; i < config.numAttrs; ++i)
    if (config.attrs[i].id == CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION)
      launch.cluster = config.attrs[i].value.clusterDim.x;
  if (launch.cluster > fake().most_blocks_of_a_cluster) return CUDA_ERROR_INVALID_CLUSTER_SIZE;
  if (launch.grid % launch.cluster != 0) fake().breaches.push_back("a grid that its clusters do not divide");
  if (const auto capture = fake().captures.find(config.hStream); capture != fake().captures.end())
    fake().nodes[*capture->second.nodes.insert(capture->second.nodes.end(), fake().make())] = {
        capture->second.operations.size(), name, launch};
  fake().put(config.hStream, run_kernel(name, launch));
  return CUDA_SUCCESS;
}

void add_kernel_functions(Driver& d) {
  d.ModuleLoadData = [](CUmodule* module, const void*) -> CUresult {
    BEGIN("cuModuleLoadData");
    *module = handle<CUmodule>(*fake().modules.insert(fake().make()).first);
    return CUDA_SUCCESS;
  };
  d.ModuleUnload = [](CUmodule module) -> CUresult {
    BEGIN("cuModuleUnload");
    return forget(fake().modules, number(module), "module") ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
  };
  d.ModuleGetFunction = [](CUfunction* function, CUmodule module, const char* name) -> CUresult {
    BEGIN("cuModuleGetFunction");
    if (!fake().kernels.contains(name)) return CUDA_ERROR_NOT_FOUND;
    const auto id = fake().make();
    fake().functions[id] = {number(module), name};
    return *function = handle<CUfunction>(id), CUDA_SUCCESS;
  };
  d.LaunchKernel = [](CUfunction function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                      unsigned shared, CUstream stream, void** kernel_params, void** extra) -> CUresult {
    BEGIN("cuLaunchKernel");
    return launch(function, {gx, gy, gz, bx, by, bz, shared, stream, nullptr, 0}, kernel_params, extra);
  };
  d.LaunchKernelEx = [](const CUlaunchConfig* config, CUfunction function, void** kernel_params,
                        void** extra) -> CUresult {
    BEGIN("cuLaunchKernelEx");
    return launch(function, *config, kernel_params, extra);
  };
}

void add_graph_functions(Driver& d) {
  d.StreamBeginCapture = [](CUstream stream, CUstreamCaptureMode mode) -> CUresult {
    BEGIN("cuStreamBeginCapture");
    if (mode != CU_STREAM_CAPTURE_MODE_THREAD_LOCAL) fake().breaches.push_back("a capture that others can break");
    if (fake().captures.contains(stream)) return CUDA_ERROR_ILLEGAL_STATE;
    fake().captures[stream].id = fake().make();
    return CUDA_SUCCESS;
  };
  d.StreamEndCapture = [](CUstream stream, CUgraph* graph) -> CUresult {
    auto node = fake().captures.extract(stream);
    BEGIN("cuStreamEndCapture");
    if (node.empty()) return CUDA_ERROR_ILLEGAL_STATE;
    const auto id = *fake().graphs.insert(fake().make()).first;
    fake().recorded[id] = std::move(node.mapped().operations);
    for (const auto n : node.mapped().nodes) fake().graph_of[n] = id;
    return *graph = handle<CUgraph>(id), CUDA_SUCCESS;
  };
  d.GraphInstantiate = [](CUgraphExec* executable, CUgraph graph, unsigned long long) -> CUresult {
    BEGIN("cuGraphInstantiate");
    const auto id = *fake().executables.insert(fake().make()).first;
    fake().recorded[id] = fake().recorded[number(graph)];
    return *executable = handle<CUgraphExec>(id), CUDA_SUCCESS;
  };
  d.GraphKernelNodeGetParams = [](CUgraphNode node, CUDA_KERNEL_NODE_PARAMS* params) -> CUresult {
    BEGIN("cuGraphKernelNodeGetParams");
    const auto found = fake().nodes.find(number(node));
    if (found == fake().nodes.end()) return CUDA_ERROR_INVALID_VALUE;
    *params = {};
    params->gridDimX = found->second.launch.grid;
    params->blockDimX = found->second.launch.block;
    params->gridDimY = params->gridDimZ = params->blockDimY = params->blockDimZ = 1;
    return CUDA_SUCCESS;
  };
  d.GraphExecKernelNodeSetParams = [](CUgraphExec executable, CUgraphNode node,
                                      const CUDA_KERNEL_NODE_PARAMS* params) -> CUresult {
    BEGIN("cuGraphExecKernelNodeSetParams");
    const auto found = fake().nodes.find(number(node));
    if (!fake().executables.contains(number(executable)) || found == fake().nodes.end() ||
        !fake().graphs.contains(fake().graph_of[number(node)])) {
      fake().breaches.push_back("an update of what is gone");
      return CUDA_ERROR_INVALID_VALUE;
    }
    const auto* words = static_cast<const std::uint64_t*>(params->extra[1]);
    FakeDriver::Launch launch = found->second.launch;
    if (params->gridDimX != launch.grid || params->blockDimX != launch.block)
      fake().breaches.push_back("an update of more than parameters");
    launch.words = {words, words + *static_cast<std::size_t*>(params->extra[3]) / 8};
    fake().recorded[number(executable)][found->second.operation] = run_kernel(found->second.kernel, launch);
    return CUDA_SUCCESS;
  };
  d.GraphLaunch = [](CUgraphExec executable, CUstream stream) -> CUresult {
    BEGIN("cuGraphLaunch");
    if (!fake().executables.contains(number(executable))) return CUDA_ERROR_INVALID_HANDLE;
    for (const auto& operation : fake().recorded[number(executable)]) fake().put(stream, operation);
    return CUDA_SUCCESS;
  };
  d.GraphDestroy = [](CUgraph graph) -> CUresult {
    BEGIN("cuGraphDestroy");
    return forget(fake().graphs, number(graph), "graph") ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
  };
  d.GraphExecDestroy = [](CUgraphExec executable) -> CUresult {
    BEGIN("cuGraphExecDestroy");
    return forget(fake().executables, number(executable), "executable graph") ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
  };
}

}  // namespace

FakeDriver::FakeDriver() { g_fake = this; }
FakeDriver::~FakeDriver() {
  for (const auto& [address, size] : memory) std::free(pointer(address));
  g_fake = nullptr;
}

int FakeDriver::count(const std::string& call) const { return static_cast<int>(std::ranges::count(calls, call)); }

bool FakeDriver::empty() const {
  return streams.empty() && events.empty() && modules.empty() && graphs.empty() && executables.empty() &&
         memory_pools.empty() && memory.empty() && host_pages.empty() &&
         std::ranges::all_of(retained, [](const auto& r) { return r.second == 0; });
}

CUstream FakeDriver::make_stream() {
  const auto made_now = make();
  streams.insert(made_now);
  const auto stream = handle<CUstream>(made_now);
  identities[stream] = made_now;
  return stream;
}

void FakeDriver::destroy_stream(CUstream stream) {
  run(stream);
  forget(streams, number(stream), "stream");
}

void FakeDriver::capture(CUstream stream) {
  captures[stream].id = make();
  captures[stream].is_foreign = true;
}

std::vector<FakeDriver::Operation> FakeDriver::end_capture(CUstream stream) {
  return std::move(captures.extract(stream).mapped().operations);
}

void FakeDriver::drain() {
  std::vector<CUstream> all;
  for (const auto& [stream, queue] : queues) all.push_back(stream);
  for (CUstream stream : all) run(stream);
}

Expected<Driver> open_fake() {
  Driver d;
  add_device_functions(d);
  add_memory_functions(d);
  add_stream_functions(d);
  add_kernel_functions(d);
  add_graph_functions(d);
  return d;
}

}  // namespace jitney::backend::cuda
