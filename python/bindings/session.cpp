// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <jitney/device_tensor.h>
#include <jitney/metrics.h>
#include <jitney/registry.h>
#include <jitney/session.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "bindings/bindings.h"
#include "bindings/callback.h"
#include "bindings/devices.h"
#include "bindings/gil.h"
#include "bindings/interrupt.h"
#include "bindings/settings.h"
#include "bindings/stats.h"
#include "bindings/tensors.h"

namespace jitney::python {
namespace {

namespace nb = nanobind;

void warn_in_python(const std::string& text) {
  if (!nb::is_alive()) return;
  const GilAcquired acquired;
  constexpr int kCallersLevel = 3;
  if (PyErr_WarnEx(PyExc_UserWarning, text.c_str(), kCallersLevel) != 0) throw nb::python_error();
}

/// A jitney::Session with what Python needs around it. Its own fields are read and written with the GIL only.
class Session {
 public:
  Session(const Engine& engine, SessionOptions options, const RuntimeSettings& settings)
      : device_(options.device), engine_(engine) {
    options.warn = warn_in_python;
    options.interrupted = signal_is_pending;
    GilReleased released;
    session_ = std::make_shared<jitney::Session>(engine, std::move(options), settings);
  }
  /// One that another part of this process has made.
  explicit Session(std::shared_ptr<jitney::Session> session)
      : device_(session->options().device), engine_(session->engine()), session_(std::move(session)) {}
  ~Session() { close(); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Runs that are under way go on.
  void close() {
    auto ended = std::move(session_);
    if (!ended) return;
    GilReleased released;  // its end waits for compiles that may want to tell Python of themselves
    ended.reset();
  }

  /// `arrays`: one for each input, in order. Without `outputs` gives new arrays: numpy's, unless the device has memory
  /// of its own and an input lay there; then objects with __dlpack__. With a stream, which needs outputs, the call does
  /// not wait for it.
  nb::list run(const nb::sequence& arrays, const nb::object& outputs, std::optional<StreamHandle> stream) {
    const Held session = held();
    std::vector<Borrowed> in = borrow(arrays, engine_.inputs(), "input", false);
    std::vector<TensorView> views = views_of(in);
    remember(views);
    const bool host_device = device_.type != Device::Type::cuda;
    std::vector<DeviceTensor> uploaded;
    const bool any_there = std::any_of(views.begin(), views.end(),
                                       [](const TensorView& v) { return v.device.type == Device::Type::cuda; });
    nb::list result;
    if (!outputs.is_none()) {
      std::vector<Borrowed> out = borrow(nb::cast<nb::sequence>(outputs), engine_.outputs(), "output", true);
      const std::vector<TensorView> to = views_of(out);
      without_gil([&] { stream ? session->execute(views, to, *stream) : session->execute(views, to); });
      return result;
    }
    if (host_device) {
      std::vector<Tensor> made;
      without_gil([&] { made = session->execute(views); });
      for (Tensor& tensor : made) result.append(to_numpy(std::move(tensor)));
      return result;
    }
    std::vector<DeviceTensor> made;
    std::vector<Tensor> fetched;
    without_gil([&] {
      const auto context = session->context();
      upload(views, uploaded);
      made.reserve(engine_.outputs().size());
      context->execute(views, [&](std::size_t, DType dtype, std::span<const std::int64_t> shape) {
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

  /// One value for each input, in order: an array, a list or tuple of arrays, None. Gives the same, of numpy's arrays.
  nb::list run_values(const nb::sequence& values) {
    const Held session = held();
    const auto& infos = engine_.inputs();
    if (nb::len(values) != infos.size())
      throw Error(ErrorKind::user,
                  "expected " + std::to_string(infos.size()) + " inputs, found " + std::to_string(nb::len(values)));
    std::vector<std::vector<Borrowed>> borrowed(infos.size());
    std::vector<std::vector<TensorView>> views(infos.size());
    std::vector<ValueView> in;
    for (std::size_t i = 0; i < infos.size(); ++i) {
      const nb::object value = values[i];
      const std::string what = "input '" + infos[i].name + "'";
      const bool is_sequence = nb::isinstance<nb::list>(value) || nb::isinstance<nb::tuple>(value);
      if (is_sequence) {
        borrowed[i].reserve(nb::len(value));  // views point into its elements
        for (const nb::handle item : nb::borrow<nb::sequence>(value))
          borrowed[i].emplace_back(item, what + " at position " + std::to_string(borrowed[i].size()));
      } else if (!value.is_none()) {
        borrowed[i].emplace_back(value, what);
      }
      views[i] = views_of(borrowed[i]);
      in.push_back({is_sequence       ? ValueKind::sequence
                    : value.is_none() ? ValueKind::none
                                      : ValueKind::tensor,
                    views[i]});
    }
    std::vector<Value> made;
    without_gil([&] { made = session->run(in); });
    nb::list result;
    for (Value& value : made) {
      nb::list items;
      for (Tensor& tensor : value.tensors) items.append(to_numpy(std::move(tensor)));
      if (value.kind == ValueKind::sequence) {
        result.append(items);
      } else {
        result.append(value.kind == ValueKind::none ? nb::object(nb::none()) : nb::object(items[0]));
      }
    }
    return result;
  }

  /// (steps, seconds, outside): a step is (name, done_by, seconds, operations).
  nb::tuple profile(const nb::sequence& arrays, int iterations) {
    const Held session = held();
    const std::vector<Borrowed> in = borrow(arrays, engine_.inputs(), "input", false);
    std::vector<TensorView> views = views_of(in);
    std::vector<DeviceTensor> uploaded;
    Profile found;
    without_gil([&] {
      if (device_.type == Device::Type::cuda) upload(views, uploaded);
      found = session->context()->profile(views, iterations);
    });
    nb::list steps;
    for (const StepProfile& s : found.steps) steps.append(nb::make_tuple(s.name, s.done_by, s.seconds, s.operations));
    return nb::make_tuple(steps, found.seconds, found.outside);
  }

  /// `work` on the session, without the GIL.
  template <class Work>
  auto with(const Work& work) const {
    const Held session = held();
    std::optional<decltype(work(*session))> result;
    without_gil([&] { result.emplace(work(*session)); });
    return std::move(*result);
  }
  template <class Work>
  void act(const Work& work) const {
    (void)with([&](jitney::Session& session) { return work(session), 0; });
  }

  /// Of the outputs, for inputs like these. Throws Error where they follow from data.
  std::vector<std::vector<std::int64_t>> output_shapes(const nb::sequence& arrays) const {
    const Held session = held();
    const std::vector<Borrowed> in = borrow(arrays, engine_.inputs(), "input", false);
    return session->output_shapes(views_of(in));
  }

  /// Why a run with inputs like the last one's cannot be recorded on that stream; "" when it can, None before any run.
  nb::object why_not_capturable(StreamHandle stream) const {
    const Held session = held();
    if (input_shapes_.size() != engine_.inputs().size()) return nb::none();
    static std::byte nothing{};  // only shapes matter
    std::vector<TensorView> views;
    for (std::size_t i = 0; i < input_shapes_.size(); ++i)
      views.push_back({&nothing, engine_.inputs()[i].dtype, input_shapes_[i], {}, device_});
    std::string why;
    without_gil([&] { session->context()->is_monolithic_capturable(views, stream, &why); });
    return nb::cast(why);
  }

  std::uint64_t make_known(std::string name) const { return register_session(session_, std::move(name)); }
  const Engine& engine() const { return engine_; }
  Device device() const { return device_; }

  bool is_closed() const { return session_ == nullptr; }
  const std::vector<std::vector<std::int64_t>>& input_shapes() const { return input_shapes_; }

 private:
  /// The session for one call. If it is closed meanwhile, its end is here.
  class Held {
   public:
    explicit Held(std::shared_ptr<jitney::Session> session) : session_(std::move(session)) {}
    ~Held() {
      if (session_.use_count() != 1) return;
      GilReleased released;
      session_.reset();
    }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;
    jitney::Session& operator*() const { return *session_; }
    jitney::Session* operator->() const { return session_.get(); }

   private:
    std::shared_ptr<jitney::Session> session_;
  };

  Held held() const {
    if (!session_) throw Error(ErrorKind::user, "engine '" + engine_.name() + "' is closed");
    return Held(session_);
  }

  void remember(const std::vector<TensorView>& views) {
    input_shapes_.resize(views.size());
    for (std::size_t i = 0; i < views.size(); ++i)
      input_shapes_[i].assign(views[i].shape.begin(), views[i].shape.end());
  }

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

  Device device_;
  Engine engine_;
  std::shared_ptr<jitney::Session> session_;
  std::vector<std::vector<std::int64_t>> input_shapes_;
};

using Shapes = std::vector<std::vector<std::int64_t>>;

SessionOptions make_options(const std::string& device, int threads, int precision, int denormals,
                            std::optional<int> tactics) {
  SessionOptions options{.device = parse_device(device),
                         .threads = threads,
                         .precision = static_cast<Precision>(precision),
                         .denormals = static_cast<Denormals>(denormals)};
  if (tactics) options.tactics = static_cast<Tactics>(*tactics);
  return options;
}

/// None where a setting is not overridden; `cache` is a tuple of one, so that None can be said for memory.
RuntimeSettingsOverrides make_overrides(std::optional<std::int64_t> specialization, std::optional<std::int64_t> graphs,
                                        const std::optional<nb::tuple>& cache) {
  RuntimeSettingsOverrides o;
  if (specialization)
    o.dynamic_shapes_kernel_specialization_strategy =
        from_underlying<DynamicShapesKernelSpecializationStrategy>(*specialization);
  if (graphs) o.cuda_graph_strategy = from_underlying<CudaGraphStrategy>(*graphs);
  if (cache) o.runtime_cache = cache_setting_from((*cache)[0]);
  return o;
}

/// Of their own function, so that the stub's checker finds them in one place.
void bind_settings_of(nb::class_<Session>& type) {
  type.def("runtime_settings",
           [](const Session& s) {
             return settings_to(s.with([](jitney::Session& session) { return session.runtime_settings(); }));
           })
      .def("update_runtime_settings",
           [](Session& s, const nb::tuple& fields) {
             const RuntimeSettings settings = settings_from(fields);
             return s.with([&](jitney::Session& session) { return session.update_runtime_settings(settings); });
           })
      .def(
          "add_overrides",
          [](Session& s, std::optional<std::int64_t> specialization, std::optional<std::int64_t> graphs,
             const std::optional<nb::tuple>& cache) {
            const auto overrides = make_overrides(specialization, graphs, cache);
            return s.with([&](jitney::Session& session) { return session.add_overrides(overrides); });
          },
          nb::arg("specialization").none(), nb::arg("graphs").none(), nb::arg("cache").none())
      .def("remove_overrides",
           [](Session& s, std::uint64_t id) { s.act([&](jitney::Session& session) { session.remove_overrides(id); }); })
      .def("runtime_cache",
           [](const Session& s) { return s.with([](jitney::Session& session) { return session.runtime_cache(); }); })
      .def("set_optimization_profile",
           [](Session& s, int profile) {
             s.act([&](jitney::Session& session) { session.set_optimization_profile(profile); });
           })
      .def("optimization_profile",
           [](const Session& s) {
             return s.with([](jitney::Session& session) { return session.optimization_profile(); });
           })
      .def("add_optimization_profile",
           [](Session& s, int profile) {
             return s.with([&](jitney::Session& session) { return session.add_optimization_profile(profile); });
           })
      .def("remove_optimization_profile",
           [](Session& s, std::uint64_t id) {
             s.act([&](jitney::Session& session) { session.remove_optimization_profile(id); });
           })
      .def("add_dynamic_allocation",
           [](Session& s, bool is_dynamic) {
             return s.with([&](jitney::Session& session) {
               return session.add_resource_allocation_strategy(is_dynamic
                                                                   ? ResourceAllocationStrategy::dynamic_allocation
                                                                   : ResourceAllocationStrategy::static_allocation);
             });
           })
      .def("remove_dynamic_allocation",
           [](Session& s, std::uint64_t id) {
             s.act([&](jitney::Session& session) { session.remove_resource_allocation_strategy(id); });
           })
      .def("is_dynamic_allocation",
           [](const Session& s) {
             return s.with([](jitney::Session& session) {
               return session.resource_allocation_strategy() == ResourceAllocationStrategy::dynamic_allocation;
             });
           })
      .def("set_dynamic_allocation",
           [](Session& s, bool is_dynamic) {
             s.act([&](jitney::Session& session) {
               session.set_resource_allocation_strategy(is_dynamic ? ResourceAllocationStrategy::dynamic_allocation
                                                                   : ResourceAllocationStrategy::static_allocation);
             });
           })
      .def("streamable_weight_bytes",
           [](const Session& s) {
             return s.with([](jitney::Session& session) { return session.streamable_weight_bytes(); });
           })
      .def("weight_budget",
           [](const Session& s) { return s.with([](jitney::Session& session) { return session.weight_budget(); }); })
      .def("set_weight_budget",
           [](Session& s, std::int64_t bytes) {
             s.act([&](jitney::Session& session) { session.set_weight_budget(bytes); });
           })
      .def("automatic_weight_budget",
           [](const Session& s) {
             return s.with([](jitney::Session& session) { return session.automatic_weight_budget(); });
           })
      .def("has_context",
           [](const Session& s) { return s.with([](jitney::Session& session) { return session.has_context(); }); })
      .def("invalidate_context",
           [](Session& s) { s.act([](jitney::Session& session) { session.invalidate_context(); }); })
      .def("num_execution_contexts_created",
           [](const Session& s) {
             return s.with([](jitney::Session& session) { return session.num_execution_contexts_created(); });
           })
      .def("make_context", [](Session& s) { s.act([](jitney::Session& session) { session.context(); }); });
}

void bind_compiling_of(nb::class_<Session>& type) {
  type.def("prepare", [](Session& s) { s.act([](jitney::Session& session) { session.context()->prepare(); }); })
      .def("warm",
           [](Session& s, const std::vector<Shapes>& shapes) {
             s.act([&](jitney::Session& session) { session.warm(shapes); });
           })
      .def("wait_until_specialized",
           [](Session& s, double timeout) {
             return s.with([&](jitney::Session& session) { return session.wait_until_specialized(timeout); });
           })
      .def("compile_status",
           [](const Session& s) {
             return to_dict(s.with([](jitney::Session& session) { return session.compile_status(); }));
           })
      .def("cancel_specialization",
           [](Session& s) { s.act([](jitney::Session& session) { session.cancel_specialization(); }); })
      .def(
          "on_compile_status",
          [](Session& s, const nb::object& function) {
            std::function<void(const CompileStatus&)> callback;
            if (!function.is_none())
              callback = [call = Callback(function)](const CompileStatus& status) {
                call([&] { return nb::make_tuple(to_dict(status)); });
              };
            s.act([&](jitney::Session& session) { session.on_compile_status(std::move(callback)); });
          },
          nb::arg("callback").none());
}

}  // namespace

void bind_session(nb::module_& module) {
  set_warning_sink(warn_in_python);
  module.def("check_device", [](const std::string& text) { return to_string(parse_device(text)); });
  nb::class_<Session> type(module, "Session");
  type.def(
          "__init__",
          [](Session* self, const Engine& engine, const std::string& device, int threads, int precision, int denormals,
             std::optional<int> tactics, const nb::tuple& settings) {
            new (self)
                Session(engine, make_options(device, threads, precision, denormals, tactics), settings_from(settings));
          },
          nb::arg("engine"), nb::arg("device"), nb::arg("threads"), nb::arg("precision"), nb::arg("denormals"),
          nb::arg("tactics").none(), nb::arg("settings"))
      .def("run", &Session::run, nb::arg("inputs"), nb::arg("outputs").none(), nb::arg("stream").none() = nb::none())
      .def("run_values", &Session::run_values, nb::arg("inputs"))
      .def("output_shapes", &Session::output_shapes)
      .def("why_not_capturable", &Session::why_not_capturable)
      .def("engine", &Session::engine)
      .def("device", [](const Session& s) { return to_string(s.device()); })
      .def("register", &Session::make_known)
      .def("profile", &Session::profile)
      .def("inspect",
           [](const Session& s, bool source) {
             return s.with([&](jitney::Session& session) { return session.inspect(source); });
           })
      .def("layer_info",
           [](const Session& s, const Shapes& shapes) {
             return s.with([&](jitney::Session& session) { return session.layer_info(shapes); });
           })
      .def("stats",
           [](const Session& s) { return to_dict(s.with([](jitney::Session& session) { return session.stats(); })); })
      .def("metrics",
           [](const Session& s, const Metric::Labels& labels) {
             return s.with([&](jitney::Session& session) { return metrics(session, labels); });
           })
      .def("input_shapes",
           [](const Session& s) {
             nb::list shapes;
             for (const auto& shape : s.input_shapes()) shapes.append(nb::tuple(nb::cast(shape)));
             return shapes;
           })
      .def("close", &Session::close)
      .def("is_closed", &Session::is_closed);
  module.def("registered_sessions", [](const std::string& name) {
    std::vector<std::pair<std::uint64_t, std::string>> found;
    for (const auto& each : registered_sessions(name)) found.emplace_back(each.id, each.name);
    return found;
  });
  module.def(
      "find_session",
      [](std::uint64_t id) -> Session* {
        auto found = find_session(id);
        return found ? new Session(std::move(found)) : nullptr;
      },
      nb::rv_policy::take_ownership);
  bind_settings_of(type);
  bind_compiling_of(type);
}

}  // namespace jitney::python
