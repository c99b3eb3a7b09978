// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <jitney/export.h>
#include <jitney/runtime_cache.h>

namespace jitney {

/// What happens when a shape turns up for which there are no kernels of its own.
enum class DynamicShapesKernelSpecializationStrategy : std::uint8_t {
  lazy = 0,   ///< generic kernels run at once; specialized ones are compiled in the background and used once ready
  eager = 1,  ///< the call waits until the shape's specialized kernels are compiled
  none = 2,   ///< generic kernels only
};

/// Whether a context captures what it launches and replays it: on GPUs one launch instead of many. On other devices
/// both do the same.
enum class CudaGraphStrategy : std::uint8_t {
  disabled = 0,
  whole_graph_capture = 1,  ///< one graph for each shape and stream, captured when the shape comes for the second time
};

/// "lazy", "eager", "none"; "disabled", "whole_graph_capture".
JITNEY_EXPORT std::string_view to_string(DynamicShapesKernelSpecializationStrategy strategy);
JITNEY_EXPORT std::string_view to_string(CudaGraphStrategy strategy);

/// From a name or from the underlying integer. T is one of the two strategies. Throws Error(user): "Invalid
/// cuda_graph_strategy: 'x'. Expected one of ['disabled', 'whole_graph_capture']".
template <typename T>
T from_string(std::string_view name) = delete;
template <>
JITNEY_EXPORT DynamicShapesKernelSpecializationStrategy from_string(std::string_view name);
template <>
JITNEY_EXPORT CudaGraphStrategy from_string(std::string_view name);
template <typename T>
T from_underlying(std::int64_t value) = delete;
template <>
JITNEY_EXPORT DynamicShapesKernelSpecializationStrategy from_underlying(std::int64_t value);
template <>
JITNEY_EXPORT CudaGraphStrategy from_underlying(std::int64_t value);

/// Where compiled kernels are kept: in one engine's memory, at a path, or in a handle that engines share. A value;
/// equal when the paths are, or when both name one handle.
class JITNEY_EXPORT RuntimeCacheSetting {
 public:
  /// The per-user store (default_cache_path()).
  RuntimeCacheSetting();
  /// A store where the path is a folder or ends in a separator, else a packed file. "" is memory.
  RuntimeCacheSetting(std::string path);  // NOLINT(google-explicit-constructor)
  RuntimeCacheSetting(const char* path) : RuntimeCacheSetting(std::string(path)) {}  // NOLINT
  /// nullptr is memory.
  RuntimeCacheSetting(std::shared_ptr<RuntimeCache> handle);  // NOLINT(google-explicit-constructor)
  static RuntimeCacheSetting memory();

  bool is_memory() const { return path_.empty() && handle_ == nullptr; }
  /// "" where it is memory or a handle.
  const std::string& path() const { return path_; }
  const std::shared_ptr<RuntimeCache>& handle() const { return handle_; }
  friend bool operator==(const RuntimeCacheSetting&, const RuntimeCacheSetting&) = default;

 private:
  std::string path_;
  std::shared_ptr<RuntimeCache> handle_;
};

/// How an engine runs, as far as that may change between two runs. Never part of an engine file. A value: setting one
/// that equals the present one does nothing.
struct RuntimeSettings {
  DynamicShapesKernelSpecializationStrategy dynamic_shapes_kernel_specialization_strategy =
      DynamicShapesKernelSpecializationStrategy::lazy;
  CudaGraphStrategy cuda_graph_strategy = CudaGraphStrategy::disabled;
  RuntimeCacheSetting runtime_cache{};

  friend bool operator==(const RuntimeSettings&, const RuntimeSettings&) = default;
};

/// The defaults, with what the environment says in their place (SettingInfo::variable). Throws Error(user) for a value
/// that is not allowed. What Session and the command line start from.
JITNEY_EXPORT RuntimeSettings default_runtime_settings();

/// One row of the table of settings, from which the command line's flags, the environment variables, the Python fields
/// and the reference page are made.
struct SettingInfo {
  std::string_view name;                                  ///< of the field, in C++ and Python
  std::string_view flag;                                  ///< on the command line
  std::string_view variable;                              ///< in the environment
  std::string_view values;                                ///< "lazy|eager|none"
  std::string_view fallback;                              ///< the default, as text
  std::string_view doc;                                   ///< one paragraph
  void (*set)(RuntimeSettings&, std::string_view value);  ///< throws Error(user)
  std::string (*get)(const RuntimeSettings&);
};
JITNEY_EXPORT std::span<const SettingInfo> runtime_settings_table();

/// Three lines for people: "Dynamic Shapes Kernel Strategy: lazy", "CUDA Graph Strategy: disabled", and "Runtime Cache:
/// " with a path, "<in-memory shared>" or "<engine-local, in-memory>".
JITNEY_EXPORT std::string to_string(const RuntimeSettings& settings);

}  // namespace jitney
