// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <jitney/session.h>

namespace jitney {

/// Settings of some sessions until the scope's end. Settings belong to the session, not to the thread; scopes may
/// overlap and end in any order, in any thread: what holds is the session's own settings under those of the scopes that
/// live, in the order in which they began. Sessions given twice count once; they must outlive the scope.
class JITNEY_EXPORT RuntimeConfigScope {
 public:
  RuntimeConfigScope(std::span<Session* const> sessions, const RuntimeSettingsOverrides& overrides);
  RuntimeConfigScope(Session& session, const RuntimeSettingsOverrides& overrides);
  ~RuntimeConfigScope();
  RuntimeConfigScope(const RuntimeConfigScope&) = delete;
  RuntimeConfigScope& operator=(const RuntimeConfigScope&) = delete;

 private:
  std::vector<std::pair<Session*, std::uint64_t>> added_;
};

/// One cache for some sessions until the scope's end: in memory where the path is empty, else loaded at once, shared
/// with every other scope and every session's setting on that path, and saved once at the end if `autosave` (a failure
/// is logged as a warning). Each session then has its previous cache again.
class JITNEY_EXPORT RuntimeCacheScope {
 public:
  /// Throws Error(user) where there is no session, and as RuntimeCache::load() does; then nothing has changed.
  explicit RuntimeCacheScope(std::span<Session* const> sessions, const std::string& path = "", bool autosave = true);
  explicit RuntimeCacheScope(Session& session, const std::string& path = "", bool autosave = true);
  ~RuntimeCacheScope();
  RuntimeCacheScope(const RuntimeCacheScope&) = delete;
  RuntimeCacheScope& operator=(const RuntimeCacheScope&) = delete;

  const std::shared_ptr<RuntimeCache>& handle() const { return handle_; }

 private:
  std::shared_ptr<RuntimeCache> handle_;
  bool autosave_;
  std::unique_ptr<RuntimeConfigScope> config_;
};

/// An optimization profile (or kAutoProfile) of some sessions until the scope's end. Scopes may end in any order.
class JITNEY_EXPORT OptimizationProfileScope {
 public:
  /// Throws Error(user) where a session's engine has no such profile; then nothing has changed.
  OptimizationProfileScope(std::span<Session* const> sessions, int profile);
  OptimizationProfileScope(Session& session, int profile);
  ~OptimizationProfileScope();
  OptimizationProfileScope(const OptimizationProfileScope&) = delete;
  OptimizationProfileScope& operator=(const OptimizationProfileScope&) = delete;

 private:
  void remove();
  std::vector<std::pair<Session*, std::uint64_t>> added_;
};

/// A ResourceAllocationStrategy of some sessions until the scope's end. Scopes may end in any order.
class JITNEY_EXPORT ResourceAllocationScope {
 public:
  ResourceAllocationScope(std::span<Session* const> sessions, ResourceAllocationStrategy strategy);
  ResourceAllocationScope(Session& session, ResourceAllocationStrategy strategy);
  ~ResourceAllocationScope();
  ResourceAllocationScope(const ResourceAllocationScope&) = delete;
  ResourceAllocationScope& operator=(const ResourceAllocationScope&) = delete;

 private:
  std::vector<std::pair<Session*, std::uint64_t>> added_;
};

/// One setting of a session until the scope's end.
class DynamicShapesKernelStrategyScope : public RuntimeConfigScope {
 public:
  DynamicShapesKernelStrategyScope(Session& session, DynamicShapesKernelSpecializationStrategy strategy)
      : RuntimeConfigScope(session, {.dynamic_shapes_kernel_specialization_strategy = strategy}) {}
};
class CudaGraphStrategyScope : public RuntimeConfigScope {
 public:
  CudaGraphStrategyScope(Session& session, CudaGraphStrategy strategy)
      : RuntimeConfigScope(session, {.cuda_graph_strategy = strategy}) {}
};

}  // namespace jitney
