// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <jitney/execution_context.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "bindings/bindings.h"
#include "bindings/interrupt.h"
#include "bindings/tensors.h"

namespace jitney::python {
namespace {

namespace nb = nanobind;

Device parse_device(const std::string& text) {
  const auto colon = text.find(':');
  const std::string name = text.substr(0, colon);
  Device device;
  if (name == "cuda") {
    device.type = Device::Type::cuda;
  } else if (name == "null") {
    device.type = Device::Type::null;
  } else if (name != "cpu") {
    throw Error(ErrorKind::user, "there is no device '" + text + "'; 'cpu' and 'cuda:INDEX' are devices");
  }
  if (colon == std::string::npos) return device;
  const std::string index = text.substr(colon + 1);
  if (index.empty() || index.size() > 4 || index.find_first_not_of("0123456789") != std::string::npos)
    throw Error(ErrorKind::user, "there is no device '" + text + "'; an index is a number, as in 'cuda:0'");
  device.index = std::stoi(index);
  return device;
}

ContextOptions make_options(const std::string& device, int threads, const std::string& runtime_cache, int precision,
                            int denormals, int cuda_graph_strategy) {
  return {.device = parse_device(device),
          .threads = threads,
          .runtime_cache = runtime_cache,
          .precision = static_cast<Precision>(precision),
          .denormals = static_cast<Denormals>(denormals),
          .cuda_graph_strategy = static_cast<CudaGraphStrategy>(cuda_graph_strategy),
          .interrupted = signal_is_pending};
}

/// An ExecutionContext with what Python needs around it. Thread-safe as that is.
class Context {
 public:
  Context(const Engine& engine, ContextOptions options) : device_(options.device), engine_(engine) {
    nb::gil_scoped_release released;
    context_.emplace(engine, std::move(options));
  }

  /// `arrays`: one for each input, in order. Without `outputs` gives new arrays: numpy's, unless the device has memory
  /// of its own and an input lay there; then objects with __dlpack__.
  nb::list run(const nb::sequence& arrays, const nb::object& outputs) {
    std::vector<Borrowed> in = borrow(arrays, engine_.inputs(), "input", false);
    std::vector<TensorView> views = views_of(in);
    const bool host_device = device_.type != Device::Type::cuda;
    std::vector<DeviceTensor> uploaded;
    const bool any_there = std::any_of(views.begin(), views.end(),
                                       [](const TensorView& v) { return v.device.type == Device::Type::cuda; });
    nb::list result;
    if (!outputs.is_none()) {
      std::vector<Borrowed> out = borrow(nb::cast<nb::sequence>(outputs), engine_.outputs(), "output", true);
      const std::vector<TensorView> to = views_of(out);
      without_gil([&] { context_->execute(views, to); });
      return result;
    }
    if (host_device) {
      std::vector<Tensor> made;
      without_gil([&] { made = context_->execute(views); });
      for (Tensor& tensor : made) result.append(to_numpy(std::move(tensor)));
      return result;
    }
    std::vector<DeviceTensor> made;
    std::vector<Tensor> fetched;
    without_gil([&] {
      upload(views, uploaded);
      made.reserve(engine_.outputs().size());
      context_->execute(views, [&](std::size_t, DType dtype, std::span<const std::int64_t> shape) {
        made.emplace_back(dtype, std::vector<std::int64_t>(shape.begin(), shape.end()), device_);
        return made.back().view().data;
      });
      if (!any_there) {
        for (const DeviceTensor& tensor : made) fetched.push_back(tensor.download());
      }
    });
    for (Tensor& tensor : fetched) result.append(to_numpy(std::move(tensor)));
    if (any_there) {
      for (DeviceTensor& tensor : made) result.append(to_dlpack(std::move(tensor)));
    }
    return result;
  }

  /// (steps, seconds, outside): a step is (name, done_by, seconds, operations).
  nb::tuple profile(const nb::sequence& arrays, int iterations) {
    const std::vector<Borrowed> in = borrow(arrays, engine_.inputs(), "input", false);
    std::vector<TensorView> views = views_of(in);
    std::vector<DeviceTensor> uploaded;
    Profile found;
    without_gil([&] {
      if (device_.type == Device::Type::cuda) upload(views, uploaded);
      found = context_->profile(views, iterations);
    });
    nb::list steps;
    for (const StepProfile& s : found.steps) steps.append(nb::make_tuple(s.name, s.done_by, s.seconds, s.operations));
    return nb::make_tuple(steps, found.seconds, found.outside);
  }

  void prepare() {
    without_gil([&] { context_->prepare(); });
  }
  std::string inspect(bool source) const {
    nb::gil_scoped_release released;
    return context_->inspect(source);
  }
  ContextStats stats() const {
    nb::gil_scoped_release released;
    return context_->stats();
  }

 private:
  std::vector<Borrowed> borrow(const nb::sequence& arrays, const std::vector<TensorInfo>& infos, const char* role,
                               bool writable) const {
    const std::size_t found = nb::len(arrays);
    if (found != infos.size())
      throw Error(ErrorKind::user,
                  "expected " + std::to_string(infos.size()) + " " + role + "s, found " + std::to_string(found));
    std::vector<Borrowed> result;
    result.reserve(found);  // views point into its elements
    for (std::size_t i = 0; i < found; ++i)
      result.emplace_back(arrays[i], std::string(role) + " '" + infos[i].name + "'", writable);
    return result;
  }

  static std::vector<TensorView> views_of(const std::vector<Borrowed>& borrowed) {
    std::vector<TensorView> views;
    for (const Borrowed& b : borrowed) views.push_back(b.view());
    return views;
  }

  /// Host memory goes to the device; what lies there already stays.
  void upload(std::vector<TensorView>& views, std::vector<DeviceTensor>& uploaded) const {
    uploaded.reserve(views.size());
    for (TensorView& view : views) {
      if (view.device.type != Device::Type::cpu) continue;
      uploaded.emplace_back(contiguous(view), device_);
      view = uploaded.back().view();
    }
  }

  static Tensor contiguous(const TensorView& view) {
    Tensor tensor(view.dtype, {view.shape.begin(), view.shape.end()});
    const std::size_t size = size_of(view.dtype);
    std::vector<std::int64_t> index(view.shape.size(), 0);
    auto* to = static_cast<char*>(tensor.data());
    for (std::int64_t n = tensor.num_elements(); n > 0; --n) {
      std::int64_t offset = 0;
      for (std::size_t d = 0; d < index.size(); ++d) offset += index[d] * view.strides[d];
      const auto* from = static_cast<const char*>(view.data) + offset * static_cast<std::int64_t>(size);
      to = std::copy_n(from, size, to);
      for (std::size_t d = index.size(); d-- > 0;) {
        if (++index[d] < view.shape[d]) break;
        index[d] = 0;
      }
    }
    return tensor;
  }

  Device device_;
  Engine engine_;
  std::optional<ExecutionContext> context_;
};

nb::dict to_dict(const ContextStats& s) {
  nb::dict d;
  d["kernels"] = s.kernels;
  d["library_calls"] = s.library_calls;
  d["distinct_kernels"] = s.distinct_kernels;
  d["compiled"] = s.compiled;
  d["from_cache"] = s.from_cache;
  d["failed"] = s.failed;
  d["interpreted"] = s.interpreted;
  d["interpreted_operators"] = s.interpreted_operators;
  d["plans"] = s.plans;
  d["stages"] = s.stages;
  d["stage_runs"] = s.stage_runs;
  d["hosted_runs"] = s.hosted_runs;
  d["host_copies"] = s.host_copies;
  d["host_copied_bytes"] = s.host_copied_bytes;
  d["workers_started"] = s.workers_started;
  d["compile_seconds"] = s.compile_seconds;
  d["cache_hits"] = s.cache_hits;
  d["cache_published"] = s.cache_published;
  d["cache_misses"] = s.cache_misses;
  d["cache_path"] = s.cache_path;
  d["cache_description"] = s.cache_description;
  d["graphs_captured"] = s.graphs_captured;
  d["graph_replays"] = s.graph_replays;
  d["graph_fallbacks"] = s.graph_fallbacks;
  d["arena_bytes"] = s.arena_bytes;
  d["device_bytes"] = s.device_bytes;
  return d;
}

}  // namespace

void bind_context(nb::module_& module) {
  module.def("check_device", [](const std::string& text) { return to_string(parse_device(text)); });
  nb::class_<Context>(module, "Context")
      .def("__init__",
           [](Context* self, const Engine& engine, const std::string& device, int threads,
              const std::string& runtime_cache, int precision, int denormals, int cuda_graph_strategy) {
             new (self) Context(
                 engine, make_options(device, threads, runtime_cache, precision, denormals, cuda_graph_strategy));
           })
      .def("run", &Context::run, nb::arg("inputs"), nb::arg("outputs").none())
      .def("profile", &Context::profile)
      .def("prepare", &Context::prepare)
      .def("inspect", &Context::inspect)
      .def("stats", [](const Context& c) { return to_dict(c.stats()); });
}

}  // namespace jitney::python
