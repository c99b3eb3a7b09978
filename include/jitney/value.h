// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <jitney/tensor.h>

namespace jitney {

/// What an input or output of a model holds.
enum class ValueKind : std::uint8_t {
  tensor,    ///< exactly one
  sequence,  ///< tensors of one dtype, any number of them, each of a shape of its own
  none,      ///< an optional that holds nothing
};

/// A value that somebody else owns: what `tensors` points to must outlive it.
struct ValueView {
  ValueKind kind = ValueKind::tensor;
  std::span<const TensorView> tensors;
};

/// A value that owns its tensors, in host memory.
struct Value {
  ValueKind kind = ValueKind::tensor;
  std::vector<Tensor> tensors;
};

}  // namespace jitney
