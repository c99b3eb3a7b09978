// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include <jitney/allocator.h>

#include "backend/library_call.h"
#include "util/expected.h"

/// The seam between everything that knows models and everything that knows hardware.
/// A backend is a plugin (a shared library with one entry function) that core loads by name. Operators never
/// enter it: it sees memory, streams, compiled binaries and library calls.
namespace jitney::backend {

/// Bumped whenever this header changes; a plugin of another version is refused with both versions named.
inline constexpr int kBackendAbiVersion = 8;

/// Which emitter writes source for a device, and which compiler worker takes it.
enum class SourceLanguage : std::uint8_t { none, c, cuda };

/// What a device is. target_key is the part of a cache key that says which binaries run here: an
/// architecture and features, never a serial number. It ends up in file contents, not file names.
struct DeviceInfo {
  std::string name;        ///< for people: "AMD EPYC (2 cores)"
  std::string target_key;  ///< "x86-64-v4+avx512_bf16"
  SourceLanguage language = SourceLanguage::none;
  std::vector<std::string> compiler_options;  ///< for the worker, complete: the triple, cpu and features
  int vector_bytes = 16;                      ///< width of a vector register
  int parallel_units = 1;                     ///< cores or multiprocessors
  std::int64_t memory_bytes = 0;              ///< total
  std::size_t alignment = 64;                 ///< of every allocation
  bool host_memory = false;                   ///< device addresses are host addresses: nothing needs copying
};

/// Opaque handles, made and freed by the backend that uses them. 0 is never a valid handle, except that
/// StreamHandle 0 is the device's default stream.
using StreamHandle = std::uintptr_t;
using EventHandle = std::uintptr_t;
using ModuleHandle = std::uintptr_t;
using KernelHandle = std::uintptr_t;
using GraphHandle = std::uintptr_t;

struct StreamOptions {
  int threads = 0;              ///< CPU: how many threads work on it; 0 is all cores this process may use
  bool keep_denormals = false;  ///< CPU: compute with denormal numbers instead of taking them as zero
};

/// What a generated kernel is called with. All arrays are host memory, valid until launch returns.
/// A backend whose launches are asynchronous copies them. The word that `fault` points to must live until the stream is
/// synchronized, where it is written at the latest, and as long as a graph that was captured with it.
struct LaunchArgs {
  void* const* pointers = nullptr;        ///< device addresses, one an operand
  const std::int64_t* numbers = nullptr;  ///< extents, strides and offsets, in the kernel's order
  std::int32_t pointer_count = 0;
  std::int32_t number_count = 0;
  std::int64_t begin = 0, end = 0;  ///< the parallel iteration space
  std::int64_t grain = 1;           ///< CPU: iterations worth giving to one thread at least
  std::int64_t granule = 1;         ///< CPU: ranges begin at multiples of it, which `begin` and `end` are
  std::int32_t block_threads = 0;   ///< GPU: threads of a block, and how many iterations a block does at a time
  std::int32_t block_points = 0;
  /// GPU: how many rounds a block takes for its iterations, where the blocks of a cluster may divide them; else 0.
  std::int64_t rounds = 0;
  std::int32_t* fault = nullptr;  ///< host word that is set when the kernel met a bad index
  /// `fault` is one of allocate_faults(): the kernel itself sets it, and nobody needs to synchronize for that.
  bool fault_is_shared = false;
  /// A kernel of the backend's own, launched by run(): update() does not count it.
  bool is_in_call = false;
};

enum class CopyKind : std::uint8_t { host_to_device, device_to_host, device_to_device };

/// A constant operand in the layout that a library wants, which only the backend that made it can read. Immutable.
/// Shared in a process by content, device and layout: two contexts with the same weights hold one.
class PackedWeights {
 public:
  virtual ~PackedWeights() = default;
  virtual std::size_t bytes() const = 0;
};

/// One planned call with what a library changes while it runs, so that running allocates nothing. Belongs to one
/// workspace: used by one thread at a time.
class Invocation {
 public:
  virtual ~Invocation() = default;
};

/// One planned library call, ready to run for one concrete shape and number of threads. Immutable; shared between
/// threads.
class Primitive {
 public:
  virtual ~Primitive() = default;
  virtual std::size_t scratch_bytes() const = 0;
  /// The implementation that the library chose, in its words: "jit:avx512_core".
  virtual std::string implementation() const = 0;
  /// It is a reference implementation, orders of magnitude slower than the library can be.
  virtual bool is_reference() const = 0;
  /// pack() gives nothing for it, whatever the weights.
  virtual bool reads_plain_weights() const { return false; }
  /// It was planned at once, and might be faster had there been time.
  virtual bool is_provisional() const { return false; }
};

/// What planning may ask of core, which has a compiler and a cache. Thread-safe.
class PlanServices {
 public:
  virtual ~PlanServices() = default;
  /// A kernel that the backend brings itself, in the device's language behind its prelude: a verified binary for
  /// load(), out of the cache or compiled and published there. `name` is for people.
  virtual Expected<std::vector<std::byte>> compile(const std::string& name, const std::string& source) = 0;
  /// What keep() was given by this process or an earlier one for the same key; nothing where the cache has none.
  virtual std::optional<std::string> recall(const std::string& key) = 0;
  virtual void keep(const std::string& key, const std::string& value) = 0;
  /// Whether a library's algorithms are to be timed where none that was timed is kept.
  virtual bool times_tactics() const { return false; }
  /// Of all constants of the model: whether a last-level cache keeps them from run to run.
  virtual std::size_t constant_bytes() const { return 0; }
};

/// Who waits while a library call is planned.
enum class Haste : std::uint8_t {
  normal,
  /// Somebody who was served before, with other extents: nothing is compiled, timed or written, and no library is asked
  /// that takes long. The primitive may be a provisional one.
  at_once,
  /// Nobody: code is loaded, too, that else the first run would wait for.
  ahead,
};

struct PlanOptions {
  StreamHandle stream = 0;  ///< it will run on streams like this one: with as many threads
  /// The same weights, packed for another shape: preferred as they are where that costs no speed.
  const PackedWeights* weights = nullptr;
  /// Null: the backend does with what its libraries have. Outlives the primitive.
  PlanServices* services = nullptr;
  Haste haste = Haste::normal;
};

/// Where pack() takes a constant operand from: exactly one is set. `packed` serves when the original was dropped.
struct WeightsSource {
  const void* plain = nullptr;  ///< device memory, as the call's TensorDesc says
  const PackedWeights* packed = nullptr;
  std::string_view
      content;  ///< digest of the plain bytes with dtype, shape and strides: equal contents share a packing
};

/// One device family. Every function may be called from any thread. `device` is an index below
/// device_count(). Functions marked optional have a default that refuses politely.
class Backend {
 public:
  virtual ~Backend() = default;

  // required
  virtual std::string_view name() const = 0;
  virtual int device_count() const = 0;
  virtual Expected<DeviceInfo> device_info(int device) const = 0;
  virtual Expected<void*> allocate(int device, std::size_t bytes, StreamHandle stream) = 0;  ///< bytes 0 gives null
  virtual void free(int device, void* memory, std::size_t bytes, StreamHandle stream) noexcept = 0;
  virtual Status copy(int device, void* to, const void* from, std::size_t bytes, CopyKind kind,
                      StreamHandle stream) = 0;
  virtual Expected<StreamHandle> create_stream(int device, const StreamOptions& options) = 0;
  virtual void destroy_stream(int device, StreamHandle stream) noexcept = 0;
  virtual Status synchronize(int device, StreamHandle stream) = 0;
  /// Loads a verified binary. The bytes are copied: the caller may free them. Never called on unverified bytes.
  virtual Expected<ModuleHandle> load(int device, std::span<const std::byte> binary) = 0;
  virtual void unload(int device, ModuleHandle module) noexcept = 0;
  virtual Expected<KernelHandle> kernel(int device, ModuleHandle module, const char* symbol) = 0;
  virtual Status launch(int device, KernelHandle kernel, const LaunchArgs& args, StreamHandle stream) = 0;

  // optional: events order streams; where launches are synchronous nothing needs ordering
  /// `again`: an event to be used once more instead of a new one; what waits for it already is not affected.
  virtual Expected<EventHandle> record(int device, StreamHandle stream, EventHandle again = 0);
  virtual Status wait(int device, StreamHandle stream, EventHandle event);
  virtual void destroy_event(int device, EventHandle event) noexcept;
  // optional: streams that somebody else made
  /// Whether this is the device's default stream, whose work waits for that of other streams and holds it up: work is
  /// put on a stream of one's own instead, between two events.
  virtual bool is_default_stream(StreamHandle stream) const { return stream == 0; }
  /// Never given to another stream, also when that has the handle of one that is gone. Not 0.
  virtual Expected<std::uint64_t> stream_identity(int device, StreamHandle stream);
  /// Whether what is put on the stream is being recorded into somebody's graph.
  virtual Expected<bool> is_captured(int device, StreamHandle stream);
  /// A new stream that runs on the same part of the device as `stream` does.
  virtual Expected<StreamHandle> create_stream_like(int device, StreamHandle stream, const StreamOptions& options);
  // optional: recording launches into a graph
  virtual Status begin_capture(int device, StreamHandle stream);
  virtual Expected<GraphHandle> end_capture(int device, StreamHandle stream);
  virtual Status replay(int device, GraphHandle graph, StreamHandle stream);
  /// Gives the n-th launch() of a graph's recording, library calls' own left aside, other pointers, numbers and fault
  /// word, for replays from now on. Everything else stays: kernel, range, blocks. Replays under way are not affected.
  virtual Status update(int device, GraphHandle graph, std::size_t launch, const LaunchArgs& args);
  virtual void destroy_graph(int device, GraphHandle graph) noexcept;
  // optional: words that kernels of the device write and the host reads without waiting, all 0; plain memory otherwise
  virtual Expected<std::int32_t*> allocate_faults(int device, std::size_t count);
  virtual void free_faults(int device, std::int32_t* words) noexcept;
  /// optional: who allocates on the device from now on; null is the backend itself. What was allocated before goes back
  /// to whom it came from.
  virtual Status set_allocator(int device, std::shared_ptr<Allocator> allocator);
  // optional: vendor libraries; a refusal makes lowering generate a kernel instead
  /// Whether plan() can be expected to take such a call, and do better than a generated kernel. Cheap; extents of -1
  /// are unknown.
  virtual bool offers(int device, const LibraryCall& call) const;
  /// Equal calls give one Primitive, and another one where the first is provisional and there is time. Error
  /// (environment) where the library has nothing for the call.
  virtual Expected<std::shared_ptr<const Primitive>> plan(int device, const LibraryCall& call,
                                                          const PlanOptions& options);
  /// Gets ready what plan() falls back on at once, for a call like those that will come: of other extents. Without
  /// services what the libraries have, with them what is compiled. Whatever fails is left. Nothing by default.
  virtual void rehearse(int /*device*/, const LibraryCall& /*call*/, const PlanOptions& /*options*/) {}
  /// The call's constant operand in the primitive's layout; null where the primitive reads it as it is.
  virtual Expected<std::shared_ptr<const PackedWeights>> pack(int device, const Primitive& primitive,
                                                              const WeightsSource& source);
  virtual Expected<std::unique_ptr<Invocation>> invocation(int device, std::shared_ptr<const Primitive> primitive,
                                                           std::shared_ptr<const PackedWeights> weights);
  /// `pointers`: one an operand, in the call's order; the packed operand's is ignored. `scratch`: scratch_bytes(), of
  /// this run alone. Synchronous where launch() is.
  virtual Status run(int device, Invocation& invocation, std::span<void* const> pointers, void* scratch,
                     StreamHandle stream);
  /// optional: brackets one execute on a stream, so that what every call needs (the floating-point mode of the
  /// library's threads) is set once. The token goes from one to the other. No other bracket is open on this thread.
  virtual Expected<std::uintptr_t> begin_execute(int device, StreamHandle stream);
  virtual void end_execute(int device, StreamHandle stream, std::uintptr_t token) noexcept;
  /// optional: bytes this backend has allocated and not freed, for leak tests and statistics
  virtual std::int64_t live_bytes() const;
  /// optional: lines for `jitney doctor`: what works, what does not and why
  virtual std::vector<std::string> diagnose() const;
};

/// What a plugin exports as `jitney_backend_plugin`.
struct PluginEntry {
  int abi_version;
  const char* build_version;  ///< of the Jitney it was built with; must equal core's
  Backend* (*create)();       ///< called once a process; the backend lives as long as the process
};

}  // namespace jitney::backend
