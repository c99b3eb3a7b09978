// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/specializer.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "runtime/interrupt.h"
#include "runtime/pace.h"
#include "util/background_queue.h"
#include "util/log.h"
#include "util/trace.h"

namespace jitney::runtime {

using State = FormSlot::State;

namespace {

/// An arrow leads from here to the first run that uses what is made.
void describe(TraceSpan& span, const Plan& plan) {
  if (!span) return;
  std::string shapes;
  for (const auto& shape : plan.input_shapes) shapes += fmt::format("[{}]", fmt::join(shape, ","));
  span.text("shapes", shapes);
  span.begin_flow(reinterpret_cast<std::uintptr_t>(&plan));
}

}  // namespace

/// One plan's kernels. Holds neither the plan nor the specializer: what nobody uses any more is not compiled.
class Specializer::Job final : public BackgroundJob {
 public:
  Job(std::weak_ptr<Specializer> owner, std::weak_ptr<const Plan> plan)
      : owner_(std::move(owner)), plan_(std::move(plan)) {}

  std::uint64_t priority() const override {
    const auto plan = plan_.lock();
    return plan ? plan->uses.load(std::memory_order_relaxed) : 0;
  }
  void run(std::stop_token stop) override {
    if (const auto owner = owner_.lock()) {
      const auto plan = plan_.lock();
      const bool is_mine = plan && plan->forms.move(State::waiting, State::making);
      {
        const std::lock_guard lock(owner->mutex_);
        --owner->status_.waiting;
        owner->status_.running += is_mine;
      }
      if (is_mine) owner->make_in_background(plan, stop);
      owner->changed();
    }
  }
  void dropped() override {
    const auto owner = owner_.lock();
    const auto plan = plan_.lock();
    if (plan) plan->forms.move(State::waiting, State::none);
    if (!owner) return;
    owner->change([](CompileStatus& status) {
      --status.waiting;
      ++status.dropped;
    });
  }

 private:
  std::weak_ptr<Specializer> owner_;
  std::weak_ptr<const Plan> plan_;
};

/// Before any shape's kernels: those that come next gain by it. Holds the specializer weakly, as jobs do.
class Specializer::Rehearsal final : public BackgroundJob {
 public:
  Rehearsal(std::weak_ptr<Specializer> owner, std::weak_ptr<const Plan> plan)
      : owner_(std::move(owner)), plan_(std::move(plan)) {}
  std::uint64_t priority() const override { return UINT64_MAX; }
  void run(std::stop_token stop) override {
    const auto owner = owner_.lock();
    if (!owner) return;
    CallsAhead* calls = nullptr;
    {
      const std::lock_guard lock(owner->mutex_);
      calls = owner->calls_;
      --owner->status_.waiting;
      ++owner->status_.running;
    }
    if (const auto plan = plan_.lock(); plan && calls) {
      const TraceSpan span("plan", "library calls of other shapes");
      calls->rehearse(*plan, stop);
    }
    owner->change([](CompileStatus& status) { --status.running; });
  }
  void dropped() override {
    if (const auto owner = owner_.lock()) owner->change([](CompileStatus& status) { --status.waiting; });
  }

 private:
  std::weak_ptr<Specializer> owner_;
  std::weak_ptr<const Plan> plan_;
};

Specializer::Specializer(std::shared_ptr<const Program> program, Target target, compiler::Compiler& compiler,
                         Options options)
    : program_(std::move(program)), target_(std::move(target)), compiler_(compiler), options_(std::move(options)) {}

Specializer::~Specializer() { BackgroundQueue::shared().remove(this); }

void Specializer::use_cache(std::shared_ptr<cache::RuntimeCache> cache) {
  const std::lock_guard lock(mutex_);
  cache_ = std::move(cache);
}

void Specializer::use_calls(CallsAhead* calls) {
  const std::lock_guard lock(mutex_);
  calls_ = calls;
}

void Specializer::rehearse(const Plan& plan) {
  {
    const std::lock_guard lock(mutex_);
    ++status_.waiting;
  }
  BackgroundQueue::shared().push(this, std::make_unique<Rehearsal>(weak_from_this(), plan.weak_from_this()));
}

std::shared_ptr<const CallSet> Specializer::calls_for(const Plan& plan, const std::stop_token& stop) {
  CallsAhead* calls = nullptr;
  {
    const std::lock_guard lock(mutex_);
    calls = calls_;
  }
  if (calls == nullptr) return nullptr;
  auto better = calls->better_calls(plan, stop);
  if (better) return std::move(*better);
  log_info("a shape keeps its library calls: {}", better.error().message);
  return nullptr;
}

void Specializer::request(const std::shared_ptr<const Plan>& plan) {
  if (!plan->forms.move(State::none, State::waiting)) return;
  change([](CompileStatus& status) { ++status.waiting; });
  BackgroundQueue::shared().push(this, std::make_unique<Job>(weak_from_this(), plan));
}

Status Specializer::make_now(const std::shared_ptr<const Plan>& plan, const std::function<void(int, int)>& progress,
                             const std::function<bool()>& interrupted) {
  for (;;) {
    const State state = plan->forms.state();
    if (state == State::ready || state == State::failed) return {};
    // A job that waits finds it taken and does nothing.
    if (plan->forms.move(State::none, State::making) || plan->forms.move(State::waiting, State::making)) break;
    const Pace::Urgency urgent(Pace::of_process());  // whoever makes it
    std::unique_lock lock(mutex_);
    const auto is_done = [&] { return plan->forms.state() != State::making; };
    if (!interrupted) condition_.wait(lock, is_done);
    while (!condition_.wait_for(lock, kInterruptPeriod, is_done)) {
      lock.unlock();
      if (interrupted()) return interrupted_failure();
      lock.lock();
    }
  }
  std::shared_ptr<cache::RuntimeCache> cache;
  {
    const std::lock_guard lock(mutex_);
    ++status_.running;
    cache = cache_;
  }
  TraceSpan span("specialize", "while a caller waits");
  describe(span, *plan);
  Expected<std::shared_ptr<const Forms>> forms = nullptr;
  const Pace::Urgency urgent(Pace::of_process());
  const bool given_up = run_interruptibly(interrupted, [&](std::stop_token stop) {
    const auto calls = calls_for(*plan, stop);
    forms = Forms::make(*program_, target_, *plan, *cache, compiler_,
                        {.progress = progress,
                         .stop = std::move(stop),
                         .may_compile = options_.may_compile,
                         .brings = options_.brings,
                         .required = false},
                        calls);
  });
  if (given_up) {
    finish(plan, State::none, nullptr);
    return interrupted_failure();
  }
  if (!forms) {
    finish(plan, State::failed, nullptr);
    return tl::unexpected(forms.error());
  }
  const bool is_complete = (*forms)->is_complete();
  finish(plan, State::ready, std::move(*forms), cache);
  if (!is_complete && !options_.may_compile)
    return environment_error(
        "kernels of this shape would have to be compiled, and JITNEY_NO_COMPILE=error forbids it: 'jitney warm' "
        "compiles them ahead");
  return {};
}

void Specializer::make_in_background(const std::shared_ptr<const Plan>& plan, const std::stop_token& stop) {
  std::shared_ptr<cache::RuntimeCache> cache;
  {
    const std::lock_guard lock(mutex_);
    status_.kernels_done = status_.kernels_total = 0;
    cache = cache_;
  }
  const auto progress = [this](int done, int total) {
    change([&](CompileStatus& status) {
      status.kernels_done = done;
      status.kernels_total = total;
    });
  };
  TraceSpan span("specialize", "in the background");
  describe(span, *plan);
  auto forms = Forms::make(*program_, target_, *plan, *cache, compiler_,
                           {.progress = progress,
                            .background = true,
                            .stop = stop,
                            .may_compile = options_.may_compile,
                            .brings = options_.brings,
                            .required = false},
                           calls_for(*plan, stop));
  if (!forms) log_info("a shape keeps its generic kernels: {}", forms.error().message);
  if (stop.stop_requested() && forms && !(*forms)->is_complete())
    finish(plan, State::none, nullptr);
  else if (!forms)
    finish(plan, State::failed, nullptr);
  else
    finish(plan, State::ready, std::move(*forms), cache);
}

void Specializer::finish(const std::shared_ptr<const Plan>& plan, State to, std::shared_ptr<const Forms> forms,
                         const std::shared_ptr<cache::RuntimeCache>& made_with) {
  {
    std::unique_lock lock(mutex_);
    // A cache that came meanwhile was given what there was then, and gets these before anybody sees them.
    for (auto known = made_with; forms && known && cache_ != known;) {
      known = cache_;
      lock.unlock();
      for (const auto& key : forms->keys())
        if (const auto blob = made_with->lookup(key)) known->publish(key, **blob);
      lock.lock();
    }
    --status_.running;
    if (forms) {
      const auto& counts = forms->counts();
      status_.compiled += static_cast<std::uint64_t>(counts.compiled);
      status_.from_cache += static_cast<std::uint64_t>(counts.from_cache);
      status_.precompiled += static_cast<std::uint64_t>(counts.precompiled);
      status_.seconds += counts.seconds;
      status_.failed += counts.failed > 0;
      ++status_.specialized;
      specialized_.push_back(plan);
    } else {
      status_.failed += to == State::failed;
      status_.dropped += to == State::none;
    }
    // Under the lock: whoever waits for another thread's result looks at the state with it.
    if (forms)
      plan->forms.put(std::move(forms));
    else
      plan->forms.move(State::making, to);
  }
  keep_few();
  changed();
}

void Specializer::keep_few() {
  std::vector<std::shared_ptr<const Forms>> gone;  // unloaded without the lock
  const std::lock_guard lock(mutex_);
  std::erase_if(specialized_, [](const auto& p) {
    const auto plan = p.lock();
    return !plan || plan->forms.state() != State::ready;
  });
  while (specialized_.size() > options_.most_shapes) {
    const auto last_used = [](const auto& p) {
      const auto plan = p.lock();
      return plan ? plan->last_used.load(std::memory_order_relaxed) : 0;
    };
    // Not the last one, which was just made.
    const auto oldest = std::min_element(specialized_.begin(), specialized_.end() - 1,
                                         [&](const auto& a, const auto& b) { return last_used(a) < last_used(b); });
    if (const auto plan = oldest->lock()) {
      gone.push_back(plan->forms.drop());
      // It gets them again once it has come as often again: else more shapes than are kept drive each other out for
      // ever.
      plan->worth_from.store(2 * plan->uses.load(std::memory_order_relaxed), std::memory_order_relaxed);
    }
    specialized_.erase(oldest);
    ++status_.evicted;
  }
  status_.shapes = static_cast<int>(specialized_.size());
}

bool Specializer::wait(std::chrono::nanoseconds timeout) {
  const Pace::Urgency urgent(Pace::of_process());
  std::unique_lock lock(mutex_);
  return condition_.wait_for(lock, timeout, [&] { return status_.is_idle(); });
}

void Specializer::cancel() { BackgroundQueue::shared().remove(this); }

CompileStatus Specializer::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

std::vector<cache::Key> Specializer::keys() const {
  std::vector<cache::Key> all;
  const std::lock_guard lock(mutex_);
  for (const auto& weak : specialized_)
    if (const auto plan = weak.lock())
      if (const auto forms = plan->forms.get()) all.insert(all.end(), forms->keys().begin(), forms->keys().end());
  return all;
}

void Specializer::on_change(std::function<void(const CompileStatus&)> callback) {
  const std::lock_guard lock(mutex_);
  callback_ = std::move(callback);
}

void Specializer::change(const std::function<void(CompileStatus&)>& how) {
  {
    const std::lock_guard lock(mutex_);
    how(status_);
  }
  changed();
}

void Specializer::changed() {
  std::function<void(const CompileStatus&)> callback;
  CompileStatus status;
  {
    const std::lock_guard lock(mutex_);
    callback = callback_;
    status = status_;
  }
  condition_.notify_all();
  if (callback) callback(status);
}

}  // namespace jitney::runtime
