// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "jitney/torch/engine.h"

#include <ATen/ops/from_blob.h>
#include <c10/util/Exception.h>
#include <jitney/registry.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "jitney/torch/device.h"
#include "jitney/torch/dtypes.h"

namespace jitney::torch_runtime {
namespace {

jitney::Engine load(const Record& record) {
  return jitney::Engine::load(std::span<const std::byte>(static_cast<const std::byte*>(record.engine.const_data_ptr()),
                                                         static_cast<std::size_t>(record.engine.numel())));
}

/// What the metadata says of how it computes.
Precision precision_of(const Record& record) {
  const auto metadata = nlohmann::json::parse(record.serialized_metadata);
  const auto found = metadata.find("precision");
  if (found == metadata.end() || *found == "fp32") return Precision::fp32;
  TORCH_CHECK_VALUE(*found == "bf16", "the precision of engine '", record.name, "' must be 'fp32' or 'bf16', found ",
                    found->dump());
  return Precision::bf16;
}

}  // namespace

Engine::Engine(Record record, std::int64_t built)
    : record_(std::move(record)), device_(parse_device(record_.device)), torch_device_(to_torch(device_)) {
  use_torch_allocator(device_);
  SessionOptions options;
  options.device = device_;
  options.precision = precision_of(record_);
  session_ = std::make_shared<Session>(
      built == 0 ? load(record_) : jitney::find_engine(static_cast<std::uint64_t>(built)), options);
  if (record_.allocates_dynamically)
    session_->set_resource_allocation_strategy(ResourceAllocationStrategy::dynamic_allocation);
  record_.engine.reset();
  const jitney::Engine& engine = session_->engine();
  if (record_.name.empty()) record_.name = engine.name();
  inputs_ = bind("input", record_.input_binding_names, engine.inputs());
  outputs_ = bind("output", record_.output_binding_names, engine.outputs());
  record_.input_binding_names.clear();
  for (const Binding& b : inputs_) record_.input_binding_names.push_back(b.name);
  record_.output_binding_names.clear();
  for (const Binding& b : outputs_) record_.output_binding_names.push_back(b.name);
  output_at_.resize(outputs_.size());
  for (std::size_t i = 0; i < outputs_.size(); ++i) output_at_[outputs_[i].index] = i;
  bind_aliases();
  id_ = static_cast<std::int64_t>(register_session(session_, record_.name));
}

Engine::~Engine() {
  // Its end waits for compiles, and what they tell may need a lock that this thread holds: Python's.
  if (session_.use_count() == 1) session_->on_compile_status({});
}

std::vector<Engine::Binding> Engine::bind(const char* role, const std::vector<std::string>& names,
                                          const std::vector<TensorInfo>& infos) const {
  std::vector<Binding> bindings;
  std::vector<bool> seen(infos.size());
  for (std::size_t i = 0; i < (names.empty() ? infos.size() : names.size()); ++i) {
    const std::string& name = names.empty() ? infos[i].name : names[i];
    const auto found = std::find_if(infos.begin(), infos.end(), [&](const auto& info) { return info.name == name; });
    const auto index = static_cast<std::size_t>(found - infos.begin());
    TORCH_CHECK_VALUE(found != infos.end() && !seen[index], role, "_binding_names of engine '", record_.name,
                      "' must name each of its ", role, "s once; '", name, "' is ",
                      found == infos.end() ? "none of them" : "there twice");
    seen[index] = true;
    const auto type = to_scalar_type(found->dtype);
    TORCH_CHECK_VALUE(type.has_value(), role, " '", name, "' of engine '", record_.name, "' is ",
                      to_string(found->dtype), ", which PyTorch has not");
    bindings.push_back({index, name, found->dtype, *type, found->shape.size(), std::nullopt});
  }
  TORCH_CHECK_VALUE(bindings.size() == infos.size(), role, "_binding_names of engine '", record_.name,
                    "' must name each of its ", infos.size(), " ", role, "s once, found ", bindings.size());
  return bindings;
}

void Engine::bind_aliases() {
  const auto metadata = nlohmann::json::parse(record_.serialized_metadata);
  const auto aliases = metadata.find("aliased_io");
  if (aliases == metadata.end()) return;
  const auto find = [](std::vector<Binding>& bindings, const std::string& name) {
    return std::find_if(bindings.begin(), bindings.end(), [&](const Binding& b) { return b.name == name; });
  };
  for (const auto& [output, input] : aliases->items()) {
    const auto to = find(outputs_, output);
    const auto from = find(inputs_, input.is_string() ? input.get<std::string>() : "");
    TORCH_CHECK_VALUE(
        to != outputs_.end() && from != inputs_.end() && to->dtype == from->dtype && to->rank == from->rank,
        "aliased_io of engine '", record_.name, "' must map outputs to inputs of the same dtype and rank; '", output,
        "' is not so");
    TORCH_CHECK_VALUE(!record_.requires_output_allocator && !session_->engine().has_data_dependent_outputs(),
                      "engine '", record_.name,
                      "' has outputs that are written into inputs, and outputs whose shapes follow from data: "
                      "only one of the two is possible");
    to->alias = static_cast<std::size_t>(from - inputs_.begin());
  }
}

std::vector<std::string> Engine::slots() const {
  Record whole = record_;
  whole.engine = serialize();
  whole.allocates_dynamically =
      session_->resource_allocation_strategy() == ResourceAllocationStrategy::dynamic_allocation;
  return to_slots(whole);
}

at::Tensor Engine::serialize() const {
  auto* bytes = new std::vector<std::byte>(session_->engine().serialize());
  return at::from_blob(
      bytes->data(), {static_cast<std::int64_t>(bytes->size())}, [bytes](void*) { delete bytes; }, at::kByte);
}

std::string Engine::describe() const {
  const auto list = [](const std::vector<Binding>& bindings, const std::vector<TensorInfo>& infos) {
    auto all = nlohmann::json::array();
    for (const Binding& b : bindings)
      all.push_back({{"name", b.name}, {"dtype", to_string(b.dtype)}, {"shape", infos[b.index].shape}});
    return all;
  };
  auto aliases = nlohmann::json::object();
  for (const Binding& b : outputs_)
    if (b.alias) aliases[b.name] = inputs_[*b.alias].name;
  return nlohmann::json{{"inputs", list(inputs_, session_->engine().inputs())},
                        {"outputs", list(outputs_, session_->engine().outputs())},
                        {"aliases", aliases}}
      .dump();
}

void Engine::update_runtime_settings(std::int64_t specialization, std::int64_t cuda_graphs,
                                     const std::optional<c10::intrusive_ptr<RuntimeCacheHandle>>& cache) const {
  RuntimeSettings settings;
  settings.dynamic_shapes_kernel_specialization_strategy =
      from_underlying<DynamicShapesKernelSpecializationStrategy>(specialization);
  settings.cuda_graph_strategy = from_underlying<CudaGraphStrategy>(cuda_graphs);
  settings.runtime_cache = cache ? RuntimeCacheSetting((*cache)->cache) : RuntimeCacheSetting::memory();
  session_->update_runtime_settings(settings);
}

std::vector<std::vector<std::int64_t>> Engine::input_shapes() const {
  const std::lock_guard lock(mutex_);
  return last_shapes_;
}

std::string Engine::why_not_capturable(std::int64_t stream) const {
  const auto shapes = input_shapes();
  TORCH_CHECK(shapes.size() == inputs_.size(), "engine '", record_.name,
              "' has not run yet: whether it can be captured depends on its inputs' shapes");
  std::vector<TensorView> views;
  static std::byte nothing{};  // only shapes matter
  for (std::size_t i = 0; i < shapes.size(); ++i)
    views.push_back({&nothing, session_->engine().inputs()[i].dtype, shapes[i], {}, device_});
  std::string why;
  session_->context()->is_monolithic_capturable(views, static_cast<StreamHandle>(stream), &why);
  return why;
}

}  // namespace jitney::torch_runtime
