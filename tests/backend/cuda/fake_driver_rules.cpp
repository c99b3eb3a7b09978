// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// What the fake driver holds calls against, and when it does the work that is put on its streams.
#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

#include "backend/cuda/fake_driver.h"

namespace jitney::backend::cuda {

CUresult FakeDriver::begin(const char* call, bool needs_context) {
  calls.emplace_back(call);
  // What may disturb somebody's capture is only done by a thread that said it knows.
  constexpr std::string_view kUnsafe[] = {"cuMemAlloc",       "cuMemAllocFromPoolAsync", "cuMemFree",
                                          "cuMemFreeAsync",   "cuMemHostAlloc",          "cuMemFreeHost",
                                          "cuModuleLoadData", "cuModuleUnload",          "cuStreamSynchronize",
                                          "cuEventCreate",    "cuMemcpyHtoDAsync"};
  const bool is_foreign =
      foreign_capture || std::ranges::any_of(captures, [](const auto& c) { return c.second.is_foreign; });
  if (is_foreign && relaxed == 0 && std::ranges::find(kUnsafe, call) != std::end(kUnsafe))
    breaches.push_back(std::string(call) + " disturbs a capture");
  // What gives something back does not fail by itself.
  const std::string_view name = call;
  const bool gives_back = std::ranges::any_of(std::to_array<std::string_view>({"Destroy", "Free", "Unload", "Release"}),
                                              [&](auto word) { return name.find(word) != std::string_view::npos; });
  if (!gives_back && made++ == fail_at) return fail_with;
  if (needs_context && current == nullptr) breaches.push_back(std::string(call) + " without a context");
  const auto failure = failures.find(call);
  return failure == failures.end() ? CUDA_SUCCESS : failure->second;
}

void FakeDriver::put(CUstream stream, Operation operation) {
  const auto capture = captures.find(stream);
  const auto id = reinterpret_cast<std::uintptr_t>(stream);
  if (id > 2 && !streams.contains(id)) breaches.push_back("work for a stream that is gone");
  if (capture != captures.end()) {
    auto& nodes_of = capture->second.nodes;
    if (nodes_of.size() == capture->second.operations.size()) nodes_of.push_back(make());
    capture->second.operations.push_back(std::move(operation));
  } else {
    queues[stream].waiting.push_back(std::move(operation));
  }
}

void FakeDriver::run_until(CUstream stream, std::uint64_t mark) {
  auto& queue = queues[stream];
  while (!queue.waiting.empty() && queue.done < mark) {
    const auto operation = std::move(queue.waiting.front());
    queue.waiting.pop_front();
    ++queue.done;
    operation();
  }
}

void FakeDriver::run(CUstream stream) { run_until(stream, ~std::uint64_t{0}); }

void FakeDriver::touch(CUdeviceptr address, std::size_t bytes, const char* who) {
  const auto after = memory.upper_bound(address);
  const auto block = after == memory.begin() ? memory.end() : std::prev(after);
  if (block == memory.end() || address + bytes > block->first + block->second) {
    breaches.push_back(std::string(who) + " outside of memory");
  }
}

}  // namespace jitney::backend::cuda
