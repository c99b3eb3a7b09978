// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <jitney/engine.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include "bindings/bindings.h"
#include "bindings/file_paths.h"

namespace jitney::python {
namespace {

namespace nb = nanobind;

Engine load_bytes(const nb::bytes& bytes) {
  const std::span<const std::byte> span(static_cast<const std::byte*>(bytes.data()), bytes.size());
  nb::gil_scoped_release released;  // the caller holds a reference to the bytes
  return Engine::load(span);
}

Engine load_path(nb::handle where) {
  const std::string path = file_path(where);
  nb::gil_scoped_release released;
  return Engine::load(path);
}

/// (name, dtype, shape) of each: extents that are numbers are int, expressions are str.
nb::list describe(const std::vector<TensorInfo>& infos) {
  nb::list result;
  for (const TensorInfo& info : infos) {
    nb::list shape;
    for (const std::string& extent : info.shape) {
      const bool is_number = !extent.empty() && extent.find_first_not_of("0123456789") == std::string::npos;
      if (is_number) {
        shape.append(nb::steal(PyLong_FromString(extent.c_str(), nullptr, 10)));
      } else {
        shape.append(text(extent));
      }
    }
    result.append(nb::make_tuple(text(info.name), std::string(to_string(info.dtype)), nb::tuple(shape)));
  }
  return result;
}

using Range = std::tuple<std::vector<std::int64_t>, std::vector<std::int64_t>, std::vector<std::int64_t>>;

/// (min, opt, max) for each input of each profile.
nb::list profiles(const Engine& engine) {
  const auto shape = [](const std::vector<std::int64_t>& extents) { return nb::tuple(nb::cast(extents)); };
  nb::list result;
  for (const OptimizationProfile& profile : engine.profiles()) {
    nb::list ranges;
    for (const ShapeRange& r : profile.inputs) ranges.append(nb::make_tuple(shape(r.min), shape(r.opt), shape(r.max)));
    result.append(ranges);
  }
  return result;
}

Engine with_profiles(const Engine& engine, const std::vector<std::vector<Range>>& given) {
  std::vector<OptimizationProfile> made;
  for (const auto& profile : given) {
    auto& to = made.emplace_back();
    for (const auto& [min, opt, max] : profile) to.inputs.push_back({min, opt, max});
  }
  nb::gil_scoped_release released;
  return engine.with_profiles(std::move(made));
}

nb::bytes serialize(const Engine& engine) {
  std::vector<std::byte> bytes;
  {
    nb::gil_scoped_release released;
    bytes = engine.serialize();
  }
  return nb::bytes(bytes.data(), bytes.size());
}

void save(const Engine& engine, nb::handle where) {
  const std::string path = file_path(where);
  nb::gil_scoped_release released;
  engine.save(path);
}

}  // namespace

void bind_engine(nb::module_& module) {
  nb::class_<Engine>(module, "Engine")
      .def_static("load_path", &load_path)
      .def_static("load_bytes", &load_bytes)
      .def("serialize", &serialize)
      .def("save", &save)
      .def_prop_ro("has_data_dependent_outputs", &Engine::has_data_dependent_outputs)
      .def_prop_ro("name", [](const Engine& e) { return text(e.name()); })
      .def_prop_ro("inputs", [](const Engine& e) { return describe(e.inputs()); })
      .def_prop_ro("outputs", [](const Engine& e) { return describe(e.outputs()); })
      .def_prop_ro("metadata",
                   [](const Engine& e) {
                     nb::dict result;
                     for (const auto& [key, value] : e.metadata()) result[text(key)] = text(value);
                     return result;
                   })
      .def_prop_ro("profiles", &profiles)
      .def("with_profiles", &with_profiles);
}

}  // namespace jitney::python
