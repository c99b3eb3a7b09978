// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "jitney/torch/calls/engine_call.h"

#include <ATen/core/LegacyTypeDispatch.h>

#include "jitney/torch/calls/plain.h"
#include "jitney/torch/hand_over.h"

namespace jitney::torch_runtime {

EngineCall::EngineCall(std::int64_t number) : engine_(take_over(number)) {
  if (!engine_) throw nanobind::value_error(("no engine waits under the number " + std::to_string(number)).c_str());
}

nanobind::object EngineCall::call(nanobind::tuple inputs) const {
  const auto count = static_cast<std::size_t>(PyTuple_GET_SIZE(inputs.ptr()));
  if (!is_plain_here()) return nanobind::none();
  std::vector<at::Tensor> given;
  given.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const at::Tensor* tensor = plain_tensor(PyTuple_GET_ITEM(inputs.ptr(), static_cast<Py_ssize_t>(i)));
    // The longer way says that a gradient is lost.
    if (tensor == nullptr || (tensor->requires_grad() && at::GradMode::is_enabled())) return nanobind::none();
    given.push_back(tensor->requires_grad() ? tensor->detach() : *tensor);
  }
  std::vector<at::Tensor> outputs;
  try {
    const nanobind::gil_scoped_release others_run;
    // As in the operator's kernel: no gradients, but what is written into an input is counted as a write.
    const at::AutoDispatchBelowAutograd no_gradients;
    outputs = engine_->execute(given);
  } catch (...) {
    torch::translate_exception_to_python(std::current_exception());
    throw nanobind::python_error();
  }
  auto list = nanobind::steal<nanobind::list>(PyList_New(static_cast<Py_ssize_t>(outputs.size())));
  for (std::size_t i = 0; i < outputs.size(); ++i)
    PyList_SET_ITEM(list.ptr(), static_cast<Py_ssize_t>(i), THPVariable_Wrap(std::move(outputs[i])));
  return list;
}

}  // namespace jitney::torch_runtime
