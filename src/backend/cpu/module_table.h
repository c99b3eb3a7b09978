// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <span>

#include "backend/backend.h"
#include "backend/cpu/kernel_abi.h"

namespace jitney::backend {

/// The shared objects that kernels came in. Handles are checked, never followed: a handle of a module that was
/// unloaded gives an error, not a crash, and code stays mapped while a launch is inside it. Using a kernel takes no
/// lock. Thread-safe.
class ModuleTable {
 public:
  /// Maps a private, sealed copy of the shared object. Error(environment) when the loader refuses it.
  Expected<ModuleHandle> load(std::span<const std::byte> binary);
  /// Makes the module's handles stale. Closes it now, or when the last Use of it ends.
  void unload(ModuleHandle module) noexcept;
  /// Error(internal) for a stale module or a name that it does not export.
  Expected<KernelHandle> find(ModuleHandle module, const char* symbol);

  /// Keeps a kernel's module mapped while it lives.
  class Use {
   public:
    Use(Use&& other) noexcept;
    ~Use();
    KernelFunction function() const { return function_; }

   private:
    friend ModuleTable;
    Use(ModuleTable* table, std::uint32_t slot, KernelFunction function)
        : table_(table), slot_(slot), function_(function) {}
    ModuleTable* table_;
    std::uint32_t slot_;
    KernelFunction function_;
  };
  /// Error(internal) for a stale kernel.
  Expected<Use> use(KernelHandle kernel);

 private:
  /// state: generation (32 bits), closing (1), uses (31). The generation changes when the module is closed, so that
  /// handles of what was in the slot before do not fit what is in it now.
  struct Slot {
    std::atomic<std::uint64_t> state{0};
    std::atomic<char*> base{nullptr};  ///< where the module is mapped; kernels are offsets from it
    void* library = nullptr;           ///< of dlopen; guarded by mutex_
  };
  // Slots lie in blocks that are never moved or freed, so that use() can read them without a lock.
  static constexpr std::uint32_t kBlockSize = 1024, kBlocks = 1024;
  struct Block {
    std::array<Slot, kBlockSize> slots;
  };

  Slot* slot(std::uint32_t index) const;
  Expected<std::uint32_t> take_slot();
  /// Counts a use of the slot if it still holds that generation.
  bool acquire(std::uint32_t index, std::uint32_t generation);
  void release(std::uint32_t index) noexcept;
  void close_if_unused(std::uint32_t index) noexcept;

  std::mutex mutex_;
  std::array<std::atomic<Block*>, kBlocks> blocks_{};
  std::uint32_t slot_count_ = 0;
  std::deque<std::uint32_t> free_slots_;  ///< oldest first: a slot's generations last longest that way
};

}  // namespace jitney::backend
