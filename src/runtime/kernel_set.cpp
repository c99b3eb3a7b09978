// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/kernel_set.h"

#include <atomic>
#include <chrono>
#include <cstring>
#include <mutex>
#include <thread>

#include "compiler/prelude_c.h"
#include "util/hash.h"
#include "util/log.h"
#include "util/threads.h"

namespace jitney::runtime {

namespace {

using cache::Key;

// Bump when generated code is called in another way.
constexpr std::string_view kKernelAbi = "1";

std::span<const std::byte> bytes_of(std::string_view s) {
  return {reinterpret_cast<const std::byte*>(s.data()), s.size()};
}

/// The compiler's identity, from an earlier process' record if it still holds; else from a worker, and then recorded.
Expected<std::string> identify(compiler::Compiler& compiler, cache::RuntimeCache& cache) {
  JITNEY_TRY(auto record_key, compiler.record_key());
  Key key;
  key.add("kind", "compiler-identity").add("worker", record_key);
  if (auto known = cache.lookup(key))
    compiler.remember(std::string(reinterpret_cast<const char*>((*known)->data()), (*known)->size()));
  int before = compiler.workers_started();
  JITNEY_TRY(auto identity, compiler.identity());
  if (compiler.workers_started() != before) {
    auto record = compiler.record();
    auto span = bytes_of(record);
    cache.publish(key, cache::Blob(span.begin(), span.end()));
  }
  return identity;
}

}  // namespace

Key kernel_key(const compiler::EmittedKernel& kernel, const backend::DeviceInfo& device,
               const std::string& compiler_identity) {
  Key key;
  std::string options;
  for (const auto& o : device.compiler_options) options += o + " ";
  key.add("kind", "kernel").add("abi", kKernelAbi).add("target", device.target_key).add("compiler", compiler_identity);
  key.add("options", options)
      .add("prelude", hash_hex(compiler::prelude_c_for(kernel.code)))
      .add("defines", kernel.defines)
      .add("source", kernel.code);
  return key;
}

compiler::Compiler& shared_compiler() {
  // Never destroyed: contexts in static storage may still use it at exit. Its workers end when this process does.
  static compiler::Compiler* compiler = compiler::make_compiler({}).release();
  return *compiler;
}

/// One pass over the kernels by several threads.
class KernelSet::Build {
 public:
  Build(KernelSet& set, cache::RuntimeCache& cache, compiler::Compiler& compiler,
        const std::function<void(int, int)>& progress)
      : set_(set), cache_(cache), compiler_(compiler), progress_(progress), total_(set.program_->sources.size()) {}

  void run() {
    if (total_ == 0) return;
    if (set_.target_.info.language == backend::SourceLanguage::none) {
      for (std::size_t i = 0; i < total_; ++i) load(i, bytes_of("null"));
      return;
    }
    auto identity = identify(compiler_, cache_);
    std::vector<std::size_t> missing;
    for (std::size_t i = 0; i < total_; ++i) {
      if (identity) {
        keys_.push_back(kernel_key(set_.program_->sources[i], set_.target_.info, *identity));
        if (auto blob = cache_.lookup(keys_[i]); blob && load(i, **blob)) {
          ++set_.counts_.from_cache;
          step();
          continue;
        }
      }
      missing.push_back(i);
    }
    if (missing.empty()) return;
    if (!identity) {
      set_.counts_.failed = static_cast<int>(missing.size());
      warn_once("no compiler",
                identity.error().message + "; kernels run in the reference interpreter, which is right but slow");
      return;
    }
    auto threads = std::min<std::size_t>(missing.size(), static_cast<std::size_t>(usable_cores()));
    std::atomic<std::size_t> next{0};
    auto work = [&] {
      for (std::size_t n; (n = next.fetch_add(1)) < missing.size();) compile(missing[n]);
    };
    std::vector<std::jthread> pool;
    for (std::size_t t = 1; t < threads; ++t) pool.emplace_back(work);
    work();
  }

 private:
  KernelSet& set_;
  cache::RuntimeCache& cache_;
  compiler::Compiler& compiler_;
  const std::function<void(int, int)>& progress_;
  const std::size_t total_;
  std::vector<Key> keys_;
  std::mutex mutex_;
  int done_ = 0;

  void step() {
    std::lock_guard lock(mutex_);
    ++done_;
    if (progress_) progress_(done_, static_cast<int>(total_));
  }

  bool load(std::size_t i, std::span<const std::byte> binary) {
    auto& backend = *set_.target_.backend;
    auto module = backend.load(set_.target_.device, binary);
    if (!module) {
      log_info("kernel '{}' cannot be loaded: {}", set_.program_->source_names[i], module.error().message);
      return false;
    }
    auto kernel = backend.kernel(set_.target_.device, *module, set_.program_->sources[i].symbol.c_str());
    if (!kernel) {
      backend.unload(set_.target_.device, *module);
      log_info("kernel '{}' cannot be loaded: {}", set_.program_->source_names[i], kernel.error().message);
      return false;
    }
    set_.modules_[i] = *module;
    set_.handles_[i] = *kernel;
    return true;
  }

  void compile(std::size_t i) {
    const auto& source = set_.program_->sources[i];
    compiler::CompileRequest request{set_.target_.info.language, set_.program_->source_names[i], source.source(),
                                     set_.target_.info.compiler_options, true};
    auto outcome = compiler_.compile(request);
    bool optimized = outcome.has_value();
    if (!outcome && outcome.error().reason != compiler::CompileFailure::Reason::no_compiler) {
      log_info("kernel '{}' is compiled again without optimization: {}", request.name, outcome.error().message);
      request.optimize = false;
      auto plain = compiler_.compile(request);
      if (plain) outcome = std::move(plain);
    }
    if (outcome)
      log_debug("kernel '{}': {:.1f} ms in the compiler, {} bytes", request.name, outcome->compile_seconds * 1e3,
                outcome->binary.size());
    bool loaded = outcome && load(i, outcome->binary);
    {
      std::lock_guard lock(mutex_);
      ++(loaded ? set_.counts_.compiled : set_.counts_.failed);
    }
    if (!outcome)
      warn_once("compile " + request.name, fmt::format("kernel '{}' runs in the reference interpreter: {}",
                                                       request.name, outcome.error().message));
    else if (!outcome->diagnostics.empty())
      log_info("kernel '{}': {}", request.name, outcome->diagnostics);
    if (loaded && optimized) cache_.publish(keys_[i], std::move(outcome->binary));
    step();
  }
};

KernelSet::KernelSet(std::shared_ptr<const Program> program, Target target, std::shared_ptr<cache::RuntimeCache> cache,
                     compiler::Compiler& compiler, const std::function<void(int, int)>& progress)
    : program_(std::move(program)),
      target_(std::move(target)),
      modules_(program_->sources.size()),
      handles_(program_->sources.size()) {
  auto begin = std::chrono::steady_clock::now();
  Build(*this, *cache, compiler, progress).run();
  counts_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

KernelSet::~KernelSet() {
  for (auto m : modules_)
    if (m != 0) target_.backend->unload(target_.device, m);
}

}  // namespace jitney::runtime
