// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <jitney/error.h>
#include <jitney/runtime_settings.h>

#include <fmt/ranges.h>

#include <span>

#include "util/env.h"

namespace jitney {
namespace {

// In the order of their underlying integers.
constexpr std::string_view kSpecialization[] = {"lazy", "eager", "none"};
constexpr std::string_view kGraphs[] = {"disabled", "whole_graph_capture"};
constexpr std::string_view kSpecializationName = "dynamic_shapes_kernel_specialization_strategy";
constexpr std::string_view kGraphsName = "cuda_graph_strategy";

[[noreturn]] void refuse(std::string_view setting, const std::string& found, std::span<const std::string_view> names) {
  std::string expected;
  for (const auto name : names) expected += fmt::format("{}'{}'", expected.empty() ? "" : ", ", name);
  throw Error(ErrorKind::user, fmt::format("Invalid {}: {}. Expected one of [{}]", setting, found, expected));
}

template <typename T>
T named(std::string_view setting, std::string_view name, std::span<const std::string_view> names) {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == name) return static_cast<T>(i);
  refuse(setting, fmt::format("'{}'", name), names);
}

template <typename T>
T numbered(std::string_view setting, std::int64_t value, std::span<const std::string_view> names) {
  if (value >= 0 && value < static_cast<std::int64_t>(names.size())) return static_cast<T>(value);
  refuse(setting, std::to_string(value), names);
}

}  // namespace

std::string_view to_string(DynamicShapesKernelSpecializationStrategy s) {
  return kSpecialization[static_cast<std::size_t>(s)];
}
std::string_view to_string(CudaGraphStrategy s) { return kGraphs[static_cast<std::size_t>(s)]; }

template <>
DynamicShapesKernelSpecializationStrategy from_string(std::string_view name) {
  return named<DynamicShapesKernelSpecializationStrategy>(kSpecializationName, name, kSpecialization);
}
template <>
CudaGraphStrategy from_string(std::string_view name) {
  return named<CudaGraphStrategy>(kGraphsName, name, kGraphs);
}
template <>
DynamicShapesKernelSpecializationStrategy from_underlying(std::int64_t value) {
  return numbered<DynamicShapesKernelSpecializationStrategy>(kSpecializationName, value, kSpecialization);
}
template <>
CudaGraphStrategy from_underlying(std::int64_t value) {
  return numbered<CudaGraphStrategy>(kGraphsName, value, kGraphs);
}

RuntimeCacheSetting::RuntimeCacheSetting() : path_(default_cache_path()) {}
RuntimeCacheSetting::RuntimeCacheSetting(std::string path) : path_(std::move(path)) {}
RuntimeCacheSetting::RuntimeCacheSetting(std::shared_ptr<RuntimeCache> handle) : handle_(std::move(handle)) {}
RuntimeCacheSetting RuntimeCacheSetting::memory() { return RuntimeCacheSetting(std::string()); }

std::span<const SettingInfo> runtime_settings_table() {
  static constexpr SettingInfo table[] = {
      {"dynamic_shapes_kernel_specialization_strategy", "--dynamic-shapes-kernel-specialization-strategy",
       "JITNEY_DYNAMIC_SHAPES_KERNEL_SPECIALIZATION_STRATEGY", "lazy|eager|none", "lazy",
       "What happens when a shape turns up that has no kernels of its own. lazy: generic kernels run at once, and once "
       "the shape has come a second time specialized ones are compiled in the background and used from a later run on. "
       "eager: the call waits for them. none: generic kernels only.",
       [](RuntimeSettings& s, std::string_view v) {
         s.dynamic_shapes_kernel_specialization_strategy = from_string<DynamicShapesKernelSpecializationStrategy>(v);
       },
       [](const RuntimeSettings& s) {
         return std::string(to_string(s.dynamic_shapes_kernel_specialization_strategy));
       }},
      {"cuda_graph_strategy", "--cuda-graph-strategy", "JITNEY_CUDA_GRAPH_STRATEGY", "disabled|whole_graph_capture",
       "disabled",
       "Whether the engine captures what it launches and replays it, one graph for each shape and stream. On a CPU "
       "both "
       "do the same.",
       [](RuntimeSettings& s, std::string_view v) { s.cuda_graph_strategy = from_string<CudaGraphStrategy>(v); },
       [](const RuntimeSettings& s) { return std::string(to_string(s.cuda_graph_strategy)); }},
      {"runtime_cache", "--runtime-cache", "JITNEY_RUNTIME_CACHE", "PATH|none", "the per-user store",
       "Where compiled kernels are kept: a store (a folder that exists, or a path that ends in '/'), a packed file "
       "(any "
       "other path), or none: in memory only.",
       [](RuntimeSettings& s, std::string_view v) {
         s.runtime_cache = v == "none" ? RuntimeCacheSetting::memory() : RuntimeCacheSetting(std::string(v));
       },
       [](const RuntimeSettings& s) { return s.runtime_cache.is_memory() ? "none" : s.runtime_cache.path(); }},
  };
  return table;
}

RuntimeSettings default_runtime_settings() {
  RuntimeSettings s;
  for (const auto& row : runtime_settings_table()) {
    // One of them names a path: in a program that has more rights than its caller none of these counts.
    const auto value = env_path(std::string(row.variable).c_str());
    if (!value) continue;
    try {
      row.set(s, *value);
    } catch (const Error& e) {
      throw Error(e.kind(), fmt::format("{}: {}", row.variable, e.what()));
    }
  }
  return s;
}

std::string to_string(const RuntimeSettings& s) {
  const auto& cache = s.runtime_cache;
  return fmt::format("Dynamic Shapes Kernel Strategy: {}\nCUDA Graph Strategy: {}\nRuntime Cache: {}",
                     to_string(s.dynamic_shapes_kernel_specialization_strategy), to_string(s.cuda_graph_strategy),
                     cache.handle()      ? "<in-memory shared>"
                     : cache.is_memory() ? "<engine-local, in-memory>"
                                         : cache.path());
}

}  // namespace jitney
