// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.h"
#include "cache/precompiled.h"
#include "cache/runtime_cache.h"
#include "compiler/compiler.h"
#include "runtime/program.h"

namespace jitney::runtime {

/// The device a context runs on.
struct Target {
  backend::Backend* backend = nullptr;
  int device = 0;
  backend::DeviceInfo info;
};

/// Where a loaded kernel came from.
enum class KernelOrigin : std::uint8_t { missing, cached, compiled, precompiled };
std::string_view to_string(KernelOrigin origin);

/// Compiled kernels that came with the engine.
struct EngineBrings {
  std::shared_ptr<cache::Precompiled> kernels;  ///< null: none that may be used
  cache::Miss why = cache::Miss::absent;        ///< then why not; absent: it brings none
};

/// What became of the kernels of a program.
struct KernelCounts {
  int compiled = 0, from_cache = 0, failed = 0;
  int precompiled = 0;                                   ///< that the engine brought
  std::map<cache::Miss, std::uint64_t> not_precompiled;  ///< why those that it brought did not serve
  int unoptimized = 0;                                   ///< of those that did not fail
  double seconds = 0;
};

/// What is to be compiled. Whoever holds `owner` holds what the spans point into.
struct KernelSources {
  std::span<const compiler::EmittedKernel> kernels;
  std::span<const std::string> names;  ///< of each, for messages
  std::shared_ptr<const void> owner;
};

/// All of a program's, in their generic form.
KernelSources sources_of(std::shared_ptr<const Program> program);

struct KernelSetOptions {
  std::function<void(int, int)> progress{};  ///< (done, total), one call at a time
  bool background = false;                   ///< nobody waits: one after the other, in workers of idle priority
  std::stop_token stop{};                    ///< what is not compiled when it is requested counts as failed
  bool may_compile = true;                   ///< else what no cache has counts as failed
  EngineBrings brings{};                     ///< looked into before any cache
  /// Else something else can run in their place: none is compiled without optimization, and no failure is warned about.
  bool required = true;
};

/// Kernels of one program, loaded on one device: taken from the cache, or compiled (in parallel, each once) and
/// published there. A kernel that the optimizer fails on is compiled without it, and published under a key of its own
/// that is looked up second. A kernel that cannot be had is 0 in handles(): the interpreter stands in for it. One
/// warning for each of the two, however many kernels it is about. The next set of the process tries again.
/// Files in memory count for ulimit -f: a kernel that does not fit the limit is interpreted. The cache writes real
/// files; there a program with such a limit ignores SIGXFSZ if it wants to survive reaching it, since a library leaves
/// signals alone.
class KernelSet {
 public:
  /// Blocks until every kernel is there or has failed. Where the system grants no threads the calling one does it all.
  KernelSet(KernelSources sources, Target target, cache::RuntimeCache& cache, compiler::Compiler& compiler,
            const KernelSetOptions& options = {});
  ~KernelSet();
  KernelSet(const KernelSet&) = delete;
  KernelSet& operator=(const KernelSet&) = delete;

  const std::vector<backend::KernelHandle>& handles() const { return handles_; }
  const KernelCounts& counts() const { return counts_; }
  KernelOrigin origin(std::size_t kernel) const { return origins_[kernel]; }
  /// Under which the kernels that are there lie in a cache.
  const std::vector<cache::Key>& keys() const { return keys_; }
  /// Whether every kernel is there as the optimizer makes it.
  bool is_complete() const { return counts_.failed == 0 && counts_.unoptimized == 0; }

 private:
  class Build;
  const KernelSources sources_;
  Target target_;
  std::vector<backend::ModuleHandle> modules_;
  std::vector<backend::KernelHandle> handles_;
  std::vector<KernelOrigin> origins_;
  KernelCounts counts_;
  std::vector<cache::Key> keys_;
};

/// Everything that can change a kernel's bytes.
cache::Key kernel_key(const compiler::EmittedKernel& kernel, const backend::DeviceInfo& device,
                      const std::string& compiler_identity, bool optimized = true);

/// The compiler of a language that all contexts of this process share, so that its workers are reused.
compiler::Compiler& shared_compiler(backend::SourceLanguage language);

}  // namespace jitney::runtime
