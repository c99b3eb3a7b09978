// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "compiler/pool.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <system_error>

namespace jitney::compiler {

using namespace std::chrono_literals;

Pool::Pool(WorkerProcess::Options worker, int max_workers)
    : worker_(std::move(worker)),
      max_workers_(std::max(1, max_workers)),
      owner_(::getpid()),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Pool::~Pool() {
  end_.request_stop();
  std::unique_lock lock(mutex_);
  changed_.notify_all();
  changed_.wait(lock, [&] { return busy_ == 0; });
  lock.unlock();
  wake_janitor();
  if (janitor_.joinable()) janitor_.join();
  for (const auto& worker : idle_) worker->kill();  // all at once; the vectors' ends then wait for each
}

Pool::Slot::~Slot() {
  if (!pool_) return;
  std::lock_guard lock(pool_->mutex_);
  --pool_->busy_;
  pool_->changed_.notify_all();
}

std::optional<Pool::Slot> Pool::acquire(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  auto ended = [&] { return end_.stop_requested(); };
  bool ready = changed_.wait(lock, stop, [&] { return busy_ < max_workers_ || ended(); });
  if (!ready || ended() || stop.stop_requested()) return std::nullopt;
  ++busy_;
  return Slot(this);
}

std::unique_ptr<WorkerProcess> Pool::take_idle(bool background) {
  std::vector<std::unique_ptr<WorkerProcess>> ended;  // waited for without the lock
  std::lock_guard lock(mutex_);
  for (std::size_t i = idle_.size(); i-- > 0;) {
    if (idle_[i]->background() != background) continue;
    auto worker = std::move(idle_[i]);
    idle_.erase(idle_.begin() + static_cast<std::ptrdiff_t>(i));
    if (worker->rests()) return worker;
    ended.push_back(std::move(worker));
  }
  return nullptr;
}

WorkerProcess::Outcome<std::unique_ptr<WorkerProcess>> Pool::start_worker(bool background) {
  ++started_;
  auto options = worker_;
  options.background = background;
  return WorkerProcess::start(options);
}

void Pool::keep(std::unique_ptr<WorkerProcess> worker) {
  std::lock_guard lock(mutex_);
  idle_.push_back(std::move(worker));
  start_janitor();
}

void Pool::bury(std::unique_ptr<WorkerProcess> worker) {
  worker->kill();
  if (worker->reap(20ms)) return;
  std::lock_guard lock(mutex_);
  dying_.push_back(std::move(worker));
  start_janitor();
}

void Pool::start_janitor() {
  if (!janitor_.joinable()) {
    // The application's signals are for its own threads.
    sigset_t all, before;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      janitor_ = std::thread([this] { watch(); });
    } catch (const std::system_error&) {
      // Without it an ended worker stays a zombie until the next compile.
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  wake_janitor();
}

void Pool::wake_janitor() const {
  std::uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);
}

void Pool::watch() {
  while (!end_.stop_requested()) {
    std::vector<pollfd> fds{{wake_.get(), POLLIN, 0}};
    std::vector<std::unique_ptr<WorkerProcess>> ended;
    int timeout = -1;
    {
      std::lock_guard lock(mutex_);
      std::uint64_t count;
      (void)!::read(wake_.get(), &count, sizeof count);
      auto sort_out = [&](auto& workers, auto&& is_over) {
        auto over = std::stable_partition(workers.begin(), workers.end(), [&](auto& w) { return !is_over(*w); });
        std::move(over, workers.end(), std::back_inserter(ended));
        workers.erase(over, workers.end());
      };
      sort_out(idle_, [](WorkerProcess& w) { return !w.rests(); });
      sort_out(dying_, [](WorkerProcess& w) { return w.reap(0ms); });
      for (const auto& w : idle_) fds.push_back({w->socket(), POLLIN, 0});
      for (const auto& w : dying_) {
        fds.push_back({w->death_fd(), POLLIN, 0});
        if (w->death_fd() < 0) timeout = 10;
      }
    }
    ended.clear();
    // A worker taken meanwhile may close its descriptor, and another file get its number: then this wakes early.
    ::poll(fds.data(), fds.size(), timeout);
  }
}

}  // namespace jitney::compiler
