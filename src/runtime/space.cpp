// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/space.h"

#include <algorithm>

#include "runtime/constants.h"

namespace jitney::runtime {
namespace {

// More streams than this at once share spaces, and then wait for each other on the device.
constexpr std::size_t kSpaces = 16;

}  // namespace

std::unique_ptr<Space> Spaces::take(const Where& where) {
  const std::lock_guard lock(mutex_);
  // The one used last is warmest.
  auto found = std::find_if(idle_.rbegin(), idle_.rend(), [&](const auto& s) { return s->last == where.identity; });
  if (found == idle_.rend())
    found = std::find_if(idle_.rbegin(), idle_.rend(), [](const auto& s) { return !s->is_pending; });
  if (found == idle_.rend() && count_ >= kSpaces && !idle_.empty()) found = std::prev(idle_.rend());
  if (found == idle_.rend()) {
    ++count_;
    return std::make_unique<Space>();
  }
  auto space = std::move(*found);
  idle_.erase(std::next(found).base());
  return space;
}

void Spaces::give_back(std::unique_ptr<Space> space) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(space));
}

Status Spaces::settle(Space& space) {
  auto& b = *target_.backend;
  if (!space.is_pending) return {};
  if (space.last == 0) {
    JITNEY_CHECK(b.synchronize(target_.device, space.own));
  } else {
    // The caller's stream may be gone; the event is ours.
    JITNEY_CHECK(b.wait(target_.device, stream_, space.done));
    JITNEY_CHECK(b.synchronize(target_.device, stream_));
  }
  space.is_pending = false;
  return {};
}

void Spaces::clear(Space& space) noexcept {
  auto& b = *target_.backend;
  (void)settle(space);
  if (space.arena != nullptr) b.free(target_.device, space.arena, space.arena_bytes, stream_);
  if (space.faults != nullptr) b.free_faults(target_.device, space.faults);
  b.destroy_event(target_.device, space.done);
  b.destroy_event(target_.device, space.begun);
  if (space.own != 0 && space.own != stream_) b.destroy_stream(target_.device, space.own);
  space = {};
}

void Spaces::clear() noexcept {
  const std::lock_guard lock(mutex_);
  for (auto& s : idle_) clear(*s);
  count_ -= idle_.size();
  idle_.clear();
}

Expected<backend::StreamHandle> Spaces::enter(Space& space, const Where& where) {
  auto& b = *target_.backend;
  backend::StreamHandle stream = where.stream;
  if (where.identity == 0) {
    if (space.own == 0) {
      if (target_.info.host_memory) {
        space.own = stream_;
      } else {
        JITNEY_TRY(space.own, b.create_stream(target_.device, options_));
      }
    }
    stream = space.own;
  }
  if (space.is_pending && space.last != where.identity) JITNEY_CHECK(b.wait(target_.device, stream, space.done));
  if (where.is_fenced) {
    JITNEY_TRY(space.begun, b.record(target_.device, where.stream, space.begun));
    JITNEY_CHECK(b.wait(target_.device, stream, space.begun));
  }
  if (fault_words_ > 0 && space.faults == nullptr) {
    JITNEY_TRY(space.faults, b.allocate_faults(target_.device, fault_words_));
  }
  return stream;
}

Status Spaces::leave(Space& space, const Where& where, backend::StreamHandle stream) {
  auto& b = *target_.backend;
  space.last = where.identity;
  if (where.waits) {
    space.is_pending = true;
    JITNEY_CHECK(b.synchronize(target_.device, stream));
    space.is_pending = false;
    return {};
  }
  auto done = b.record(target_.device, stream, space.done);
  if (!done) {
    // Without an event only waiting tells when the space is free.
    (void)b.synchronize(target_.device, stream);
    space.is_pending = false;
    return tl::unexpected(done.error());
  }
  space.done = *done;
  space.is_pending = true;
  if (where.is_fenced) {
    if (auto waits = b.wait(target_.device, where.stream, space.done); !waits) {
      (void)b.synchronize(target_.device, stream);
      space.is_pending = false;
      return waits;
    }
  }
  return {};
}

void Spaces::release(Space& space, backend::StreamHandle stream) noexcept {
  if (space.arena != nullptr) target_.backend->free(target_.device, space.arena, space.arena_bytes, stream);
  space.arena = nullptr;
  space.arena_bytes = 0;
}

Status Spaces::reserve(Space& space, std::size_t bytes, backend::StreamHandle stream) {
  if (space.arena_bytes >= bytes) return {};
  release(space, stream);
  JITNEY_TRY(space.arena, allocate_for("intermediate values", target_, bytes, stream));
  space.arena_bytes = bytes;
  return {};
}

}  // namespace jitney::runtime
