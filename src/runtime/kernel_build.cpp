// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/kernel_build.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <system_error>
#include <thread>

#include "runtime/interrupt.h"
#include "util/log.h"
#include "util/threads.h"

namespace jitney::runtime {
namespace {

using cache::Key;
using Reason = compiler::CompileFailure::Reason;

std::span<const std::byte> bytes_of(std::string_view s) {
  return {reinterpret_cast<const std::byte*>(s.data()), s.size()};
}

/// The compiler's identity, from an earlier process' record if it still holds; else from a worker, and then recorded.
Expected<std::string> identify(compiler::Compiler& compiler, cache::RuntimeCache& cache, std::stop_token stop) {
  JITNEY_TRY(auto record_key, compiler.record_key());
  Key key;
  key.add("kind", "compiler-identity").add("worker", record_key);
  if (auto known = cache.lookup(key))
    compiler.remember(std::string(reinterpret_cast<const char*>((*known)->data()), (*known)->size()));
  int before = compiler.workers_started();
  JITNEY_TRY(auto identity, compiler.identity(std::move(stop)));
  if (compiler.workers_started() != before) {
    auto record = compiler.record();
    auto span = bytes_of(record);
    cache.publish(key, cache::Blob(span.begin(), span.end()));
  }
  return identity;
}

/// Whether the optimizer would most likely fail on this kernel tomorrow as well. Memory that ran out may be back.
bool lies_in_the_kernel(Reason reason) {
  return reason == Reason::timed_out || reason == Reason::crashed || reason == Reason::rejected;
}

/// One sentence for all of them: the first kernel's reason and how many there are.
void warn_about(const std::map<std::size_t, std::string>& reasons, std::string_view what, const std::string& first) {
  if (reasons.empty()) return;
  auto message = fmt::format("kernel '{}' {}: {}", first, what, reasons.begin()->second);
  if (reasons.size() > 1) message += fmt::format("; {} kernels in all (JITNEY_LOG=info names them)", reasons.size());
  warn_once(message, message);
}

}  // namespace

KernelSet::Build::Build(KernelSet& set, cache::RuntimeCache& cache, compiler::Compiler& compiler,
                        const std::function<void(int, int)>& progress, const std::function<bool()>& interrupted)
    : set_(set),
      cache_(cache),
      compiler_(compiler),
      progress_(progress),
      interrupted_(interrupted),
      total_(set.program_->sources.size()) {}

void KernelSet::Build::run() {
  if (total_ == 0) return;
  if (set_.target_.info.language == backend::SourceLanguage::none) {
    for (std::size_t i = 0; i < total_; ++i) (void)load(i, bytes_of("null"));
    return;
  }
  auto identity = identify_watched();
  set_.was_interrupted_ = stop_.stop_requested();
  if (set_.was_interrupted_) return;
  if (!identity) {
    set_.counts_.failed = static_cast<int>(total_);
    warn_once("no compiler",
              identity.error().message + "; kernels run in the reference interpreter, which is right but slow");
    return;
  }
  std::vector<std::size_t> missing;
  for (std::size_t i = 0; i < total_; ++i) {
    const auto& source = set_.program_->sources[i];
    keys_.push_back({kernel_key(source, set_.target_.info, *identity),
                     kernel_key(source, set_.target_.info, *identity, /*optimized=*/false)});
    if (!find(i)) missing.push_back(i);
  }
  compile_all(missing);
  set_.was_interrupted_ = stop_.stop_requested();
  if (!set_.was_interrupted_) warn();
}

bool KernelSet::Build::find(std::size_t kernel) {
  // An optimized one may have come later: from another process, or after a cause that has gone.
  const Key* keys[] = {&keys_[kernel].optimized, &keys_[kernel].unoptimized};
  for (const Key* key : keys) {
    auto blob = cache_.lookup(*key);
    if (!blob) continue;
    if (auto loaded = load(kernel, **blob); !loaded) {
      log_info("kernel '{}' from the cache cannot be loaded: {}", name(kernel), loaded.error().message);
      continue;
    }
    ++set_.counts_.from_cache;
    if (key == keys[1]) {
      ++set_.counts_.unoptimized;
      log_info("kernel '{}' comes from the cache without optimization", name(kernel));
    }
    step();
    return true;
  }
  return false;
}

void KernelSet::Build::compile_all(const std::vector<std::size_t>& kernels) {
  if (kernels.empty()) return;
  auto threads = std::min<std::size_t>(kernels.size(), static_cast<std::size_t>(usable_cores()));
  std::atomic<std::size_t> next{0};
  auto work = [&] {
    for (std::size_t n; !stop_.stop_requested() && (n = next.fetch_add(1)) < kernels.size();) compile(kernels[n]);
  };
  std::vector<std::jthread> helpers;
  try {
    // With somebody to ask, the calling thread does that and compiles nothing.
    for (std::size_t t = interrupted_ ? 0 : 1; t < threads; ++t) helpers.emplace_back(work);
  } catch (const std::system_error& e) {
    log_info("{} of {} threads compile, since the system grants no more: {}", helpers.size() + 1, threads, e.what());
  }
  if (interrupted_ && !helpers.empty()) watch([&] { return done_ == static_cast<int>(total_); });
  work();
}

Expected<std::string> KernelSet::Build::identify_watched() {
  if (!interrupted_) return identify(compiler_, cache_, {});
  std::optional<Expected<std::string>> found;
  std::jthread helper;
  try {
    helper = std::jthread([&] {
      auto result = identify(compiler_, cache_, stop_.get_token());
      std::lock_guard lock(mutex_);
      found = std::move(result);
      stepped_.notify_all();
    });
  } catch (const std::system_error&) {  // no threads are granted
    return identify(compiler_, cache_, {});
  }
  watch([&] { return found.has_value(); });
  helper.join();
  return std::move(*found);
}

void KernelSet::Build::watch(const std::function<bool()>& done) {
  std::unique_lock lock(mutex_);
  while (!stepped_.wait_for(lock, kInterruptPeriod, done)) {
    lock.unlock();
    if (interrupted_()) {
      stop_.request_stop();
      return;
    }
    lock.lock();
  }
}

void KernelSet::Build::compile(std::size_t kernel) {
  compiler::CompileRequest request{set_.target_.info.language, name(kernel), set_.program_->sources[kernel].source(),
                                   set_.target_.info.compiler_options, true};
  auto outcome = compiler_.compile(request, stop_.get_token());
  if (stop_.stop_requested()) return;
  std::string why = outcome ? "" : outcome.error().message;
  bool optimized = outcome.has_value(), publish = true;
  if (!outcome && outcome.error().reason != Reason::no_compiler) {
    log_info("kernel '{}' is compiled again without optimization: {}", request.name, why);
    publish = lies_in_the_kernel(outcome.error().reason);
    request.optimize = false;
    outcome = compiler_.compile(request, stop_.get_token());
    if (stop_.stop_requested()) return;
  }
  if (outcome) {
    log_debug("kernel '{}': {:.1f} ms in the compiler, {} bytes", request.name, outcome->compile_seconds * 1e3,
              outcome->binary.size());
    if (!outcome->diagnostics.empty()) log_info("kernel '{}': {}", request.name, outcome->diagnostics);
  }
  Status loaded = outcome ? load(kernel, outcome->binary) : Status{};
  if (!loaded) why = fmt::format("it was compiled and cannot be loaded: {}", loaded.error().message);
  bool good = outcome && loaded;
  if (!good) log_info("kernel '{}' runs in the reference interpreter: {}", request.name, why);
  {
    std::lock_guard lock(mutex_);
    ++(good ? set_.counts_.compiled : set_.counts_.failed);
    if (!good) failed_[kernel] = why;
    if (good && !optimized) {
      unoptimized_[kernel] = why;
      ++set_.counts_.unoptimized;
    }
  }
  if (good && publish)
    cache_.publish(optimized ? keys_[kernel].optimized : keys_[kernel].unoptimized, std::move(outcome->binary));
  step();
}

Status KernelSet::Build::load(std::size_t kernel, std::span<const std::byte> binary) {
  auto& backend = *set_.target_.backend;
  JITNEY_TRY(auto module, backend.load(set_.target_.device, binary));
  auto handle = backend.kernel(set_.target_.device, module, set_.program_->sources[kernel].symbol.c_str());
  if (!handle) {
    backend.unload(set_.target_.device, module);
    return tl::unexpected(handle.error());
  }
  set_.modules_[kernel] = module;
  set_.handles_[kernel] = *handle;
  return {};
}

void KernelSet::Build::step() {
  std::lock_guard lock(mutex_);
  ++done_;
  stepped_.notify_all();
  if (progress_) progress_(done_, static_cast<int>(total_));
}

void KernelSet::Build::warn() const {
  if (!failed_.empty())
    warn_about(failed_, "runs in the reference interpreter, which is right but slow", name(failed_.begin()->first));
  if (!unoptimized_.empty())
    warn_about(unoptimized_, "is not optimized and may be slow", name(unoptimized_.begin()->first));
}

}  // namespace jitney::runtime
