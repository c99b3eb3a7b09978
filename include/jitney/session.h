// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <jitney/execution_context.h>
#include <jitney/resource_allocation.h>
#include <jitney/runtime_settings.h>

namespace jitney {

/// What does not change while a session lives.
struct SessionOptions {
  Device device{};
  int threads = 0;  ///< CPU: threads that run kernels; 0 is every core this process may use
  Precision precision = Precision::fp32;
  Denormals denormals = Denormals::flush;  ///< on the CPU
  std::optional<Tactics> tactics{};        ///< on a GPU, as in ContextOptions
  /// Called while a caller waits for kernels: (done, total), one call at a time. Must not throw.
  std::function<void(int, int)> progress{};
  /// Gets what concerns whoever wrote the program: a setting that has no effect on this device (once a process), one
  /// that was changed for it. In the thread that runs, with no lock held; may throw, which ends the run before it
  /// began. Empty: the log.
  std::function<void(const std::string&)> warn{};
  std::function<bool()> interrupted{};  ///< as in ContextOptions
};

/// Some of the RuntimeSettings: what is set takes the place of what was there.
struct RuntimeSettingsOverrides {
  std::optional<DynamicShapesKernelSpecializationStrategy> dynamic_shapes_kernel_specialization_strategy{};
  std::optional<CudaGraphStrategy> cuda_graph_strategy{};
  std::optional<RuntimeCacheSetting> runtime_cache{};

  RuntimeSettings over(RuntimeSettings settings) const;
};

/// An engine on a device, with settings that may change between runs. Its execution context is made at the first run,
/// and anew at the first run after the settings have changed; what was compiled is kept, so that no change compiles
/// anything again. Thread-safe: each run uses the settings that hold when it begins, and no lock while kernels run.
///
/// A path in the settings makes a RuntimeCache that the session owns: a packed file is loaded when it is set (a failure
/// is logged), a store is opened at the first run. The same path is the same handle for as long as some setting names
/// it; where a change of settings puts another cache in its place, what it lacks on disk is written before the change
/// returns.
class JITNEY_EXPORT Session {
 public:
  /// Throws Error(environment) when the device is not there.
  explicit Session(Engine engine, SessionOptions options = {}, RuntimeSettings settings = default_runtime_settings());
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// As ExecutionContext::execute().
  std::vector<Tensor> execute(std::span<const TensorView> inputs);
  void execute(std::span<const TensorView> inputs, std::span<const TensorView> outputs);
  void execute(std::span<const TensorView> inputs, std::span<const TensorView> outputs, StreamHandle stream);
  void execute(std::span<const TensorView> inputs, const OutputAllocator& allocate);
  void execute(std::span<const TensorView> inputs, const OutputAllocator& allocate, StreamHandle stream);
  std::vector<std::vector<std::int64_t>> output_shapes(std::span<const TensorView> inputs) const;

  /// One run of any engine: with sequences and optionals where its inputs() say so, in their order. Tensors may be in
  /// host memory or on the device; results are in host memory. Another structure (how many tensors, their ranks, what
  /// is absent, the values of inputs that decide which tensors there are) is imported and optimized at its first run,
  /// and kept; the last 64 are. Throws Error(user) that names the input for another kind, dtype or shape than it
  /// declares.
  std::vector<Value> run(std::span<const ValueView> inputs);

  /// With all overrides in force.
  RuntimeSettings runtime_settings() const;
  /// Sets what holds without overrides, all at once. Makes no context and compiles nothing. Whether anything changed.
  bool update_runtime_settings(const RuntimeSettings& settings);
  /// Overrides that hold until they are removed: over the settings and over all overrides that came before. They may be
  /// removed in any order. For scopes.h.
  std::uint64_t add_overrides(RuntimeSettingsOverrides overrides);
  void remove_overrides(std::uint64_t id);

  /// Which optimization profile the next runs must fit (ExecutionContext::set_optimization_profile), outside of scopes.
  /// Makes no context, and outlives those there are.
  void set_optimization_profile(int profile);
  /// That the last run fitted; 0 before.
  int optimization_profile() const;
  /// For scopes.h, as add_overrides().
  std::uint64_t add_optimization_profile(int profile);
  void remove_optimization_profile(std::uint64_t id);

  /// What becomes of memory between runs, outside of scopes. Makes no context.
  void set_resource_allocation_strategy(ResourceAllocationStrategy strategy);
  ResourceAllocationStrategy resource_allocation_strategy() const;
  /// For scopes.h, as add_overrides().
  std::uint64_t add_resource_allocation_strategy(ResourceAllocationStrategy strategy);
  void remove_resource_allocation_strategy(std::uint64_t id);

  /// Weights that need not be in memory between the calls that read them, in bytes: those that a library reads in a
  /// layout of its own, on a CPU. 0 where there are none.
  std::int64_t streamable_weight_bytes() const;
  /// How many of these stay. All of them at first.
  std::int64_t weight_budget() const;
  /// The weights of the first steps stay, as many as fit; each other is packed anew for each call, from the engine's
  /// own bytes (a file's, where it was loaded by path), and goes after it. Makes no context, and results are the same.
  /// More than all is all. Throws Error(user) for a negative number.
  void set_weight_budget(std::int64_t bytes);
  /// What this machine has room for: all, or half of the memory that this process may use.
  std::int64_t automatic_weight_budget() const;

  /// Of an engine with sequences or optionals: for some structure. Each has contexts of its own, which all count.
  bool has_context() const;
  /// The next run makes a new one.
  void invalidate_context();
  /// How many were made so far. A setting alone makes none.
  int num_execution_contexts_created() const;
  /// The one that the next run uses; made now if need be.
  std::shared_ptr<ExecutionContext> context();
  /// The cache in force: the settings' handle, or the one that the session owns for their path; null is memory.
  std::shared_ptr<RuntimeCache> runtime_cache();

  /// Specialized kernels for these shapes ahead of traffic (ExecutionContext::warm). Makes the context.
  void warm(std::span<const std::vector<std::vector<std::int64_t>>> shapes);
  bool wait_until_specialized(double timeout_seconds);
  CompileStatus compile_status() const;
  void cancel_specialization();
  /// Called after each change of compile_status(), from the thread that made it. Must not throw.
  void on_compile_status(std::function<void(const CompileStatus&)> callback);

  const Engine& engine() const;
  const SessionOptions& options() const;
  /// Before the first run, what is known without a context: what the model consists of.
  ContextStats stats() const;
  /// As ExecutionContext's; make no context.
  std::string inspect(bool source = false) const;
  std::string layer_info(const std::vector<std::vector<std::int64_t>>& input_shapes = {}) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace jitney
