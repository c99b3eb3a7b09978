// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/staged_inputs.h"

#include "runtime/constants.h"
#include "runtime/strided.h"

namespace jitney::runtime {

StagedInputs::~StagedInputs() {
  for (auto [memory, bytes] : on_device_) target_.backend->free(target_.device, memory, bytes, stream_);
}

Expected<void*> StagedInputs::copy(const TensorView& input, std::size_t index, backend::StreamHandle stream,
                                   StridedCopy& by) {
  if (target_.info.host_memory) {
    Tensor t(input.dtype, std::vector<std::int64_t>(input.shape.begin(), input.shape.end()));
    auto strides = input.strides;
    std::vector<std::int64_t> row_major;
    if (strides.empty()) {
      row_major.assign(input.shape.size(), 1);
      for (std::size_t d = row_major.size(); d-- > 1;) row_major[d - 1] = row_major[d] * input.shape[d];
      strides = row_major;
    }
    copy_strided(t.dtype(), input.shape, input.data, strides, t.data());
    on_host_.push_back(std::move(t));
    return on_host_.back().data();
  }
  if (reinterpret_cast<std::uintptr_t>(input.data) % size_of(input.dtype) != 0)
    return user_error("input {} must be aligned to its elements on {}", index, to_string(input.device));
  std::size_t bytes = size_of(input.dtype);
  for (const auto e : input.shape) bytes *= static_cast<std::size_t>(e);
  stream_ = stream;
  JITNEY_TRY(void* memory, allocate_for("a contiguous input", target_, bytes, stream));
  on_device_.emplace_back(memory, bytes);
  JITNEY_CHECK(by.copy(input, memory, stream));
  return memory;
}

}  // namespace jitney::runtime
