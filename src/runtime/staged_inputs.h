// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "runtime/strided_copy.h"

namespace jitney::runtime {

/// Row-major copies of inputs that are not, made on the host or on the device, there for as long as this lives. Device
/// memory goes back in the order of the stream that it was made on. For one thread.
class StagedInputs {
 public:
  /// `target` outlives this.
  explicit StagedInputs(const Target& target) : target_(target) {}
  ~StagedInputs();
  StagedInputs(const StagedInputs&) = delete;
  StagedInputs& operator=(const StagedInputs&) = delete;

  /// Address of the copy, made in the order of `stream`, which is the same for all; not waited for. `index`: the
  /// input's, for messages. Errors: user for elements on a device that are not aligned, environment for no memory.
  Expected<void*> copy(const TensorView& input, std::size_t index, backend::StreamHandle stream, StridedCopy& by);

 private:
  const Target& target_;
  backend::StreamHandle stream_ = 0;
  std::vector<Tensor> on_host_;
  std::vector<std::pair<void*, std::size_t>> on_device_;
};

}  // namespace jitney::runtime
