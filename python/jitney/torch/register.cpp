// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Names of torch.classes.jitney and torch.ops.jitney; nothing else.

#include <ATen/ops/empty.h>
#include <jitney/cudagraphs_mode.h>
#include <jitney/logging.h>
#include <torch/library.h>

#include "jitney/torch/cache_handle.h"
#include "jitney/torch/engine.h"
#include "jitney/torch/hand_over.h"
#include "jitney/torch/record.h"

namespace jitney::torch_runtime {
namespace {

using Handle = c10::intrusive_ptr<RuntimeCacheHandle>;
using EnginePtr = c10::intrusive_ptr<Engine>;

std::vector<at::Tensor> execute_engine(const std::vector<at::Tensor>& inputs, const EnginePtr& engine) {
  return engine->execute(inputs);
}

void register_cache(torch::Library& m) {
  m.class_<RuntimeCacheHandle>("RuntimeCacheHandle")
      .def(torch::init<std::string>(), "", {torch::arg("path") = ""})
      .def_static("find", &RuntimeCacheHandle::find)
      .def_property("path", [](const Handle& h) { return h->cache->path(); })
      .def("serialize", &RuntimeCacheHandle::serialize)
      .def("deserialize", &RuntimeCacheHandle::deserialize)
      .def("has_cache", [](const Handle& h) { return h->cache->has_cache(); })
      .def("load", [](const Handle& h, const std::optional<std::string>& path) { h->cache->load(path); }, "",
           {torch::arg("path") = std::nullopt})
      .def("save", [](const Handle& h, const std::optional<std::string>& path) { h->cache->save(path); }, "",
           {torch::arg("path") = std::nullopt})
      .def("id", &RuntimeCacheHandle::id)
      .def("__eq__", [](const Handle& a, const Handle& b) { return a->cache == b->cache; })
      .def_pickle([](const Handle& h) { return std::tuple(h->cache->path(), h->serialize()); },
                  [](const std::tuple<std::string, at::Tensor>& state) {
                    auto handle = c10::make_intrusive<RuntimeCacheHandle>(std::get<0>(state));
                    handle->deserialize(std::get<1>(state));
                    return handle;
                  });
}

void register_engine(torch::Library& m) {
  m.class_<Engine>("Engine")
      .def(torch::init([](const std::vector<std::string>& slots, const std::optional<at::Tensor>& engine) {
             return c10::make_intrusive<Engine>(parse_record(slots, engine.value_or(at::Tensor())));
           }),
           "", {torch::arg("slots"), torch::arg("engine") = std::nullopt})
      .def_static("of_built",
                  [](const std::vector<std::string>& slots, std::int64_t number) {
                    // Its bytes are nowhere; what is read in their place is nothing.
                    return c10::make_intrusive<Engine>(parse_record(slots, at::empty({0}, at::kByte)), number);
                  })
      .def("tracing_mode", [](const EnginePtr&) { return std::string("real"); })
      .def("__eq__", [](const EnginePtr& a, const EnginePtr& b) { return *a == *b; })
      .def("slots", [](const EnginePtr& e) { return e->slots(); })
      .def("serialize", [](const EnginePtr& e) { return e->serialize(); })
      .def("describe", [](const EnginePtr& e) { return e->describe(); })
      .def("id", [](const EnginePtr& e) { return e->id(); })
      .def("hand_over", &hand_over)
      .def_property("name", [](const EnginePtr& e) { return e->record().name; })
      .def_property("device", [](const EnginePtr& e) { return e->record().device; })
      .def_property("input_binding_names", [](const EnginePtr& e) { return e->record().input_binding_names; })
      .def_property("output_binding_names", [](const EnginePtr& e) { return e->record().output_binding_names; })
      .def("get_serialized_metadata", [](const EnginePtr& e) { return e->record().serialized_metadata; })
      .def_property(
          "use_pre_allocated_outputs", [](const EnginePtr& e) { return e->use_pre_allocated_outputs.load(); },
          [](const EnginePtr& e, bool on) { e->use_pre_allocated_outputs = on; })
      .def("update_runtime_settings",
           [](const EnginePtr& e, std::int64_t specialization, std::int64_t cuda_graphs,
              const std::optional<Handle>& cache) { e->update_runtime_settings(specialization, cuda_graphs, cache); })
      .def("runtime_settings", [](const EnginePtr& e) { return to_string(e->session().runtime_settings()); })
      .def("has_context", [](const EnginePtr& e) { return e->session().has_context(); })
      .def("invalidate_context", [](const EnginePtr& e) { e->session().invalidate_context(); })
      .def("num_execution_contexts_created",
           [](const EnginePtr& e) { return std::int64_t{e->session().num_execution_contexts_created()}; })
      .def("input_shapes", [](const EnginePtr& e) { return e->input_shapes(); })
      .def("why_not_capturable", [](const EnginePtr& e, std::int64_t stream) { return e->why_not_capturable(stream); })
      .def("is_monolithic_capturable",
           [](const EnginePtr& e, std::int64_t stream) { return e->why_not_capturable(stream).empty(); })
      .def_pickle(
          [](const EnginePtr& e) { return e->slots(); },
          [](const std::vector<std::string>& slots) { return c10::make_intrusive<Engine>(parse_record(slots)); });
}

void register_constants(torch::Library& m) {
  const auto index = [&m](const char* name, Slot slot) {
    m.def(name, [slot]() { return static_cast<std::int64_t>(slot); });
  };
  index("ABI_TARGET_IDX", Slot::abi_target);
  index("NAME_IDX", Slot::name);
  index("DEVICE_IDX", Slot::device);
  index("ENGINE_IDX", Slot::engine);
  index("INPUT_BINDING_NAMES_IDX", Slot::input_binding_names);
  index("OUTPUT_BINDING_NAMES_IDX", Slot::output_binding_names);
  index("HW_COMPATIBLE_IDX", Slot::hw_compatible);
  index("SERIALIZED_METADATA_IDX", Slot::serialized_metadata);
  index("TARGET_PLATFORM_IDX", Slot::target_platform);
  index("REQUIRES_OUTPUT_ALLOCATOR_IDX", Slot::requires_output_allocator);
  index("RESOURCE_ALLOCATION_STRATEGY_IDX", Slot::resource_allocation_strategy);
  index("REQUIRES_NATIVE_MULTIDEVICE_IDX", Slot::requires_native_multidevice);
  m.def("SERIALIZATION_LEN", []() { return kRecordLength; });
  m.def("ABI_VERSION", []() { return std::string(kAbiTarget); });
  m.def("get_current_platform", &current_platform);
}

void register_modes(torch::Library& m) {
  m.def("set_cudagraphs_mode", [](std::int64_t mode) {
    TORCH_CHECK_VALUE(mode >= 0 && mode <= 2, "a CUDA graphs mode is 0, 1 or 2, found ", mode);
    set_cudagraphs_mode(static_cast<CudaGraphsMode>(mode));
  });
  m.def("get_cudagraphs_mode", []() { return cudagraphs_mode() == CudaGraphsMode::subgraph_cudagraphs; });
  m.def("get_whole_cudagraphs_mode", []() { return cudagraphs_mode() == CudaGraphsMode::whole_graph_cudagraphs; });
  m.def("set_logging_level", [](std::int64_t level) {
    TORCH_CHECK_VALUE(level >= 0 && level <= 4, "a log level is from 0 to 4, found ", level);
    set_log_level(static_cast<LogLevel>(level));
  });
  m.def("get_logging_level", []() { return static_cast<std::int64_t>(log_level()); });
}

TORCH_LIBRARY(jitney, m) {
  register_cache(m);
  register_engine(m);
  register_constants(m);
  register_modes(m);
  m.def("execute_engine(Tensor[] inputs, __torch__.torch.classes.jitney.Engine engine) -> Tensor[]",
        {at::Tag::pt2_compliant_tag});
}

TORCH_LIBRARY_IMPL(jitney, CompositeExplicitAutograd, m) { m.impl("execute_engine", &execute_engine); }

}  // namespace
}  // namespace jitney::torch_runtime
