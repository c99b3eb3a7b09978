// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nanobind/nanobind.h>

#include <optional>

namespace jitney::python {

/// A scope of C++ that Python begins by making this, and ends by end() or with the last reference to it.
template <class Guard>
struct Scope {
  std::optional<Guard> guard;
};

/// Binds Scope<Guard> as `name`; `make(guard, argument)` emplaces the guard.
template <class Guard, class Argument, class Make>
void bind_scope(nanobind::module_& module, const char* name, Make make) {
  nanobind::class_<Scope<Guard>>(module, name)
      .def("__init__",
           [make](Scope<Guard>* self, const Argument& argument) {
             new (self) Scope<Guard>();
             make(self->guard, argument);
           })
      .def("end", [](Scope<Guard>& self) { self.guard.reset(); });
}

}  // namespace jitney::python
