// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <jitney/error.h>

#include <exception>

#include "bindings/bindings.h"
#include "bindings/file_paths.h"

namespace jitney::python {
namespace {

namespace nb = nanobind;

// Borrowed from the module, which lives until the interpreter ends.
PyObject* user_error = nullptr;
PyObject* environment_error = nullptr;
PyObject* internal_error = nullptr;

PyObject* make(nb::module_& module, const char* name, const char* doc, nb::handle first, nb::handle second) {
  const nb::object bases = second.is_valid() ? nb::make_tuple(first, second) : nb::make_tuple(first);
  nb::dict members;
  members["__doc__"] = doc;
  members["__module__"] = "jitney";
  const nb::handle type(reinterpret_cast<PyObject*>(&PyType_Type));
  module.attr(name) = type(name, bases, members);
  return nb::object(module.attr(name)).ptr();
}

void translate(const std::exception_ptr& error, void*) {
  try {
    std::rethrow_exception(error);
  } catch (const Error& e) {
    PyObject* type = e.kind() == ErrorKind::user          ? user_error
                     : e.kind() == ErrorKind::environment ? environment_error
                                                          : internal_error;
    // Names of a model or of files in it may be no text.
    PyErr_SetObject(type, text(e.what()).ptr());
  }
}

}  // namespace

void bind_errors(nb::module_& module) {
  PyObject* base =
      make(module, "Error", "What every error of Jitney is. Its text is one sentence.", PyExc_Exception, {});
  user_error = make(module, "UserError",
                    "A bad model, setting, shape or file: the message says what, where and what is allowed.", base,
                    PyExc_ValueError);
  environment_error = make(module, "EnvironmentError",
                           "No such device, a full disk, no memory, no compiler: the message says what still works.",
                           base, PyExc_RuntimeError);
  internal_error = make(module, "InternalError", "A bug in Jitney: please report it with the message and the model.",
                        base, PyExc_RuntimeError);
  nb::register_exception_translator(translate);
}

}  // namespace jitney::python
