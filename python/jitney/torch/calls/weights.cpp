// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "jitney/torch/calls/weights.h"

#include <torch/csrc/autograd/python_variable.h>

#include <algorithm>

namespace jitney::torch_runtime {
namespace {

std::uint32_t version_of(const at::Tensor& tensor) {
  return tensor.unsafeGetTensorImpl()->version_counter().current_version();
}

const void* data_of(const at::Tensor& tensor) {
  if (!tensor.has_storage()) return nullptr;
  const at::TensorImpl& impl = *tensor.unsafeGetTensorImpl();
  return static_cast<const char*>(impl.storage().data()) +
         impl.storage_offset() * static_cast<std::int64_t>(impl.itemsize());
}

}  // namespace

Weights::Weights(nanobind::tuple tensors, std::vector<Py_ssize_t> places) {
  const Py_ssize_t count = PyTuple_GET_SIZE(tensors.ptr());
  if (places.size() != static_cast<std::size_t>(count)) throw nanobind::value_error("a place for each weight");
  for (Py_ssize_t i = 0; i < count; ++i) {
    PyObject* object = PyTuple_GET_ITEM(tensors.ptr(), i);
    if (!THPVariable_Check(object)) throw nanobind::type_error("weights must be tensors");
    const at::Tensor& tensor = THPVariable_Unpack(object);
    if (tensor.is_inference()) throw std::runtime_error("a tensor of inference mode counts no versions");
    kept_.push_back(
        {places[static_cast<std::size_t>(i)], object, tensor.detach(), version_of(tensor), data_of(tensor)});
  }
}

bool Weights::are_in(nanobind::tuple values) const {
  const Py_ssize_t count = PyTuple_GET_SIZE(values.ptr());
  return std::all_of(kept_.begin(), kept_.end(), [&](const Kept& kept) {
    if (kept.place >= count) return false;
    PyObject* object = PyTuple_GET_ITEM(values.ptr(), kept.place);
    if (object != kept.object) return false;
    const at::Tensor& tensor = THPVariable_Unpack(object);  // which may be another one than it was
    return version_of(tensor) == kept.version && data_of(tensor) == kept.data;
  });
}

}  // namespace jitney::torch_runtime
