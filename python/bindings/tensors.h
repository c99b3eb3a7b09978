// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/device_tensor.h>
#include <jitney/tensor.h>
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <string>
#include <vector>

namespace jitney::python {

/// Somebody else's array as a view, without a copy: anything with __dlpack__ or the buffer protocol, and numpy's
/// arrays of ml_dtypes' types. Keeps its memory alive. Needs the GIL to be made and destroyed.
class Borrowed {
 public:
  /// Throws nanobind::type_error that names `what` ("input 'x'") for something that is no array or has a type that no
  /// tensor has; ValueError for one that must be writable and is not.
  Borrowed(nanobind::handle object, const std::string& what, bool writable = false);
  const TensorView& view() const { return view_; }

 private:
  nanobind::ndarray<> writable_;
  nanobind::ndarray<nanobind::ro> array_;
  std::vector<std::int64_t> shape_, strides_;
  TensorView view_;
};

/// Its elements row-major, in memory of their own. Of a view of host memory.
Tensor contiguous(const TensorView& view);

/// A numpy array over the tensor's own memory. bfloat16 comes as its bits in uint16: numpy has no such type.
nanobind::object to_numpy(Tensor tensor);

/// An object with __dlpack__ over the tensor's own memory on its device.
nanobind::object to_dlpack(DeviceTensor tensor);

}  // namespace jitney::python
