// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <jitney/compile_status.h>
#include <jitney/engine.h>
#include <jitney/runtime_settings.h>
#include <jitney/stream.h>
#include <jitney/tensor.h>

namespace jitney {

namespace runtime {
class SharedEngine;
}

/// What arithmetic a model may use.
enum class Precision : std::uint8_t {
  fp32,  ///< as the model says: an f32 model computes in f32 everywhere
  bf16,  ///< f32 values are kept in bf16 between inputs and outputs; sums and normalizations are computed in f32
};

/// What becomes of denormal numbers: below 1.2e-38 in f32, and up to 200 times slower than others on many processors.
/// The calling thread's own mode, and that of every other, is what it was when an execute returns.
enum class Denormals : std::uint8_t {
  flush,  ///< they are taken as zero
  keep,   ///< IEEE 754
};

/// How a GPU's libraries choose among their algorithms for a call. What was chosen is kept in the cache, so that a
/// later start neither asks nor times; what was timed goes before what was recommended.
enum class Tactics : std::uint8_t {
  heuristic,  ///< what the library recommends
  timed,      ///< the fastest of what it recommends, measured when a shape is planned: 1 to 50 ms a call
};

/// What JITNEY_TACTICS says, else heuristic. Error(user) for another name.
Tactics default_tactics();

struct ContextOptions {
  Device device{};
  /// CPU: threads that run kernels; 0 is every core this process may use.
  int threads = 0;
  /// "" is the per-user cache; "none" keeps kernels in memory; else a folder.
  std::string runtime_cache{};
  /// A cache that engines share; takes the place of runtime_cache.
  std::shared_ptr<RuntimeCache> cache{};
  Precision precision = Precision::fp32;
  Denormals denormals = Denormals::flush;  ///< on the CPU
  std::optional<Tactics> tactics{};        ///< on a GPU; nothing: default_tactics()
  CudaGraphStrategy cuda_graph_strategy = CudaGraphStrategy::disabled;
  DynamicShapesKernelSpecializationStrategy dynamic_shapes_kernel_specialization_strategy =
      DynamicShapesKernelSpecializationStrategy::lazy;
  /// Called while kernels are compiled, from the compiling threads, one call at a time: (done, total).
  std::function<void(int, int)> progress{};
  /// Asked some twenty times a second, in the thread that calls, while it waits for kernels and between steps: true
  /// makes that call give up with Error(environment). The context can be used again; what was compiled is kept.
  std::function<bool()> interrupted{};
};

/// What happened so far in one context. Counts only grow.
struct ContextStats {
  int kernels = 0;           ///< launches in one execute of the last shape
  int library_calls = 0;     ///< of these, done by a vendor library
  int distinct_kernels = 0;  ///< different sources among them
  int compiled = 0;          ///< by this context
  int from_cache = 0;
  int precompiled = 0;                      ///< that the engine brought
  int failed = 0;                           ///< compiles that gave nothing, even unoptimized
  int interpreted = 0;                      ///< steps that the reference interpreter runs
  std::uint64_t interpreted_operators = 0;  ///< operators that it has run, counted at each execute
  int plans = 0;                            ///< shapes seen
  int workers_started = 0;                  ///< compiler processes
  double compile_seconds = 0;               ///< wall time of waiting for kernels
  std::uint64_t cache_hits = 0, cache_published = 0;
  std::uint64_t cache_publish_failures = 0;           ///< kept in memory only
  std::uint64_t cache_loaded = 0;                     ///< entries read from packed files and streams
  std::uint64_t cache_damaged = 0;                    ///< of those, not used
  std::uint64_t cache_evicted = 0;                    ///< entries removed to keep the bound
  std::uint64_t cache_waited = 0;                     ///< entries that another thread or process made meanwhile
  std::map<std::string, std::uint64_t> cache_misses;  ///< by reason
  /// Why kernels that the engine brought did not serve, by reason; none where it brought none.
  std::map<std::string, std::uint64_t> precompiled_misses;
  std::string cache_path, cache_description;
  int stages = 0;  ///< of an engine whose extents or control flow follow from data: pieces compiled by themselves
  std::uint64_t stage_runs = 0, hosted_runs = 0;  ///< and what ran so far, of them and between them
  std::uint64_t host_copies = 0,
                host_copied_bytes = 0;  ///< between the device and the host, for what runs between them
  std::uint64_t graphs_captured = 0, graph_replays = 0;
  std::uint64_t graph_updates = 0;    ///< replays that were given other addresses first
  std::uint64_t graph_fallbacks = 0;  ///< runs in order although graphs were asked for
  std::uint64_t graphs_lent = 0;      ///< runs that were recorded into somebody else's graph
  std::int64_t arena_bytes = 0;       ///< intermediate values of the last shape
  std::int64_t device_bytes =
      0;  ///< what the device's backend holds for all contexts of this process, weights included
};

/// One step of an execute: a kernel, a library call, or a piece that the reference interpreter runs.
struct StepProfile {
  std::string name;              ///< the model's, of the operator that says most about it
  std::string done_by;           ///< "kernel 3", "interpreter", or the library's implementation: "jit:avx512_core"
  double seconds = 0;            ///< median
  std::int64_t operations = -1;  ///< multiplications and additions of a library call
};

/// Where the time of an execute goes. Medians, in seconds.
struct Profile {
  std::vector<StepProfile> steps;
  double seconds = 0;  ///< of the whole execute with outputs given, from call to return
  double outside = 0;  ///< of that, outside the steps: checks, the plan's lookup, pointers, and two clock reads a step
};

/// Gives the memory of an output once its shape is known: contiguous, on the context's device, aligned as the device
/// likes it, filled before execute() returns. `output` counts as Engine::outputs() does. May throw, which ends the
/// execute; null is an error where there are bytes to write.
using OutputAllocator = std::function<void*(std::size_t output, DType dtype, std::span<const std::int64_t> shape)>;

/// An engine made ready on one device: compiled kernels, plans for the shapes seen, memory. Kernels are compiled at
/// the first execute, and serve every shape. execute() may be called from many threads at once: results are
/// independent; threads that meet a shape already planned do not wait for each other.
class JITNEY_EXPORT ExecutionContext {
 public:
  /// Throws Error(environment) when the device is not there.
  explicit ExecutionContext(Engine engine, ContextOptions options = {});
  ~ExecutionContext();
  ExecutionContext(ExecutionContext&&) noexcept;
  ExecutionContext& operator=(ExecutionContext&&) noexcept;

  /// Inputs in the order of engine().inputs(). Any strides; contiguous ones are read in place, others copied first, on
  /// the device that they are on. Gives the outputs in the
  /// order of engine().outputs(). Throws Error(user) for a wrong number of inputs, a wrong dtype, rank, extent or
  /// device, naming input, expected and found.
  std::vector<Tensor> execute(std::span<const TensorView> inputs);
  /// The same into memory of the caller's: contiguous, of output_shapes(inputs). No allocation once a shape was seen.
  /// An output may lie over an input (a state that is updated in place): it is then computed elsewhere and copied.
  void execute(std::span<const TensorView> inputs, std::span<const TensorView> outputs);
  /// The same where shapes of outputs follow from data, which output_shapes() cannot say.
  void execute(std::span<const TensorView> inputs, const OutputAllocator& allocate);
  /// The same on a caller's stream of the context's device, without waiting for it: behind what the stream holds, and
  /// before what comes to it next. Inputs and outputs are used until then; memory that is given back in the order of
  /// the stream may be given back at once. On the default stream the work is done on a stream of the context's own,
  /// between two events. A stream that is being captured gets the work recorded; the graph needs this context for as
  /// long as it lives. Any number of threads and streams at once. An index out of range is thrown by a later call, or
  /// by synchronize(). On a CPU the stream is 0, and the call waits. Where extents or control flow follow from data
  /// (Engine::has_data_dependent_outputs and others), the call waits for the stream and for the results, and cannot be
  /// captured.
  void execute(std::span<const TensorView> inputs, std::span<const TensorView> outputs, StreamHandle stream);
  /// Both: outputs' memory once their shapes are known, used in the order of the stream.
  void execute(std::span<const TensorView> inputs, const OutputAllocator& allocate, StreamHandle stream);
  /// Waits for the stream. Throws Error(user) when an index was out of range in a call that did not wait.
  void synchronize(StreamHandle stream);
  /// Whether execute() with such inputs can be recorded into a graph on this stream: nothing that it does waits for the
  /// host, the stream is not the legacy default stream, which cannot be captured, and no better kernels are under way:
  /// a graph would freeze the generic ones where the strategy is lazy, inputs have dynamic extents, and this shape's
  /// own kernels are not ready. Always on a CPU, where there is nothing to capture. Compiles and plans what is missing.
  /// `why` gets the reason against it.
  bool is_monolithic_capturable(std::span<const TensorView> inputs, StreamHandle stream, std::string* why = nullptr);
  /// Shapes of the outputs for inputs of these shapes. Compiles nothing. Throws Error(user) where one follows from data
  /// (Engine::has_data_dependent_outputs).
  std::vector<std::vector<std::int64_t>> output_shapes(std::span<const TensorView> inputs) const;

  /// Compiles what is missing now, instead of at the first execute.
  void prepare();
  /// Makes specialized kernels for shapes ahead of traffic, and waits for them; whatever the strategy is, they are used
  /// unless it is none. Each element: the shapes of all inputs, in order. Throws as execute() does.
  void warm(std::span<const std::vector<std::vector<std::int64_t>>> shapes);
  /// Asks for specialized kernels for every shape seen so far and waits until they are there, or for so many seconds.
  /// Whether nothing waits or is compiled any more. Under `none` there is nothing to wait for.
  bool wait_until_specialized(double timeout_seconds);
  CompileStatus compile_status() const;
  /// Which of Engine::profiles() shapes must fit from the next run on, in all contexts of one Session: an index, or
  /// kAutoProfile (the default). Makes no context and compiles nothing. Throws Error(user) for a profile that the
  /// engine has not; 0 is always there.
  void set_optimization_profile(int profile);
  /// That the last run fitted; 0 before.
  int optimization_profile() const;
  /// Forgets the shapes that wait and stops the compiler; shapes that are used again are asked for again.
  void cancel_specialization();
  ContextStats stats() const;
  /// Executes `iterations` times, waiting for every step, which makes the whole a little slower than execute().
  Profile profile(std::span<const TensorView> inputs, int iterations = 20);
  const Engine& engine() const;
  const ContextOptions& options() const;
  /// Graph, kernels and memory plan as text; with `source` the generated code too.
  std::string inspect(bool source = false) const;
  /// What each step is, as one JSON object: the model's operators in it, who does it and how, its kernel and whether
  /// that was compiled or cached, shapes and dtypes of what it reads and writes, the bytes that it moves. Concrete
  /// extents are there for `input_shapes`, one an input; who does a library call is known once that shape ran. Throws
  /// Error(user) for shapes that do not fit. Compiles nothing.
  std::string layer_info(const std::vector<std::vector<std::int64_t>>& input_shapes = {}) const;

  /// For the parts of Jitney itself.
  ExecutionContext(Engine engine, ContextOptions options, std::shared_ptr<runtime::SharedEngine> shared);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// Lines for people: devices, compiler, libraries and cache; what works, what does not, and why.
JITNEY_EXPORT std::vector<std::string> diagnose(const std::string& runtime_cache = "");

}  // namespace jitney
