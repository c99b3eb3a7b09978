// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/kernel_build.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <system_error>
#include <thread>

#include "runtime/quarantine.h"
#include "util/log.h"
#include "util/threads.h"
#include "util/trace.h"

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
  std::vector<std::size_t> wanted;
  for (std::size_t i = 0; i < total_; ++i)
    if (!find_precompiled(i)) wanted.push_back(i);
  if (wanted.empty()) return;  // and no compiler was asked for its name
  auto identity = identify(compiler_, cache_, options_.stop);
  if (!identity) {
    set_.counts_.failed = static_cast<int>(wanted.size());
    if (!options_.required || options_.stop.stop_requested()) return;
    warn_once("no compiler",
              identity.error().message + "; kernels run in the reference interpreter, which is right but slow");
    return;
  }
  std::vector<std::size_t> missing;
  keys_.resize(total_);
  for (const std::size_t i : wanted) {
    const auto& source = set_.sources_.kernels[i];
    keys_[i] = {kernel_key(source, set_.target_.info, *identity),
                kernel_key(source, set_.target_.info, *identity, /*optimized=*/false)};
    if (!find(i)) missing.push_back(i);
  }
  compile_all(missing);
  for (const std::size_t i : wanted)
    if (set_.handles_[i] != 0)
      set_.keys_.push_back(unoptimized_.contains(i) ? keys_[i].unoptimized : keys_[i].optimized);
  warn();
}

bool KernelSet::Build::find(std::size_t kernel) {
  using Verdict = Quarantine::Verdict;
  // An optimized one may have come later: from another process, or after a cause that has gone.
  if (auto blob = cache_.lookup(keys_[kernel].optimized); blob && take(kernel, **blob, true)) return true;
  const auto quarantine = find_quarantine(cache_, keys_[kernel].optimized);
  if (quarantine.verdict == Verdict::none) return false;
  const Fault fault{quarantine.why, true};
  if (!options_.required) {
    give_up(kernel, fault.text());
    return true;
  }
  if (quarantine.verdict == Verdict::unoptimized) {
    auto blob = cache_.lookup(keys_[kernel].unoptimized);
    return blob && take(kernel, **blob, false);
  }
  log_info("kernel '{}' runs in the reference interpreter: {}", name(kernel), fault.text());
  {
    std::lock_guard lock(mutex_);
    ++set_.counts_.failed;
    failed_[kernel] = fault;
  }
  step();
  return true;
}

/// Whoever compiled it: what an engine brings is for this target, prelude and source, or it is not used.
bool KernelSet::Build::find_precompiled(std::size_t kernel) {
  const auto& brings = options_.brings;
  auto& misses = set_.counts_.not_precompiled;
  if (!brings.kernels) {
    if (brings.why == cache::Miss::absent) return false;
    ++misses[brings.why];
    TraceSpan span("cache", "precompiled");
    span.text("kernel", name(kernel));
    span.text("result", to_string(brings.why));
    return false;
  }
  TraceSpan span("cache", "precompiled");
  span.text("kernel", name(kernel));
  cache::Miss why = cache::Miss::absent;
  for (const auto& compiler : brings.kernels->compilers(set_.target_.info.target_key)) {
    const auto blob = brings.kernels->find(kernel_key(set_.sources_.kernels[kernel], set_.target_.info, compiler));
    if (!blob) {
      why = blob.error();
      continue;
    }
    if (const Status loaded = load(kernel, **blob); !loaded) {
      log_info("kernel '{}' that the engine brought cannot be loaded: {}", name(kernel), loaded.error().message);
      why = cache::Miss::unreadable;
      continue;
    }
    ++set_.counts_.precompiled;
    set_.origins_[kernel] = KernelOrigin::precompiled;
    span.text("result", "hit");
    step();
    return true;
  }
  ++misses[why];
  span.text("result", to_string(why));
  log_info("kernel '{}' is not among those that the engine brought: {}", name(kernel), to_string(why));
  return false;
}

bool KernelSet::Build::take(std::size_t kernel, std::span<const std::byte> binary, bool optimized) {
  if (auto loaded = load(kernel, binary); !loaded) {
    log_info("kernel '{}' from the cache cannot be loaded: {}", name(kernel), loaded.error().message);
    return false;
  }
  if (!optimized) log_info("kernel '{}' comes from the cache without optimization", name(kernel));
  {
    std::lock_guard lock(mutex_);
    ++set_.counts_.from_cache;
    set_.origins_[kernel] = KernelOrigin::cached;
    if (!optimized) ++set_.counts_.unoptimized;
  }
  step();
  return true;
}

cache::Claim KernelSet::Build::claim(std::size_t kernel) {
  const auto deadline = std::chrono::steady_clock::now() + cache::kClaimPatience;
  for (;;) {
    // In pieces, so that a cancelled compile does not wait for somebody else's.
    auto claim = cache_.claim(keys_[kernel].optimized, std::chrono::milliseconds(250));
    if (claim.state() != cache::Claim::State::busy || options_.stop.stop_requested() ||
        std::chrono::steady_clock::now() >= deadline)
      return claim;
  }
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
  const std::string caller(CorrelationId::current());
  auto work = [&] {
    const CorrelationId correlation(caller);
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
  // One thread of all processes compiles it. Given up when this function ends, after publishing.
  const cache::Claim right = claim(kernel);
  if (right.state() == cache::Claim::State::made && take(kernel, *right.blob(), true)) return;
  if (right.waited() && find(kernel)) return;
  TraceSpan span("compile", name(kernel));
  if (span) span.text("key", keys_[kernel].optimized.hash());
  compiler::CompileRequest request{
      set_.target_.info.language,         name(kernel), set_.sources_.kernels[kernel].source(),
      set_.target_.info.compiler_options, true,         options_.background};
  auto outcome = compiler_.compile(request, options_.stop);
  std::string why = outcome ? "" : outcome.error().message;
  bool optimized = outcome.has_value(), publish = true;
  const bool lies_here = !outcome && lies_in_the_kernel(outcome.error().reason);
  if (!outcome && (outcome.error().reason == Reason::cancelled || !options_.required)) {
    if (lies_here) put_into_quarantine(cache_, keys_[kernel].optimized, {Quarantine::Verdict::hopeless, why});
    return give_up(kernel, why);
  }
  if (!outcome && outcome.error().reason != Reason::no_compiler) {
    log_info("kernel '{}' is compiled again without optimization: {}", request.name, why);
    publish = lies_here;
    request.optimize = false;
    outcome = compiler_.compile(request, options_.stop);
  }
  if (outcome) {
    span.number("worker", outcome->worker);
    span.number("in_worker_us", static_cast<std::int64_t>(outcome->compile_seconds * 1e6));
    span.number("bytes", static_cast<std::int64_t>(outcome->binary.size()));
    log_debug("kernel '{}': {:.1f} ms in the compiler, {} bytes", request.name, outcome->compile_seconds * 1e3,
              outcome->binary.size());
    if (!outcome->diagnostics.empty()) log_info("kernel '{}': {}", request.name, outcome->diagnostics);
  }
  Status loaded = outcome ? load(kernel, outcome->binary) : Status{};
  if (!loaded) why = fmt::format("it was compiled and cannot be loaded: {}", loaded.error().message);
  bool good = outcome && loaded;
  if (!good && !options_.required) return give_up(kernel, why);
  if (good) set_.origins_[kernel] = KernelOrigin::compiled;
  if (!good) log_info("kernel '{}' runs in the reference interpreter: {}", request.name, why);
  {
    std::lock_guard lock(mutex_);
    ++(good ? set_.counts_.compiled : set_.counts_.failed);
    if (!good) failed_[kernel] = {.cause = why};
    if (good && !optimized) {
      unoptimized_[kernel] = {.cause = why};
      ++set_.counts_.unoptimized;
    }
  }
  if (!optimized && publish) {
    using Verdict = Quarantine::Verdict;
    const bool hopeless = !outcome && lies_in_the_kernel(outcome.error().reason);
    // A binary that this process cannot load may suit another.
    if (good || hopeless)
      put_into_quarantine(cache_, keys_[kernel].optimized, {good ? Verdict::unoptimized : Verdict::hopeless, why});
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

std::string KernelSet::Build::Fault::text() const {
  return is_remembered ? "it failed to compile within the last day and is not tried again yet: " + cause : cause;
}

void KernelSet::Build::warn() const {
  warn_about(failed_, "runs in the reference interpreter, which is right but slow");
  warn_about(unoptimized_, "is not optimized and may be slow");
}

/// One sentence for all of them: the first kernel's fault and how many there are. A cause is told once a process,
/// whether it was seen or is remembered.
void KernelSet::Build::warn_about(const Faults& faults, std::string_view what) const {
  if (faults.empty()) return;
  const auto& [kernel, fault] = *faults.begin();
  auto message = fmt::format("kernel '{}' {}: {}", name(kernel), what, fault.text());
  if (faults.size() > 1) message += fmt::format("; {} kernels in all (JITNEY_LOG=info names them)", faults.size());
  warn_once(fmt::format("{} {} {}", name(kernel), what, fault.cause), message);
}

}  // namespace jitney::runtime
