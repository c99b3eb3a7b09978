// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <nanobind/nanobind.h>

#include <vector>

namespace jitney::torch_runtime {

/// Tensors that became constants of engines, and what they held then. Keeps their memory; the objects are kept by who
/// made this, in Python, whose garbage collector would not see them here. Nothing in it changes after it was made: safe
/// to ask from many threads.
class Weights {
 public:
  /// `places`: where each is among the values of a call. Throws TypeError for what is no tensor, ValueError where there
  /// is not a place for each, and RuntimeError for a tensor that counts no versions (made in inference mode).
  Weights(nanobind::tuple tensors, std::vector<Py_ssize_t> places);

  /// Whether these very objects are among `values`, each at its place, and nobody has written into them: versions are
  /// what they were, and elements where they were. Some nanoseconds for each.
  bool are_in(nanobind::tuple values) const;

 private:
  struct Kept {
    Py_ssize_t place;
    const PyObject* object;  // looked into only where it was found among the values
    at::Tensor memory;  // which nobody else gets while it is looked for, also when the object was given another one
    std::uint32_t version;
    const void* data;
  };

  std::vector<Kept> kept_;
};

}  // namespace jitney::torch_runtime
