// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nanobind/nanobind.h>

#include <memory>

#include "bindings/gil.h"

namespace jitney::python {

/// Something of Python's that C++ may call, keep and drop in any thread.
class Callback {
 public:
  /// With the GIL.
  explicit Callback(nanobind::object function)
      : function_(new nanobind::object(std::move(function)), [](nanobind::object* kept) {
          // Of an interpreter that has ended nothing can be given back.
          if (Py_IsInitialized() == 0) return;
          const GilAcquired acquired;
          delete kept;
        }) {}

  /// Without the GIL. `arguments` makes a tuple, with it. What the function raises is told as unraisable.
  template <class Arguments>
  void operator()(const Arguments& arguments) const {
    if (Py_IsInitialized() == 0) return;
    const GilAcquired acquired;
    try {
      (*function_)(*nanobind::tuple(arguments()));
    } catch (nanobind::python_error& error) {
      error.restore();
      PyErr_WriteUnraisable(function_->ptr());
    }
  }

 private:
  std::shared_ptr<nanobind::object> function_;
};

}  // namespace jitney::python
