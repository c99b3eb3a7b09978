// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/kernel_set.h"

namespace jitney::runtime {

/// The compiler's identity, from an earlier process' record if it still holds; else from a worker, and then recorded.
Expected<std::string> identify(compiler::Compiler& compiler, cache::RuntimeCache& cache, std::stop_token stop = {});

/// One pass over the kernels of a set, by several threads where the system grants them.
class KernelSet::Build {
 public:
  Build(KernelSet& set, cache::RuntimeCache& cache, compiler::Compiler& compiler, const KernelSetOptions& options);
  /// Blocks until every kernel is there or has failed, then warns: at most once for all that are interpreted, and
  /// once for all that are not optimized. With less the log would repeat one cause for each kernel.
  void run();

 private:
  struct Keys {
    cache::Key optimized, unoptimized;
  };
  /// Why a kernel is not what it should be.
  struct Fault {
    std::string cause;
    bool is_remembered = false;  ///< from an earlier try, by this process or another: it was not tried again
    std::string text() const;
  };
  using Faults = std::map<std::size_t, Fault>;  ///< by kernel

  bool find(std::size_t kernel);
  bool find_precompiled(std::size_t kernel);
  bool take(std::size_t kernel, std::span<const std::byte> binary, bool optimized);
  cache::Claim claim(std::size_t kernel);
  void compile_all(const std::vector<std::size_t>& kernels);
  void compile(std::size_t kernel);
  void give_up(std::size_t kernel, std::string why);
  Status load(std::size_t kernel, std::span<const std::byte> binary);
  void step();
  void warn() const;
  void warn_about(const Faults& faults, std::string_view what) const;
  const std::string& name(std::size_t kernel) const { return set_.sources_.names[kernel]; }

  KernelSet& set_;
  cache::RuntimeCache& cache_;
  compiler::Compiler& compiler_;
  const KernelSetOptions& options_;
  const std::size_t total_;
  std::vector<Keys> keys_;

  std::mutex mutex_;
  int done_ = 0;  // guarded by mutex_, as all below and the set's counts
  Faults failed_, unoptimized_;
};

}  // namespace jitney::runtime
