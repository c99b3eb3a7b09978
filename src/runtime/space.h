// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "runtime/target.h"

namespace jitney::runtime {

class Forms;
class Interrupt;

/// Where a run is to happen, resolved once at its start.
struct Where {
  backend::StreamHandle stream = 0;  ///< the caller's
  std::uint64_t identity = 0;        ///< of the stream that the work is on; 0: a space's own
  bool is_fenced = false;            ///< on a space's own stream, between events on the caller's
  bool is_captured = false;          ///< the caller's stream is being captured
  bool waits = true;                 ///< done when the call returns
};

/// Memory of one run, used by one run at a time: intermediate values, and tables that launching fills. Once a run was
/// enqueued the space may be used again: in the order of the same stream, or on another that waits for `done`.
struct Space {
  void* arena = nullptr;
  std::size_t arena_bytes = 0;
  void* scratch = nullptr;  ///< in the arena, behind the plan's buffers
  std::vector<void*> pointers, operands;
  std::vector<double>* seconds = nullptr;
  Interrupt* interrupt = nullptr;      ///< of the run that uses it
  std::int32_t* faults = nullptr;      ///< shared with the device, one a step that reads at indices; null: nobody looks
  std::shared_ptr<const Forms> forms;  ///< the plan's own kernels, held while they run; or none
  backend::StreamHandle own = 0;       ///< a stream for runs that are on none of the caller's; made when needed
  std::uint64_t last = 0;              ///< the stream that it ran on last, as in Where
  bool is_pending = false;             ///< nobody has waited for that
  backend::EventHandle done = 0;       ///< recorded at its end
  backend::EventHandle begun = 0;      ///< of the caller's stream, where fenced
};

/// The spaces of one executor and what is done with them on a device. Thread-safe.
class Spaces {
 public:
  /// `fault_words`: of each space. `stream`: of the executor; on host memory it is every space's own.
  Spaces(Target target, backend::StreamOptions options, std::size_t fault_words)
      : target_(std::move(target)), options_(options), fault_words_(fault_words) {}
  Spaces(const Spaces&) = delete;
  Spaces& operator=(const Spaces&) = delete;

  void set_stream(backend::StreamHandle stream) { stream_ = stream; }
  /// One that ran on the same stream last, else one that nobody waits for, else a new one, or when there are many, the
  /// one that was used least recently.
  std::unique_ptr<Space> take(const Where& where);
  void give_back(std::unique_ptr<Space> space);
  /// Waits until nothing uses the space and frees what it has. The space may then be used anew.
  void clear(Space& space) noexcept;
  /// All that were given back.
  void clear() noexcept;

  /// The stream to launch on, which from here on runs behind the space's last use and, where fenced, behind what the
  /// caller's stream holds. Makes fault words.
  Expected<backend::StreamHandle> enter(Space& space, const Where& where);
  /// Ends what enter() began, also when launching failed: waits, or leaves events behind.
  Status leave(Space& space, const Where& where, backend::StreamHandle stream);
  /// At least so much, in the order of `stream`.
  Status reserve(Space& space, std::size_t bytes, backend::StreamHandle stream);
  /// Gives the arena back, in the order of `stream`.
  void release(Space& space, backend::StreamHandle stream) noexcept;
  /// Waits until nothing uses the space.
  Status settle(Space& space);
  /// Calls `f(space)` for each that was given back.
  template <class F>
  void for_each(F f) {
    const std::lock_guard lock(mutex_);
    for (auto& s : idle_) f(*s);
  }

 private:
  const Target target_;
  const backend::StreamOptions options_;
  const std::size_t fault_words_;
  backend::StreamHandle stream_ = 0;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Space>> idle_;  ///< the least recently used first
  std::size_t count_ = 0;                     ///< those that are out, too
};

}  // namespace jitney::runtime
