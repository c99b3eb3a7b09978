// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/kernel_build.h"

#include <algorithm>
#include <atomic>
#include <system_error>
#include <thread>

#include "util/log.h"
#include "util/threads.h"

namespace jitney::runtime {
namespace {

using cache::Key;
using Reason = compiler::CompileFailure::Reason;

std::span<const std::byte> bytes_of(std::string_view s) {
  return {reinterpret_cast<const std::byte*>(s.data()), s.size()};
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

KernelSet::Build::Build(KernelSet& set, cache::RuntimeCache& cache, compiler::Compiler& compiler,
                        const KernelSetOptions& options)
    : set_(set), cache_(cache), compiler_(compiler), options_(options), total_(set.sources_.kernels.size()) {}

void KernelSet::Build::run() {
  if (total_ == 0) return;
  if (set_.target_.info.language == backend::SourceLanguage::none) {
    for (std::size_t i = 0; i < total_; ++i) (void)load(i, bytes_of("null"));
    return;
  }
  auto identity = identify(compiler_, cache_, options_.stop);
  if (!identity) {
    set_.counts_.failed = static_cast<int>(total_);
    if (!options_.required || options_.stop.stop_requested()) return;
    warn_once("no compiler",
              identity.error().message + "; kernels run in the reference interpreter, which is right but slow");
    return;
  }
  std::vector<std::size_t> missing;
  for (std::size_t i = 0; i < total_; ++i) {
    const auto& source = set_.sources_.kernels[i];
    keys_.push_back({kernel_key(source, set_.target_.info, *identity),
                     kernel_key(source, set_.target_.info, *identity, /*optimized=*/false)});
    if (!find(i)) missing.push_back(i);
  }
  compile_all(missing);
  for (std::size_t i = 0; i < total_; ++i)
    if (set_.handles_[i] != 0)
      set_.keys_.push_back(unoptimized_.contains(i) ? keys_[i].unoptimized : keys_[i].optimized);
  warn();
}

bool KernelSet::Build::find(std::size_t kernel) {
  // An optimized one may have come later: from another process, or after a cause that has gone.
  const Key* keys[] = {&keys_[kernel].optimized, &keys_[kernel].unoptimized};
  for (const Key* key : std::span(keys).first(options_.required ? 2 : 1)) {
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
  if (!options_.may_compile) {
    for (const std::size_t kernel : kernels) give_up(kernel, "it would have to be compiled, which is not allowed");
    return;
  }
  const auto cores = options_.background ? 1 : static_cast<std::size_t>(usable_cores());
  auto threads = std::min<std::size_t>(kernels.size(), cores);
  std::atomic<std::size_t> next{0};
  auto work = [&] {
    for (std::size_t n; (n = next.fetch_add(1)) < kernels.size();) compile(kernels[n]);
  };
  std::vector<std::jthread> helpers;
  try {
    for (std::size_t t = 1; t < threads; ++t) helpers.emplace_back(work);
  } catch (const std::system_error& e) {
    log_info("{} of {} threads compile, since the system grants no more: {}", helpers.size() + 1, threads, e.what());
  }
  work();
}

void KernelSet::Build::compile(std::size_t kernel) {
  compiler::CompileRequest request{
      set_.target_.info.language,         name(kernel), set_.sources_.kernels[kernel].source(),
      set_.target_.info.compiler_options, true,         options_.background};
  auto outcome = compiler_.compile(request, options_.stop);
  std::string why = outcome ? "" : outcome.error().message;
  bool optimized = outcome.has_value(), publish = true;
  if (!outcome && (outcome.error().reason == Reason::cancelled || !options_.required)) return give_up(kernel, why);
  if (!outcome && outcome.error().reason != Reason::no_compiler) {
    log_info("kernel '{}' is compiled again without optimization: {}", request.name, why);
    publish = lies_in_the_kernel(outcome.error().reason);
    request.optimize = false;
    outcome = compiler_.compile(request, options_.stop);
  }
  if (outcome) {
    log_debug("kernel '{}': {:.1f} ms in the compiler, {} bytes", request.name, outcome->compile_seconds * 1e3,
              outcome->binary.size());
    if (!outcome->diagnostics.empty()) log_info("kernel '{}': {}", request.name, outcome->diagnostics);
  }
  Status loaded = outcome ? load(kernel, outcome->binary) : Status{};
  if (!loaded) why = fmt::format("it was compiled and cannot be loaded: {}", loaded.error().message);
  bool good = outcome && loaded;
  if (!good && !options_.required) return give_up(kernel, why);
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

void KernelSet::Build::give_up(std::size_t kernel, std::string why) {
  log_debug("kernel '{}' is not there: {}", name(kernel), why);
  {
    std::lock_guard lock(mutex_);
    ++set_.counts_.failed;
  }
  step();
}

Status KernelSet::Build::load(std::size_t kernel, std::span<const std::byte> binary) {
  auto& backend = *set_.target_.backend;
  JITNEY_TRY(auto module, backend.load(set_.target_.device, binary));
  auto handle = backend.kernel(set_.target_.device, module, set_.sources_.kernels[kernel].symbol.c_str());
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
  if (options_.progress) options_.progress(done_, static_cast<int>(total_));
}

void KernelSet::Build::warn() const {
  if (options_.stop.stop_requested()) return;  // nothing is wrong with them
  if (!failed_.empty())
    warn_about(failed_, "runs in the reference interpreter, which is right but slow", name(failed_.begin()->first));
  if (!unoptimized_.empty())
    warn_about(unoptimized_, "is not optimized and may be slow", name(unoptimized_.begin()->first));
}

}  // namespace jitney::runtime
