// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <atomic>
#include <string_view>

#include "compiler/compiler.h"
#include "compiler/find_worker.h"
#include "compiler/pool.h"
#include "util/env.h"
#include "util/threads.h"

namespace jitney::compiler {
namespace {

using Reason = CompileFailure::Reason;
using WorkerOutcome = WorkerProcess::Outcome<std::unique_ptr<WorkerProcess>>;

/// "name.c:3:7: error: ..." out of many lines.
std::string first_error(std::string_view diagnostics) {
  std::string_view first;
  while (!diagnostics.empty()) {
    auto end = diagnostics.find('\n');
    auto line = diagnostics.substr(0, end);
    if (line.find("error: ") != std::string_view::npos) return std::string(line);
    if (first.empty()) first = line;
    diagnostics.remove_prefix(end == std::string_view::npos ? diagnostics.size() : end + 1);
  }
  return std::string(first);
}

class ProcessCompiler final : public Compiler {
 public:
  explicit ProcessCompiler(const CompilerOptions& options)
      : options_(options),
        path_(find_worker(options.worker_path, worker_of(options.language).variable,
                          worker_of(options.language).program)) {}

  ~ProcessCompiler() override {
    Pool* pool = pool_.load();
    if (pool && pool->owner() == ::getpid()) delete pool;
    delete known_.load();
  }

  CompileOutcome compile(const CompileRequest& request, std::stop_token stop) override {
    auto outcome = try_compile(request, stop);
    if (!outcome) outcome.error().message = fmt::format("compiling '{}': {}", request.name, outcome.error().message);
    return outcome;
  }

  Expected<std::string> identity(std::stop_token stop) override {
    if (const Known* known = known_.load()) return known->identity;
    if (!path_) return tl::unexpected(path_.error());
    Pool& pool = this->pool();
    auto slot = pool.acquire(stop);
    if (!slot) return environment_error("the compiler is being shut down");
    if (const Known* known = known_.load()) return known->identity;
    auto worker = greet(pool, pool.stops(stop), false);
    if (!worker) return environment_error("{}", worker.error().message);
    pool.keep(std::move(*worker));
    return known_.load()->identity;
  }

  void remember(const std::string& record) override {
    if (auto identity = IdentityRecord::check(record)) learn({*identity, record});
  }

  std::string record() const override {
    const Known* known = known_.load();
    return known ? known->record : "";
  }

  Expected<std::string> record_key() const override {
    if (!path_) return tl::unexpected(path_.error());
    JITNEY_TRY(auto key, IdentityRecord::key(*path_));
    // Which NVRTC the worker opens.
    if (options_.language == backend::SourceLanguage::cuda) key += " nvrtc " + env_path("JITNEY_NVRTC").value_or("");
    return key;
  }

  int workers_started() const override {
    const Pool* pool = pool_.load();
    return pool && pool->owner() == ::getpid() ? pool->started() : 0;
  }

 private:
  /// Never changes once it is set: cache keys were made with it. So it needs no lock that a fork could leave locked.
  struct Known {
    std::string identity, record;
  };

  void learn(Known known) {
    auto* fresh = new Known(std::move(known));
    const Known* none = nullptr;
    if (!known_.compare_exchange_strong(none, fresh)) delete fresh;
  }

  Pool& pool() {
    Pool* pool = pool_.load();
    while (!pool || pool->owner() != ::getpid()) {
      int workers = options_.max_workers > 0 ? options_.max_workers : usable_cores();
      auto* fresh = new Pool({*path_, options_.idle_timeout, options_.memory_limit, options_.compile_timeout}, workers);
      // A parent's pool is left as it is, never freed.
      if (pool_.compare_exchange_strong(pool, fresh)) return *fresh;
      delete fresh;
    }
    return *pool;
  }

  /// A new worker that has said who it is. A dead one is buried.
  WorkerOutcome greet(Pool& pool, const Stops& stops, bool background) {
    auto worker = pool.start_worker(background);
    if (!worker) return worker;
    auto hello = (*worker)->hello(stops);
    auto give_up = [&](CompileFailure failure) -> WorkerOutcome {
      pool.bury(std::move(*worker));
      return tl::unexpected(std::move(failure));
    };
    if (!hello) return give_up(hello.error());
    if (!known_.load()) learn({hello->identity, IdentityRecord::make(hello->identity, hello->mapped_files)});
    const std::string& expected = known_.load()->identity;
    if (hello->identity == expected) return worker;
    return give_up(
        {Reason::no_compiler, fmt::format("the compiler changed from '{}' to '{}' while this program runs; restart it",
                                          expected, hello->identity)});
  }

  CompileOutcome try_compile(const CompileRequest& request, const std::stop_token& stop) {
    if (request.language != options_.language) {
      return tl::unexpected(CompileFailure{Reason::no_compiler, fmt::format("{} does not compile this source language",
                                                                            worker_of(options_.language).program)});
    }
    if (!path_) return tl::unexpected(CompileFailure{Reason::no_compiler, path_.error().message});
    Pool& pool = this->pool();
    auto slot = pool.acquire(stop);
    if (!slot) return tl::unexpected(CompileFailure{Reason::cancelled, "cancelled"});
    Stops stops = pool.stops(stop);
    if (auto used = pool.take_idle(request.background)) {
      auto outcome = run(pool, std::move(used), request, stops);
      // It may have ended of idleness just now, or of something that earlier kernels did to it: this kernel gets
      // a clean try.
      bool died =
          !outcome && (outcome.error().reason == Reason::crashed || outcome.error().reason == Reason::resources);
      if (!died) return outcome;
    }
    auto worker = greet(pool, stops, request.background);
    if (!worker) return tl::unexpected(worker.error());
    return run(pool, std::move(*worker), request, stops);
  }

  CompileOutcome run(Pool& pool, std::unique_ptr<WorkerProcess> worker, const CompileRequest& request,
                     const Stops& stops) {
    const pid_t pid = worker->pid();
    auto result =
        worker->exchange({++next_id_, request.name, request.source, request.options, request.optimize}, stops);
    if (!result || result->status == ResultStatus::fatal) {
      pool.bury(std::move(worker));
      if (!result) return tl::unexpected(result.error());
      return tl::unexpected(CompileFailure{Reason::crashed, "the compiler gave up: " + result->diagnostics});
    }
    pool.keep(std::move(worker));
    if (result->status == ResultStatus::rejected) {
      return tl::unexpected(
          CompileFailure{Reason::rejected, "the compiler rejected it: " + first_error(result->diagnostics)});
    }
    return CompileResult{std::move(result->binary), std::move(result->diagnostics), result->seconds, pid};
  }

  const CompilerOptions options_;
  const Expected<std::string> path_;
  std::atomic<Pool*> pool_{nullptr};
  std::atomic<const Known*> known_{nullptr};
  std::atomic<std::uint64_t> next_id_{0};
};

}  // namespace

WorkerName worker_of(backend::SourceLanguage language) {
  if (language == backend::SourceLanguage::cuda) return {"jitney-compiler-nvrtc", "JITNEY_COMPILER_NVRTC"};
  return {"jitney-compiler-clang", "JITNEY_COMPILER_CLANG"};
}

std::unique_ptr<Compiler> make_compiler(const CompilerOptions& options) {
  return std::make_unique<ProcessCompiler>(options);
}

}  // namespace jitney::compiler
