// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <jitney/engine.h>
#include <jitney/registry.h>
#include <jitney/runtime_cache.h>
#include <jitney/tensor.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <cstring>
#include <map>
#include <memory>
#include <utility>

#include "bindings/bindings.h"
#include "bindings/file_paths.h"
#include "bindings/gil.h"
#include "bindings/tensors.h"

namespace jitney::python {
namespace {

namespace nb = nanobind;

Engine load_bytes(const nb::bytes& bytes, bool trust_precompiled) {
  const std::span<const std::byte> span(static_cast<const std::byte*>(bytes.data()), bytes.size());
  GilReleased released;  // the caller holds a reference to the bytes
  return Engine::load(span, {.trust_precompiled = trust_precompiled});
}

/// Keeps an array until nobody needs its bytes, whichever thread that is in.
std::shared_ptr<void> kept(std::unique_ptr<Borrowed> array) {
  void* data = array->view().data;
  return {data, [array = array.release()](void*) {
            if (!nb::is_alive()) return;  // the interpreter is gone, and its objects with it
            const GilAcquired acquired;
            delete array;
          }};
}

/// {name: array}: contiguous host memory. Copied with `owns`, so that writes into it do not reach the engine; what
/// several names share is shared by the copies.
Engine build(const nb::bytes& model, const nb::dict& weights, bool owns,
             const std::map<std::string, std::pair<std::int64_t, std::int64_t>>& extents) {
  std::map<std::string, Tensor> tensors;
  std::map<std::pair<const void*, std::size_t>, Tensor> copies;
  for (const auto& [key, value] : weights) {
    const auto name = nb::cast<std::string>(key);
    auto array = std::make_unique<Borrowed>(value, "weight '" + name + "'");
    const TensorView view = array->view();
    if (view.device.type != Device::Type::cpu)
      throw Error(ErrorKind::user, "weight '" + name + "' lies on " + to_string(view.device) + ", not on the host");
    std::int64_t step = 1;
    for (std::size_t d = view.shape.size(); d-- > 0; step *= view.shape[d])
      if (view.shape[d] > 1 && view.strides[d] != step)
        throw Error(ErrorKind::user, "weight '" + name + "' must be contiguous");
    std::vector<std::int64_t> shape(view.shape.begin(), view.shape.end());
    const bool is_aligned = reinterpret_cast<std::uintptr_t>(view.data) % size_of(view.dtype) == 0;
    if (is_aligned && !owns && view.dtype != DType::boolean && step > 0) {
      tensors.emplace(name, Tensor(view.dtype, std::move(shape), kept(std::move(array))));
      continue;
    }
    const std::pair<const void*, std::size_t> from{view.data, static_cast<std::size_t>(step) * size_of(view.dtype)};
    if (const auto known = copies.find(from);
        known != copies.end() && known->second.dtype() == view.dtype && known->second.shape() == shape) {
      tensors.emplace(name, known->second);
      continue;
    }
    Tensor copy(view.dtype, std::move(shape));
    std::memcpy(copy.data(), view.data, copy.num_bytes());
    // Elsewhere any other byte than 0 is true.
    if (view.dtype == DType::boolean)
      for (std::int64_t i = 0; i < copy.num_elements(); ++i) copy.as<bool>()[i] = copy.as<std::uint8_t>()[i] != 0;
    copies.insert_or_assign(from, copy);
    tensors.emplace(name, std::move(copy));
  }
  const std::span<const std::byte> span(static_cast<const std::byte*>(model.data()), model.size());
  GilReleased released;
  return Engine::build(span, tensors, extents);
}

Engine load_path(nb::handle where, bool trust_precompiled) {
  const std::string path = file_path(where);
  GilReleased released;
  return Engine::load(path, {.trust_precompiled = trust_precompiled});
}

/// (name, dtype, shape, kind, is_optional) of each: extents that are numbers are int, expressions are str.
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
    result.append(nb::make_tuple(text(info.name), std::string(to_string(info.dtype)), nb::tuple(shape),
                                 info.kind == ValueKind::sequence ? "sequence" : "tensor", info.is_optional));
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
  GilReleased released;
  return engine.with_profiles(std::move(made));
}

nb::bytes serialize(const Engine& engine) {
  std::vector<std::byte> bytes;
  {
    GilReleased released;
    bytes = engine.serialize();
  }
  return nb::bytes(bytes.data(), bytes.size());
}

void save(const Engine& engine, nb::handle where) {
  const std::string path = file_path(where);
  GilReleased released;
  engine.save(path);
}

Engine with_precompiled(const Engine& engine, const std::shared_ptr<RuntimeCache>& cache) {
  GilReleased released;
  return engine.with_precompiled(*cache);
}

}  // namespace

void bind_engine(nb::module_& module) {
  nb::class_<Engine>(module, "Engine")
      .def_static("load_path", &load_path, nb::arg("path"), nb::arg("trust_precompiled") = false)
      .def_static("load_bytes", &load_bytes, nb::arg("bytes"), nb::arg("trust_precompiled") = false)
      .def_static("build", &build, nb::arg("model"), nb::arg("weights"), nb::arg("owns") = false,
                  nb::arg("extents") = std::map<std::string, std::pair<std::int64_t, std::int64_t>>{})
      .def("register", [](const Engine& engine) { return register_engine(engine); })
      .def("serialize", &serialize)
      .def("save", &save)
      .def("with_precompiled", &with_precompiled)
      .def_prop_ro("precompiled", &Engine::precompiled)
      .def_prop_ro("has_data_dependent_outputs", &Engine::has_data_dependent_outputs)
      .def_prop_ro("is_structured", &Engine::is_structured)
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
