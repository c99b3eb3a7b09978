// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "jitney/torch/calls/plain.h"

#include <ATen/PythonTorchFunctionTLS.h>
#include <ATen/record_function.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <c10/core/impl/PythonDispatcherTLS.h>
#include <c10/core/impl/TorchDispatchModeTLS.h>
#include <torch/csrc/jit/frontend/tracer.h>

namespace jitney::torch_runtime {
namespace {

const std::uint64_t kPlain =
    c10::DispatchKeySet({c10::BackendComponent::CPUBit, c10::BackendComponent::CUDABit}).raw_repr() |
    c10::DispatchKeySet({c10::DispatchKey::Dense, c10::DispatchKey::AutogradFunctionality,
                         c10::DispatchKey::ADInplaceOrView, c10::DispatchKey::Negative, c10::DispatchKey::AutocastCPU,
                         c10::DispatchKey::AutocastCUDA})
        .raw_repr();

}  // namespace

bool is_plain_here() {
  return !at::hasCallbacks() && !c10::impl::TorchDispatchModeTLS::any_modes_set() &&
         !at::impl::torch_function_mode_enabled() && c10::impl::PythonDispatcherTLS::get_state() == nullptr &&
         !torch::jit::tracer::isTracing() &&
         (c10::impl::tls_local_dispatch_key_set().included_ - c10::default_included_set).empty();
}

const at::Tensor* plain_tensor(PyObject* object) {
  if (!THPVariable_CheckExact(object)) return nullptr;
  const at::Tensor& tensor = THPVariable_Unpack(object);
  return tensor.defined() && (tensor.key_set().raw_repr() & ~kPlain) == 0 ? &tensor : nullptr;
}

}  // namespace jitney::torch_runtime
