// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "util/background_queue.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <system_error>

#include "util/log.h"

namespace jitney {
namespace {

constexpr std::chrono::seconds kIdle{1};
// Jobs of all contexts of a process.
constexpr std::size_t kSharedCapacity = 1024;

}  // namespace

long BackgroundQueue::current_process() { return ::getpid(); }

bool BackgroundQueue::is_foreign() const { return current_process() != process_; }

BackgroundQueue::~BackgroundQueue() {
  if (is_foreign()) {
    // The thread is the parent's; joining it would wait for ever.
    thread_.detach();
    return;
  }
  close();
}

void BackgroundQueue::close() {
  std::vector<Entry> dropped;
  {
    const std::lock_guard lock(mutex_);
    is_closing_ = true;
    stop_.request_stop();
    dropped.swap(waiting_);
  }
  changed_.notify_all();
  for (auto& entry : dropped) entry.job->dropped();
  if (thread_.joinable()) thread_.join();
}

std::vector<BackgroundQueue::Entry>::iterator BackgroundQueue::best(bool least) {
  const auto less = [](const Entry& a, const Entry& b) { return a.job->priority() < b.job->priority(); };
  return least ? std::ranges::min_element(waiting_, less) : std::ranges::max_element(waiting_, less);
}

void BackgroundQueue::push(const void* owner, std::unique_ptr<BackgroundJob> job) {
  if (is_foreign()) return job->dropped();
  std::unique_ptr<BackgroundJob> dropped;
  {
    std::unique_lock lock(mutex_);
    if (is_closing_) {
      dropped = std::move(job);
    } else {
      waiting_.push_back({owner, std::move(job)});
      if (waiting_.size() > capacity_) {
        const auto last = best(/*least=*/true);
        dropped = std::move(last->job);
        waiting_.erase(last);
      }
      if (!is_working_) {
        // One that went idle has left its loop, and ends without the lock.
        if (thread_.joinable()) thread_.join();
        try {
          thread_ = std::thread([this] { work(); });
          is_working_ = true;
        } catch (const std::system_error& e) {
          log_info("nothing runs in the background, since the system grants no thread: {}", e.what());
          if (!dropped && !waiting_.empty()) {
            dropped = std::move(waiting_.back().job);
            waiting_.pop_back();
          }
        }
      }
    }
  }
  changed_.notify_all();
  if (dropped) dropped->dropped();
}

void BackgroundQueue::remove(const void* owner) {
  if (is_foreign()) return;
  std::vector<Entry> dropped;
  {
    std::unique_lock lock(mutex_);
    const auto others = std::stable_partition(waiting_.begin(), waiting_.end(),
                                              [&](const Entry& entry) { return entry.owner != owner; });
    std::move(others, waiting_.end(), std::back_inserter(dropped));
    waiting_.erase(others, waiting_.end());
    if (running_ == owner) stop_.request_stop();
    if (std::this_thread::get_id() != thread_.get_id()) changed_.wait(lock, [&] { return running_ != owner; });
  }
  for (auto& entry : dropped) entry.job->dropped();
}

void BackgroundQueue::work() {
  std::unique_lock lock(mutex_);
  while (!is_closing_) {
    if (waiting_.empty() && !changed_.wait_for(lock, kIdle, [&] { return is_closing_ || !waiting_.empty(); })) break;
    if (is_closing_) break;
    const auto next = best(/*least=*/false);
    Entry entry = std::move(*next);
    waiting_.erase(next);
    running_ = entry.owner;
    stop_ = std::stop_source();
    const auto stop = stop_.get_token();
    lock.unlock();
    entry.job->run(stop);
    entry.job.reset();
    lock.lock();
    running_ = nullptr;
    changed_.notify_all();
  }
  is_working_ = false;
}

BackgroundQueue& BackgroundQueue::shared() {
  // Never destroyed, because contexts in static storage may still use it at exit; but what runs is stopped then, while
  // everything that it uses is there.
  static BackgroundQueue* queue = [] {
    auto* made = new BackgroundQueue(kSharedCapacity);
    std::atexit([] {
      if (!shared().is_foreign()) shared().close();
    });
    return made;
  }();
  return *queue;
}

}  // namespace jitney
