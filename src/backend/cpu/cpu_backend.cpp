// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/cpu_backend.h"

#include <cstring>
#include <functional>
#include <limits>
#include <numeric>

#include "backend/cpu/cpu_name.h"
#include "backend/cpu/cpu_target.h"
#include "backend/cpu/denormals.h"
#include "backend/cpu/parallel_for.h"
#include "backend/cpu/spread.h"
#include "backend/cpu/team.h"
#include "util/memory.h"
#include "util/threads.h"

namespace jitney::backend {
namespace {

constexpr int kMaxThreads = 1024;
/// A stream's handle holds its number of threads in these bits and a serial number above them: streams differ, need
/// no memory, and one that was destroyed does no harm.
constexpr int kThreadBits = 15;
static_assert(kMaxThreads < 1 << kThreadBits);
/// And in this bit whether denormal numbers are kept.
constexpr std::uint64_t kKeepsDenormals = 1u << kThreadBits;
constexpr int kSerialShift = kThreadBits + 1;

bool flushes(StreamHandle stream) { return (stream & kKeepsDenormals) == 0; }

Status check_device(int device) {
  if (device == 0) return {};
  return user_error("there is no device cpu:{}; the CPU backend has device 0 only", device);
}

struct Call {
  KernelFunction function;
  const JitneyArgs* args;
  std::int64_t granule;
};

void run_range(void* context, std::int64_t begin, std::int64_t end) {
  const auto& call = *static_cast<const Call*>(context);
  call.function(call.args, begin * call.granule, end * call.granule);
}

/// Multiplications and additions. Whoever plans checks the call afterwards, so that anything may come here.
std::int64_t work_of(const LibraryCall& call) {
  const auto count = [](const std::vector<std::int64_t>& extents, std::size_t from = 0) {
    return std::accumulate(extents.begin() + static_cast<std::ptrdiff_t>(from), extents.end(), std::int64_t{1},
                           std::multiplies<>());
  };
  const auto* m = std::get_if<MatMulCall>(&call);
  if (m && !m->a.shape.empty()) return 2 * count(m->c.shape) * m->a.shape.back();
  const auto* c = std::get_if<ConvolutionCall>(&call);
  if (c && !c->w.shape.empty()) return 2 * count(c->y.shape) * count(c->w.shape, 1);
  if (const auto* a = std::get_if<AttentionCall>(&call))
    return a->k.shape.size() < 2 ? 0 : count(a->y.shape) * a->k.shape[a->k.shape.size() - 2] * 2;
  if (const auto* p = std::get_if<PoolingCall>(&call)) return count(p->y.shape) * count(p->kernel);
  return std::numeric_limits<std::int64_t>::max();
}

// A second thread is worth waking for this much work: some microseconds of one core. Below it a call runs alone, also
// because a team waits for a core that somebody else has.
constexpr std::int64_t kWorkForATeam = 1 << 19;

/// Of the registers that our own code may use; a target that does not exist is said elsewhere.
int vector_bytes() {
  const auto target = choose_cpu_target();
  return target ? cpu_levels()[static_cast<std::size_t>(target->level)].vector_bytes : 0;
}

/// Code for another processor must not run on this one.
Status check_runs() {
  if (compiles_only())
    return environment_error("JITNEY_CPU_COMPILE_ONLY is set: this process compiles and runs nothing");
  return {};
}

}  // namespace

CpuBackend::CpuBackend() : default_threads_(std::min(usable_cores(), kMaxThreads)), native_(memory_, vector_bytes()) {}

Expected<DeviceInfo> CpuBackend::device_info(int device) const {
  JITNEY_CHECK(check_device(device));
  JITNEY_TRY(const auto target, choose_cpu_target());
  DeviceInfo info;
  info.parallel_units = usable_cores();
  info.name = fmt::format("{} ({} core{})", cpu_model_name(), info.parallel_units, info.parallel_units == 1 ? "" : "s");
  info.target_key = to_string(target);
  info.language = SourceLanguage::c;
  info.compiler_options = compiler_options(target);
  info.vector_bytes = cpu_levels()[static_cast<std::size_t>(target.level)].vector_bytes;
  info.memory_bytes = static_cast<std::int64_t>(usable_memory());
  info.alignment = HostMemory::kAlignment;
  info.host_memory = true;
  return info;
}

Expected<void*> CpuBackend::allocate(int device, std::size_t bytes, StreamHandle) {
  JITNEY_CHECK(check_device(device));
  return memory_.allocate(bytes);
}

void CpuBackend::free(int, void* memory, std::size_t bytes, StreamHandle) noexcept { memory_.free(memory, bytes); }

Status CpuBackend::set_allocator(int device, std::shared_ptr<Allocator> allocator) {
  JITNEY_CHECK(check_device(device));
  memory_.set_allocator(std::move(allocator));
  return {};
}

Status CpuBackend::copy(int device, void* to, const void* from, std::size_t bytes, CopyKind, StreamHandle) {
  JITNEY_CHECK(check_device(device));
  if (bytes == 0) return {};
  if (to == nullptr || from == nullptr) return internal_error("a copy of {} bytes was given a null address", bytes);
  std::memcpy(to, from, bytes);
  return {};
}

Expected<StreamHandle> CpuBackend::create_stream(int device, const StreamOptions& options) {
  JITNEY_CHECK(check_device(device));
  if (options.threads < 0 || options.threads > kMaxThreads) {
    return user_error("a stream cannot have {} threads; allowed are 1 to {}, and 0 for all cores", options.threads,
                      kMaxThreads);
  }
  const int threads = options.threads == 0 ? std::min(usable_cores(), kMaxThreads) : options.threads;
  const std::uint64_t serial = streams_created_.fetch_add(1) + 1;
  return StreamHandle{serial << kSerialShift | (options.keep_denormals ? kKeepsDenormals : 0) |
                      static_cast<std::uint64_t>(threads)};
}

void CpuBackend::destroy_stream(int, StreamHandle) noexcept {}

Status CpuBackend::synchronize(int device, StreamHandle) { return check_device(device); }

int CpuBackend::threads_of(StreamHandle stream) const {
  return stream == 0 ? default_threads_ : static_cast<int>(stream & ((1u << kThreadBits) - 1));
}

Expected<ModuleHandle> CpuBackend::load(int device, std::span<const std::byte> binary) {
  JITNEY_CHECK(check_device(device));
  return modules_.load(binary);
}

void CpuBackend::unload(int, ModuleHandle module) noexcept { modules_.unload(module); }

Expected<KernelHandle> CpuBackend::kernel(int device, ModuleHandle module, const char* symbol) {
  JITNEY_CHECK(check_device(device));
  return modules_.find(module, symbol);
}

Status CpuBackend::launch(int device, KernelHandle kernel, const LaunchArgs& args, StreamHandle stream) {
  JITNEY_CHECK(check_device(device));
  JITNEY_CHECK(check_runs());
  JITNEY_TRY(const auto use, modules_.use(kernel));
  const FlushDenormals mode(flushes(stream));
  const JitneyArgs shared{args.pointers, args.numbers, args.fault};
  Call call{use.function(), &shared, args.granule};
  const std::int64_t granule = args.granule;
  parallel_for(threads_of(stream), args.begin / granule, args.end / granule, (args.grain + granule - 1) / granule,
               run_range, &call);
  return {};
}

bool CpuBackend::offers(int device, const LibraryCall& call) const {
  if (device != 0) return false;
  // What our own code does better must not become a call that only the library can do.
  return native_.prefers(call) ? native_.offers(call) : calls_.offers(call) || native_.offers(call);
}

Expected<std::shared_ptr<const Primitive>> CpuBackend::plan(int device, const LibraryCall& call,
                                                            const PlanOptions& options) {
  JITNEY_CHECK(check_device(device));
  JITNEY_CHECK(check_runs());
  const int threads = work_of(call) < kWorkForATeam ? 1 : threads_of(options.stream);
  const bool must = !calls_.offers(call);
  if (auto primitive = native_.plan(call, threads, must)) return primitive;
  const bool is_native = dynamic_cast<const native::NativePacked*>(options.weights) != nullptr;
  return calls_.plan(call, threads, is_native ? nullptr : options.weights);
}

Expected<std::shared_ptr<const PackedWeights>> CpuBackend::pack(int device, const Primitive& primitive,
                                                                const WeightsSource& source) {
  JITNEY_CHECK(check_device(device));
  JITNEY_CHECK(check_runs());
  if (const auto* ours = dynamic_cast<const native::NativePrimitive*>(&primitive)) return native_.pack(*ours, source);
  if (dynamic_cast<const native::NativePacked*>(source.packed) != nullptr)
    return environment_error("weights for {} cannot be made from another packing", primitive.implementation());
  return calls_.pack(primitive, source);
}

Expected<std::unique_ptr<Invocation>> CpuBackend::invocation(int device, std::shared_ptr<const Primitive> primitive,
                                                             std::shared_ptr<const PackedWeights> weights) {
  JITNEY_CHECK(check_device(device));
  if (auto ours = std::dynamic_pointer_cast<const native::NativePrimitive>(primitive)) {
    if (!native::NativeCalls::fits(*ours, weights.get()))
      return internal_error("an invocation of {} needs weights that were packed for it", ours->implementation());
    return std::make_unique<native::NativeInvocation>(std::move(ours),
                                                      std::static_pointer_cast<const native::NativePacked>(weights));
  }
  return LibraryCalls::invocation(std::move(primitive), std::move(weights));
}

Status CpuBackend::run(int device, Invocation& invocation, std::span<void* const> pointers, void* scratch,
                       StreamHandle stream) {
  JITNEY_CHECK(check_device(device));
  JITNEY_CHECK(check_runs());
  const FlushDenormals mode(flushes(stream));
  if (const auto* ours = dynamic_cast<const native::NativeInvocation*>(&invocation)) {
    ours->run(pointers, scratch);
    return {};
  }
  if (Watch::mine().wants_region())
    on_every_thread(threads_of(stream), [](void*, std::int64_t, std::int64_t) {}, nullptr);
  return LibraryCalls::run(invocation, pointers, scratch);
}

Expected<std::uintptr_t> CpuBackend::begin_execute(int device, StreamHandle stream) {
  JITNEY_CHECK(check_device(device));
  Watch::mine().begin(threads_of(stream));
  // Launches set the mode of their threads themselves; entering and leaving costs two parallel regions.
  return calls_.is_used() ? enter_team(threads_of(stream), flushes(stream)) : 0;
}

void CpuBackend::end_execute(int, StreamHandle stream, std::uintptr_t token) noexcept {
  Watch& watch = Watch::mine();
  const bool are_bound = watch.end();
  if (token != 0) leave_team(token);
  if (!are_bound) return;
  on_every_thread(
      threads_of(stream), [](void* of, std::int64_t, std::int64_t) { static_cast<const Watch*>(of)->release(); },
      &watch);
}

}  // namespace jitney::backend
