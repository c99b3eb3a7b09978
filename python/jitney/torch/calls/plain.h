// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/csrc/autograd/python_variable.h>

namespace jitney::torch_runtime {

/// Whether a call in this thread now is nothing but a call: nobody traces, transforms or watches operators.
bool is_plain_here();

/// The tensor in a Python object, where it is torch's own kind over memory of its own; null for everything else:
/// subclasses, fake, functional and batched tensors, those that are sparse, quantized or on other devices than a CPU or
/// CUDA, and what is no tensor.
const at::Tensor* plain_tensor(PyObject* object);

}  // namespace jitney::torch_runtime
