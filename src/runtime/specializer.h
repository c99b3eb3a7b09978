// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include <jitney/compile_status.h>

#include "runtime/calls_ahead.h"
#include "runtime/forms.h"

namespace jitney::runtime {

/// Gives the plans of one program kernels of their own: in the background, those first that ran most, or at once.
/// Kernels stay with their plan until others were used more lately than it, so that their number is bounded.
/// Thread-safe; made by make(), because jobs in the background hold it weakly.
class Specializer : public std::enable_shared_from_this<Specializer> {
 public:
  struct Options {
    std::size_t most_shapes = 64;  ///< that keep specialized kernels
    bool may_compile = true;       ///< else only what the cache has
    EngineBrings brings{};
  };
  Specializer(std::shared_ptr<const Program> program, Target target, compiler::Compiler& compiler, Options options);
  /// Drops what waits and stops what runs.
  ~Specializer();

  /// Kernels made from now on are looked up and kept here.
  void use_cache(std::shared_ptr<cache::RuntimeCache> cache);
  /// Forms made from now on have their library calls from there, which outlives what cancel() has stopped.
  void use_calls(CallsAhead* calls);
  /// Has it get ready for other shapes, in the background and soon: CallsAhead::rehearse().
  void rehearse(const Plan& plan);
  /// Asks for them in the background unless that happened before. Allocates only then.
  void request(const std::shared_ptr<const Plan>& plan);
  /// Makes them now, or waits until another thread has. progress: (done, total). An error is the environment's: they
  /// cannot be had and may not be compiled.
  /// `interrupted`: as in ContextOptions; then an error of the environment's as well, and the next call starts anew.
  Status make_now(const std::shared_ptr<const Plan>& plan, const std::function<void(int, int)>& progress,
                  const std::function<bool()>& interrupted = {});
  /// Whether nothing waited or ran any more before the time was over.
  bool wait(std::chrono::nanoseconds timeout);
  /// Forgets what waits and stops what runs; shapes that are used again are asked for again.
  void cancel();
  CompileStatus status() const;
  /// Of all specialized kernels that plans have now.
  std::vector<cache::Key> keys() const;
  /// Called after each change of status(), from the thread that made it. Must not throw.
  void on_change(std::function<void(const CompileStatus&)> callback);

 private:
  class Job;
  class Rehearsal;
  /// Null where the plan's own will do, or no others can be had.
  std::shared_ptr<const CallSet> calls_for(const Plan& plan, const std::stop_token& stop);
  // These two are about a plan in the state `making`, which is counted as running.
  void make_in_background(const std::shared_ptr<const Plan>& plan, const std::stop_token& stop);
  /// `made_with`: the cache that has the forms' kernels.
  void finish(const std::shared_ptr<const Plan>& plan, FormSlot::State to, std::shared_ptr<const Forms> forms,
              const std::shared_ptr<cache::RuntimeCache>& made_with = nullptr);
  void keep_few();
  void changed();
  /// Changes the status, and tells whoever waits or asked to be told.
  void change(const std::function<void(CompileStatus&)>& how);

  const std::shared_ptr<const Program> program_;
  const Target target_;
  compiler::Compiler& compiler_;
  const Options options_;

  mutable std::mutex mutex_;
  std::condition_variable condition_;
  std::shared_ptr<cache::RuntimeCache> cache_;
  CallsAhead* calls_ = nullptr;
  CompileStatus status_;
  std::vector<std::weak_ptr<const Plan>> specialized_;
  std::function<void(const CompileStatus&)> callback_;
};

}  // namespace jitney::runtime
