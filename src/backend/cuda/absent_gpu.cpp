// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/absent_gpu.h"

#include <sys/mman.h>

#include "backend/cuda/architecture.h"
#include "backend/cuda/binary_check.h"
#include "backend/cuda/own_sources.h"
#include "backend/cuda/which_library.h"
#include "util/log.h"

namespace jitney::backend::cuda {
namespace {

class NotHere final : public Primitive {
 public:
  std::size_t scratch_bytes() const override { return 0; }
  std::string implementation() const override { return "what the GPU chooses"; }
  bool is_reference() const override { return false; }
};

}  // namespace

Expected<int> AbsentGpu::capability() const { return parse_target(target_, variable_); }

tl::unexpected<Failure> AbsentGpu::nothing_runs() const {
  return environment_error("{} is set: this process compiles for {} and runs nothing on a GPU", variable_, target_);
}

Expected<DeviceInfo> AbsentGpu::device_info(int device) const {
  if (device != 0) return user_error("there is no device cuda:{}; {} is set, and cuda:0 is it", device, variable_);
  JITNEY_TRY(const int number, capability());
  JITNEY_CHECK(allowed_libraries().map([](auto) {}));
  DeviceInfo info = describe_architecture(number / 10, number % 10);
  info.name = fmt::format("a GPU of {} that is not here", target_);
  return info;
}

Expected<void*> AbsentGpu::allocate(int, std::size_t bytes, StreamHandle) {
  if (bytes == 0) return nullptr;
  void* memory = ::mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return environment_error("there is no address space of {} bytes", bytes);
  live_bytes_ += static_cast<std::int64_t>(bytes);
  return memory;
}

void AbsentGpu::free(int, void* memory, std::size_t bytes, StreamHandle) noexcept {
  if (memory == nullptr) return;
  ::munmap(memory, bytes);
  live_bytes_ -= static_cast<std::int64_t>(bytes);
}

Status AbsentGpu::copy(int, void*, const void*, std::size_t, CopyKind kind, StreamHandle) {
  // Weights go there while a model is prepared; there is nothing to give back.
  if (kind == CopyKind::host_to_device) return {};
  return nothing_runs();
}

Expected<ModuleHandle> AbsentGpu::load(int, std::span<const std::byte> binary) {
  JITNEY_CHECK(checked_copy(binary).map([](auto&&) {}));
  return ++handles_;
}

bool AbsentGpu::offers(int, const LibraryCall& call) const {
  const auto allowed = allowed_libraries();
  return allowed && allowed->has(library_for(call));
}

Expected<std::shared_ptr<const Primitive>> AbsentGpu::plan(int, const LibraryCall& call, const PlanOptions& options) {
  JITNEY_TRY(const int number, capability());
  if (library_for(call) == Library::none) return environment_error("the cuda backend has no library for such a call");
  for (const auto& own : own_sources(call, number)) {
    if (options.services == nullptr) break;
    std::mutex* turn = nullptr;
    {
      const std::lock_guard lock(mutex_);
      turn = &compiling_[own.source];  // its place is its own for good
    }
    const std::lock_guard lock(*turn);
    // As on the device, where a library does what this kernel cannot, or the interpreter, with another warning.
    if (const auto made = options.services->compile(own.name, own.source); !made)
      warn_once("own kernel " + own.name,
                fmt::format("'{}' could not be compiled for {}: {}", own.name, target_, made.error().message));
  }
  return std::make_shared<const NotHere>();
}

std::vector<std::string> AbsentGpu::diagnose() const { return {nothing_runs().value().message}; }

}  // namespace jitney::backend::cuda
