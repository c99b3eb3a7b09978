// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "backend/backend.h"
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

/// What became of the kernels of a program.
struct KernelCounts {
  int compiled = 0, from_cache = 0, failed = 0;
  int unoptimized = 0;  ///< of those that did not fail
  double seconds = 0;
};

/// The kernels of one program, loaded on one device: taken from the cache, or compiled (in parallel, each once) and
/// published there. A kernel that the optimizer fails on is compiled without it, and published under a key of its own
/// that is looked up second. A kernel that cannot be had is 0 in handles(): the interpreter stands in for it. One
/// warning for each of the two, however many kernels it is about. The next set of the process tries again.
/// Files in memory count for ulimit -f: a kernel that does not fit the limit is interpreted. The cache writes real
/// files; there a program with such a limit ignores SIGXFSZ if it wants to survive reaching it, since a library leaves
/// signals alone.
class KernelSet {
 public:
  /// Blocks until every kernel is there or has failed, or `interrupted` gives true: then what still compiles is killed
  /// and the set is of no use. `progress` is called one call at a time, `interrupted` in the calling thread. Where the
  /// system grants no threads the calling one does it all, and is not interrupted.
  KernelSet(std::shared_ptr<const Program> program, Target target, std::shared_ptr<cache::RuntimeCache> cache,
            compiler::Compiler& compiler, const std::function<void(int, int)>& progress,
            const std::function<bool()>& interrupted = {});
  ~KernelSet();
  KernelSet(const KernelSet&) = delete;
  KernelSet& operator=(const KernelSet&) = delete;

  const std::vector<backend::KernelHandle>& handles() const { return handles_; }
  bool was_interrupted() const { return was_interrupted_; }
  const KernelCounts& counts() const { return counts_; }

 private:
  class Build;
  std::shared_ptr<const Program> program_;
  Target target_;
  std::vector<backend::ModuleHandle> modules_;
  std::vector<backend::KernelHandle> handles_;
  KernelCounts counts_;
  bool was_interrupted_ = false;
};

/// Everything that can change a kernel's bytes.
cache::Key kernel_key(const compiler::EmittedKernel& kernel, const backend::DeviceInfo& device,
                      const std::string& compiler_identity, bool optimized = true);

/// The compiler of a language that all contexts of this process share, so that its workers are reused.
compiler::Compiler& shared_compiler(backend::SourceLanguage language);

}  // namespace jitney::runtime
