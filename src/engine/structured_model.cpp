// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "engine/structured_model.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <sstream>
#include <utility>

#include "engine/engine_impl.h"
#include "engine/readable.h"
#include "frontend/onnx/import.h"
#include "passes/lower.h"
#include "util/trace.h"

namespace jitney::engine {
namespace {

/// An input of one integer or boolean.
bool is_scalar(const TensorInfo& info) {
  const bool is_one = info.shape.empty() || info.shape == std::vector<std::string>{"1"};
  return info.kind == ValueKind::tensor && !info.is_optional && is_one &&
         (info.dtype == DType::i64 || info.dtype == DType::i32 || info.dtype == DType::boolean);
}

const char* article(ValueKind kind) {
  return kind == ValueKind::tensor ? "a tensor" : kind == ValueKind::sequence ? "a sequence" : "nothing";
}

std::string wanted(const TensorInfo& info) {
  std::string text = info.kind == ValueKind::sequence ? fmt::format("a sequence of {} tensors", to_string(info.dtype))
                                                      : fmt::format("a tensor of {}", to_string(info.dtype));
  return info.is_optional ? text + ", or nothing" : text;
}

}  // namespace

Expected<std::vector<OutputForm>> output_forms(const std::map<std::string, std::string>& metadata,
                                               std::size_t outputs) {
  std::vector<OutputForm> forms;
  const auto found = metadata.find("sequence_outputs");
  if (found == metadata.end()) return std::vector<OutputForm>(outputs);
  std::istringstream words(found->second);
  std::size_t total = 0;
  for (std::string word; words >> word; total += forms.back().count) {
    OutputForm& form = forms.emplace_back();
    if (word == "-") continue;
    form = {word == "~" ? ValueKind::none : ValueKind::sequence, 0};
    if (word == "~") continue;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), form.count);
    if (error != std::errc() || end != word.data() + word.size() || form.count > outputs)
      return user_error("the engine's sequence_outputs '{}' is damaged", found->second);
  }
  if (total != outputs) return user_error("the engine has {} outputs, not those of '{}'", outputs, found->second);
  return forms;
}

Expected<std::shared_ptr<StructuredModel>> StructuredModel::open(std::span<const std::byte> bytes,
                                                                 std::optional<std::string> base_directory) {
  std::shared_ptr<StructuredModel> made(new StructuredModel);
  JITNEY_TRY(made->declared_, onnx::read_declared(bytes, {}));
  made->bytes_.assign(bytes.begin(), bytes.end());
  made->base_directory_ = std::move(base_directory);
  return made;
}

bool StructuredModel::has_scalars() const {
  return std::any_of(declared_.inputs.begin(), declared_.inputs.end(), is_scalar);
}

Status StructuredModel::check(std::span<const ValueView> inputs) const {
  if (inputs.size() != declared_.inputs.size())
    return user_error("expected {} inputs, found {}", declared_.inputs.size(), inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const TensorInfo& info = declared_.inputs[i];
    const ValueView& given = inputs[i];
    if (given.kind == ValueKind::none ? !info.is_optional : given.kind != info.kind)
      return user_error("input '{}' must be {}, found {}", info.name, wanted(info), article(given.kind));
    if (given.kind == ValueKind::tensor ? given.tensors.size() != 1
                                        : given.kind == ValueKind::none && !given.tensors.empty())
      return user_error("input '{}': {} was given as {} tensors", info.name, article(given.kind), given.tensors.size());
    if (std::ssize(given.tensors) > onnx::kMostItems)
      return user_error("input '{}' is a sequence of {} tensors; at most {} are supported", info.name,
                        given.tensors.size(), onnx::kMostItems);
    for (std::size_t k = 0; k < given.tensors.size(); ++k) {
      const TensorView& tensor = given.tensors[k];
      if (tensor.dtype != info.dtype && given.kind == ValueKind::tensor)
        return user_error("input '{}' must be {}, found {}", info.name, to_string(info.dtype), to_string(tensor.dtype));
      if (tensor.dtype != info.dtype)
        return user_error("input '{}' must be {}, found {} at position {}", info.name, wanted(info),
                          to_string(tensor.dtype), k);
      if (check_readable(tensor, info.name)) continue;
      return check_readable(tensor, given.kind == ValueKind::tensor ? info.name : fmt::format("{}.{}", info.name, k));
    }
    if (is_scalar(info)) {
      const auto rank = given.tensors[0].shape.size();
      const bool is_one = rank == info.shape.size() && (rank == 0 || given.tensors[0].shape[0] == 1);
      if (!is_one) return user_error("input '{}' must have {} element and rank {}", info.name, 1, info.shape.size());
    }
  }
  return {};
}

std::string StructuredModel::key_of(std::span<const ValueView> inputs, bool reads_scalars) const {
  std::string key;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    key += inputs[i].kind == ValueKind::none ? "n" : inputs[i].kind == ValueKind::tensor ? "t" : "s";
    for (const TensorView& tensor : inputs[i].tensors) key += fmt::format("{},", tensor.shape.size());
    if (!reads_scalars || !is_scalar(declared_.inputs[i])) continue;
    const auto* data = static_cast<const unsigned char*>(inputs[i].tensors[0].data);
    for (std::size_t byte = 0; byte < size_of(declared_.inputs[i].dtype); ++byte)
      key += fmt::format("{:02x}", data[byte]);
  }
  return key;
}

Status StructuredModel::check_on_host(std::span<const ValueView> inputs) const {
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (is_scalar(declared_.inputs[i]) && inputs[i].tensors[0].device.type != Device::Type::cpu)
      return user_error("input '{}' decides which tensors there are: it must be in host memory",
                        declared_.inputs[i].name);
  return {};
}

Expected<std::shared_ptr<const StructuredEngine>> StructuredModel::import(std::span<const ValueView> inputs,
                                                                          bool reads_scalars, onnx::Open& open) const {
  const TraceSpan span("load", name());
  onnx::GivenInputs given;
  std::vector<bool> is_a_constant(inputs.size(), false);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const TensorInfo& info = declared_.inputs[i];
    onnx::GivenInput& input = given[info.name];
    input.kind = inputs[i].kind;
    for (const TensorView& tensor : inputs[i].tensors) input.ranks.push_back(tensor.shape.size());
    if (!reads_scalars || !is_scalar(info)) continue;
    const TensorView& scalar = inputs[i].tensors[0];
    Tensor value(scalar.dtype, {scalar.shape.begin(), scalar.shape.end()});
    std::memcpy(value.data(), scalar.data, value.num_bytes());
    if (scalar.dtype == DType::boolean) *value.as<std::uint8_t>() = *value.as<std::uint8_t>() != 0 ? 1 : 0;
    input.value = std::make_shared<const Tensor>(std::move(value));
    is_a_constant[i] = true;
  }
  const onnx::ImportOptions options{.given = &given, .open = &open};
  auto imported = onnx::import_bytes(bytes_, base_directory_, options);
  if (!imported) return tl::unexpected(std::move(imported.error()));
  JITNEY_TRY(auto forms, output_forms(imported->metadata, imported->outputs.size()));
  JITNEY_TRY(ir::Graph graph, passes::optimize(std::move(*imported)));
  return std::make_shared<const StructuredEngine>(Engine(std::make_shared<const EngineImpl>(std::move(graph))),
                                                  std::move(is_a_constant), std::move(forms));
}

std::optional<Expected<std::shared_ptr<const StructuredEngine>>> StructuredModel::make(
    const std::string& key, bool reads_scalars, std::span<const ValueView> inputs) {
  std::optional<Expected<std::shared_ptr<const StructuredEngine>>> result;
  bool needs_scalars = false;
  Dropped dropped;
  const auto finish = [&] {
    const std::lock_guard lock(mutex_);
    if (needs_scalars && !std::exchange(reads_scalars_, true)) {
      // No key is as those before: nobody would find them.
      for (auto& [old, kept] : kept_) dropped.push_back(std::move(kept.engine));
      kept_.clear();
    }
    if (result && *result && reads_scalars == reads_scalars_) {
      if (kept_.size() >= kMostEngines) {
        const auto oldest = std::min_element(kept_.begin(), kept_.end(), [](const auto& a, const auto& b) {
          return a.second.last_use < b.second.last_use;
        });
        dropped.push_back(std::move(oldest->second.engine));
        kept_.erase(oldest);
      }
      kept_[key] = {**result, ++uses_};
    } else if (result && *result) {
      dropped.push_back(**result);  // for those that wait for it, and nobody else
    }
    const auto making = making_.extract(key);
    making.mapped()->result = result;
    making.mapped()->is_done = true;
    for (const auto& engine : dropped) engine->is_dropped = true;
    made_.notify_all();
  };
  try {
    onnx::Open open = onnx::Open::no;
    auto imported = import(inputs, reads_scalars, open);
    needs_scalars = !imported && open == onnx::Open::values && !reads_scalars && has_scalars();
    if (needs_scalars && !check_on_host(inputs)) {
      needs_scalars = false;
      imported = user_error("{}; an input that decides this must be in host memory", imported.error().message);
    }
    if (!needs_scalars) result.emplace(std::move(imported));
  } catch (...) {
    finish();  // the others try for themselves
    throw;
  }
  finish();
  tell(dropped);
  return result;
}

void StructuredModel::tell(const Dropped& dropped) {
  if (dropped.empty()) return;
  std::vector<std::shared_ptr<Listener>> listeners;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& weak : listeners_)
      if (auto listener = weak.lock()) listeners.push_back(std::move(listener));
  }
  for (const auto& listener : listeners)
    for (const auto& engine : dropped) listener->dropped(engine);
}

void StructuredModel::listen(std::weak_ptr<Listener> listener) {
  const std::lock_guard lock(mutex_);
  std::erase_if(listeners_, [](const auto& weak) { return weak.expired(); });
  listeners_.push_back(std::move(listener));
}

Expected<std::shared_ptr<const StructuredEngine>> StructuredModel::engine_for(std::span<const ValueView> inputs) {
  JITNEY_CHECK(check(inputs));
  while (true) {
    std::unique_lock lock(mutex_);
    const bool reads_scalars = reads_scalars_;
    if (reads_scalars) JITNEY_CHECK(check_on_host(inputs));
    const std::string key = key_of(inputs, reads_scalars);
    if (const auto found = kept_.find(key); found != kept_.end()) {
      found->second.last_use = ++uses_;
      return found->second.engine;
    }
    auto& making = making_[key];
    if (making == nullptr) {
      making = std::make_shared<Making>();
      lock.unlock();
      if (auto made = make(key, reads_scalars, inputs)) return std::move(*made);
      continue;
    }
    const auto awaited = making;
    made_.wait(lock, [&] { return awaited->is_done; });
    if (awaited->result) return *awaited->result;
  }
}

}  // namespace jitney::engine
