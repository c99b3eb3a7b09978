// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/cuda_backend.h"
#include "backend/cuda/error.h"
#include "backend/cuda/launch.h"

/// Captured graphs.
namespace jitney::backend::cuda {

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
    on->captures.begin(**id);
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
  const CaptureLog::Nodes nodes = on->captures.end(*id);
  CUgraph graph = nullptr;
  auto status = check(driver(), driver().StreamEndCapture(stream, &graph), "cuStreamEndCapture",
                      "ending a capture on cuda:{}", device);
  if (status && graph == nullptr) status = internal_error("a capture on cuda:{} gave no graph", device);
  if (status) {
    status = check(driver(), driver().GraphInstantiate(&captured.executable, graph, 0), "cuGraphInstantiate",
                   "making a captured graph ready on cuda:{}", device);
  }
  if (status) {
    captured.launches.resize(nodes.size());
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      auto& launch = captured.launches[i];
      if (nodes[i] != nullptr && driver().GraphKernelNodeGetParams(nodes[i], &launch.params) == CUDA_SUCCESS)
        launch.node = nodes[i];
      launch.params.kernelParams = launch.params.extra = nullptr;
    }
  }
  // Nodes belong to the graph that was recorded, which lives for as long as they may be updated.
  if (status && !nodes.empty())
    captured.recorded = graph;
  else if (graph != nullptr)
    driver().GraphDestroy(graph);
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

Status CudaBackend::update(int device, GraphHandle handle, std::size_t launch, const LaunchArgs& args) {
  const Entry on(*this, device);
  JITNEY_CHECK(on.status);
  const auto graph = on->graphs.find(handle);
  if (!graph || launch >= graph->launches.size())
    return internal_error("cuda:{} has no graph {} with {} launches", device, handle, launch + 1);
  const Graph::Launch& recorded = graph->launches[launch];
  if (recorded.node == nullptr) return environment_error("a launch in a graph of cuda:{} cannot be updated", device);
  if (args.fault != nullptr && !args.fault_is_shared)
    return internal_error("a graph on cuda:{} can only be given shared fault words", device);
  Parameters parameters;
  JITNEY_CHECK(parameters.fill(args, reinterpret_cast<CUdeviceptr>(args.fault)));
  std::size_t bytes = parameters.bytes();
  void* extra[] = {CU_LAUNCH_PARAM_BUFFER_POINTER, parameters.data(), CU_LAUNCH_PARAM_BUFFER_SIZE, &bytes,
                   CU_LAUNCH_PARAM_END};
  CUDA_KERNEL_NODE_PARAMS params = recorded.params;
  params.extra = extra;
  return check(driver(), driver().GraphExecKernelNodeSetParams(graph->executable, recorded.node, &params),
               "cuGraphExecKernelNodeSetParams", "updating a graph on cuda:{}", device);
}

bool CudaBackend::is_captured_here(Device& device, CUstream stream) const {
  const auto id = capture_id(stream);
  return id && *id && device.captures.contains(**id);
}

void CudaBackend::log_launch(Device& device, CUstream stream) const {
  auto status = CU_STREAM_CAPTURE_STATUS_NONE;
  cuuint64_t id = 0;
  const CUgraphNode* last = nullptr;
  std::size_t count = 0;
  if (driver().StreamGetCaptureInfo3 != nullptr) {
    const CUgraphEdgeData* edges = nullptr;
    if (driver().StreamGetCaptureInfo3(stream, &status, &id, nullptr, &last, &edges, &count) != CUDA_SUCCESS) return;
  } else if (driver().StreamGetCaptureInfo(stream, &status, &id, nullptr, &last, &count) != CUDA_SUCCESS) {
    return;
  }
  // What was put on a stream last is the one node that whatever comes next would wait for.
  if (status == CU_STREAM_CAPTURE_STATUS_ACTIVE) device.captures.add(id, count == 1 ? last[0] : nullptr);
}

void CudaBackend::destroy_graph(int device, GraphHandle handle) noexcept {
  const Entry on(*this, device);
  if (!on) return;
  if (const auto graph = on->graphs.remove(handle)) {
    driver().GraphExecDestroy(graph->executable);
    if (graph->recorded != nullptr) driver().GraphDestroy(graph->recorded);
    on->faults.release(graph->words);
  }
}

}  // namespace jitney::backend::cuda
