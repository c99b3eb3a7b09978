// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <jitney/engine.h>
#include <jitney/runtime_cache.h>

#include <cstring>
#include <filesystem>
#include <new>

#include "cache/precompiled.h"
#include "cache/settings.h"
#include "engine/engine_impl.h"
#include "engine/profiles.h"
#include "engine/structured_model.h"
#include "frontend/onnx/import.h"
#include "passes/lower.h"
#include "util/atomic_file.h"
#include "util/mapped_file.h"
#include "util/trace.h"

namespace jitney {
namespace {

/// Puts "cannot load 'x.onnx': " before a message, unless it names the file already.
template <class T>
Expected<T> about(std::string_view what, const std::string& path, Expected<T> result) {
  if (result) return result;
  Failure failure = std::move(result.error());
  if (path.empty() || failure.message.find("'" + path + "'") == std::string::npos) {
    failure.message = path.empty() ? fmt::format("{}: {}", what, failure.message)
                                   : fmt::format("{} '{}': {}", what, path, failure.message);
  }
  return tl::unexpected(std::move(failure));
}

/// What the standard library and Tensor throw becomes a Failure, so that the caller sees nothing but Error.
template <class F>
auto guarded(F f) -> decltype(f()) {
  try {
    return f();
  } catch (const Error& error) {
    return tl::unexpected(Failure{error.kind(), error.what()});
  } catch (const std::bad_alloc&) {
    return environment_error("no memory is left");
  } catch (const std::exception& error) {
    return internal_error("{}", error.what());
  }
}

using Loaded = std::shared_ptr<const EngineImpl>;

Expected<Loaded> optimize(Expected<ir::Graph> imported) {
  if (!imported) return tl::unexpected(std::move(imported.error()));
  JITNEY_TRY(ir::Graph graph, passes::optimize(std::move(*imported)));
  return std::make_shared<const EngineImpl>(std::move(graph));
}

/// A model that was refused as one graph of tensors, where it can be a graph for each structure of its inputs.
Expected<Loaded> with_structure(Failure refused, onnx::Open open, std::span<const std::byte> bytes,
                                std::optional<std::string> base_directory) {
  if (open == onnx::Open::no || refused.kind != ErrorKind::user) return tl::unexpected(std::move(refused));
  JITNEY_TRY(auto model, engine::StructuredModel::open(bytes, std::move(base_directory)));
  if (open == onnx::Open::values && !model->has_scalars()) return tl::unexpected(std::move(refused));
  return std::make_shared<const EngineImpl>(std::move(model));
}

Expected<Loaded> read_engine(std::span<const std::byte> bytes, const std::shared_ptr<const void>& owner, bool is_mapped,
                             const LoadOptions& options) {
  std::vector<OptimizationProfile> profiles;
  EngineKernels kernels{.pack = {}, .owner = owner, .is_trusted = options.trust_precompiled};
  JITNEY_TRY(ir::Graph graph, engine::deserialize(bytes, owner, is_mapped, &profiles, &kernels.pack));
  if (kernels.pack.empty()) kernels = {};
  return std::make_shared<const EngineImpl>(std::move(graph), std::move(profiles), std::move(kernels));
}

Expected<Loaded> load_file(const std::string& path, const LoadOptions& options) {
  JITNEY_TRY(MappedFile mapped, MappedFile::open(path));
  auto file = std::make_shared<const MappedFile>(std::move(mapped));
  if (engine::is_engine_file(file->bytes())) return read_engine(file->bytes(), file, true, options);
  file.reset();
  onnx::Open open = onnx::Open::no;
  auto made = optimize(onnx::import_file(path, {.open = &open}));
  if (!made && open != onnx::Open::no) {
    JITNEY_TRY(const MappedFile model, MappedFile::open(path));
    return with_structure(made.error(), open, model.bytes(), std::filesystem::path(path).parent_path().string());
  }
  if (!made && made.error().kind == ErrorKind::user && path.ends_with(".jitney")) {
    return user_error("'{}' does not begin like an engine file; read as an ONNX model: {}", path, made.error().message);
  }
  return made;
}

Expected<Loaded> load_bytes(std::span<const std::byte> bytes, const LoadOptions& options) {
  if (!engine::is_engine_file(bytes)) {
    onnx::Open open = onnx::Open::no;
    auto made = optimize(onnx::import_bytes(bytes, std::nullopt, {.open = &open}));
    return made ? std::move(made) : with_structure(made.error(), open, bytes, std::nullopt);
  }
  auto copy = std::make_shared<Tensor>(DType::u8, std::vector<std::int64_t>{static_cast<std::int64_t>(bytes.size())});
  std::memcpy(copy->data(), bytes.data(), bytes.size());
  return read_engine({static_cast<const std::byte*>(copy->data()), bytes.size()}, copy, false, options);
}

/// What an engine cannot do that makes an engine of tensors for each structure.
Status needs_tensors(const EngineImpl& engine, std::string_view what) {
  if (engine.structured() == nullptr) return {};
  return user_error("engine '{}' is of sequences or optionals, and has no {}", engine.graph().name, what);
}

Expected<std::vector<std::byte>> serialized(const EngineImpl& engine) {
  JITNEY_CHECK(needs_tensors(engine, "engine file: load its ONNX model instead"));
  return engine::serialize(engine.graph(), engine.profiles(), engine.kernels().pack);
}

Status save_file(const EngineImpl& engine, const std::string& path) {
  JITNEY_TRY(const std::vector<std::byte> bytes, serialized(engine));
  JITNEY_TRY(AtomicFile file, AtomicFile::create(path, {.durable = true}));
  JITNEY_CHECK(file.write(bytes));
  return file.commit();
}

}  // namespace

Engine Engine::load(const std::string& path, const LoadOptions& options) {
  trace_from_environment();
  const TraceSpan span("load", path);
  return Engine(value_or_throw(about("cannot load", path, guarded([&] { return load_file(path, options); }))));
}

Engine Engine::load(std::span<const std::byte> bytes, const LoadOptions& options) {
  trace_from_environment();
  const TraceSpan span("load", "from memory");
  return Engine(value_or_throw(
      about("cannot load a model from memory", "", guarded([&] { return load_bytes(bytes, options); }))));
}

Engine Engine::build(std::span<const std::byte> model, const std::map<std::string, Tensor>& weights,
                     const std::map<std::string, std::pair<std::int64_t, std::int64_t>>& extents) {
  trace_from_environment();
  const TraceSpan span("load", "from memory");
  const onnx::ImportOptions options{.weights = &weights, .has_expressions = true, .extents = extents};
  return Engine(value_or_throw(about("cannot build a model from memory", "", guarded([&] {
                                       return optimize(onnx::import_bytes(model, std::nullopt, options));
                                     }))));
}

std::vector<std::byte> Engine::serialize() const {
  return value_or_throw(about("cannot serialize", name(), guarded([&] { return serialized(*impl_); })));
}

void Engine::save(const std::string& path) const {
  value_or_throw(about("cannot save", path, guarded([&] { return save_file(*impl_, path); })));
}

Engine Engine::with_profiles(std::vector<OptimizationProfile> profiles) const {
  value_or_throw(needs_tensors(*impl_, "optimization profiles"));
  auto checked = value_or_throw(engine::check_profiles(impl_->graph(), std::move(profiles)));
  return Engine(std::make_shared<const EngineImpl>(impl_->graph(), std::move(checked), impl_->kernels()));
}

Engine Engine::with_precompiled(const RuntimeCache& cache) const {
  value_or_throw(needs_tensors(*impl_, "kernels of its own"));
  const auto signer = value_or_throw(cache::signer_from_environment());
  auto pack = std::make_shared<const std::vector<std::byte>>(
      value_or_throw(cache::kernels_of(cache.serialize(), signer.get())));
  EngineKernels kernels;
  // The program made them itself.
  if (!pack->empty()) kernels = {.pack = *pack, .owner = pack, .is_trusted = true};
  return Engine(std::make_shared<const EngineImpl>(impl_->graph(), impl_->profiles(), std::move(kernels)));
}

std::map<std::string, std::uint64_t> Engine::precompiled() const {
  if (impl_->kernels().pack.empty()) return {};
  const auto signer = value_or_throw(cache::signer_from_environment());
  return value_or_throw(cache::Precompiled::read(impl_->kernels().pack, signer.get()))->targets();
}

const std::vector<OptimizationProfile>& Engine::profiles() const { return impl_->profiles(); }
const std::string& Engine::name() const { return impl_->graph().name; }
const std::vector<TensorInfo>& Engine::inputs() const { return impl_->inputs(); }
const std::vector<TensorInfo>& Engine::outputs() const { return impl_->outputs(); }
bool Engine::has_data_dependent_outputs() const { return impl_->has_data_dependent_outputs(); }
bool Engine::is_structured() const { return impl_->structured() != nullptr; }
const std::map<std::string, std::string>& Engine::metadata() const { return impl_->graph().metadata; }

}  // namespace jitney
