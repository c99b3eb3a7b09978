// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/module_table.h"

#include <dlfcn.h>
#include <link.h>

#include <string>
#include <utility>

#include "util/memfd.h"

namespace jitney::backend {
namespace {

static_assert(sizeof(KernelHandle) == 8, "handles pack three fields into 64 bits");

/// A handle: slot (20 bits), generation (16), offset of the function (28; 0 in a module's handle). The generation is
/// never 0, so no handle is.
struct Handle {
  std::uint32_t slot, generation, offset;
};
constexpr std::uint64_t kMaxOffset = (1u << 28) - 1;
constexpr std::uint32_t kGenerations = 1u << 16;

constexpr std::uint64_t pack(Handle h) {
  return std::uint64_t{h.slot} << 44 | std::uint64_t{h.generation} << 28 | h.offset;
}
constexpr Handle unpack(std::uint64_t bits) {
  return {static_cast<std::uint32_t>(bits >> 44), static_cast<std::uint32_t>(bits >> 28) % kGenerations,
          static_cast<std::uint32_t>(bits & kMaxOffset)};
}

constexpr std::uint64_t kClosing = 1u << 31;
constexpr std::uint64_t kUses = kClosing - 1;
constexpr std::uint32_t generation_of(std::uint64_t state) { return static_cast<std::uint32_t>(state >> 32); }
constexpr std::uint64_t idle_state(std::uint32_t generation) { return std::uint64_t{generation} << 32; }

std::string loader_message() {
  const char* text = dlerror();
  return text == nullptr ? "unknown" : text;
}

/// A path to the descriptor that was never used before. The loader takes a path that it has seen for the library it
/// opened then, although the descriptor's number has gone to another file since. So the path is padded with a serial
/// number, written in "/" for 0 and "./" for 1, which mean nothing in a path.
std::string unique_path(int fd) {
  static std::atomic<std::uint64_t> last_serial = 0;
  std::string path = "/proc/self/fd/";
  for (std::uint64_t serial = ++last_serial; serial != 0; serial >>= 1) path += (serial & 1) != 0 ? "./" : "/";
  return path + std::to_string(fd);
}

/// Kernels call the mathematical functions, and on old processors the conversions of half precision, without naming
/// a library. The process need not have them in its global scope: Python, for one, opens everything privately.
void provide_runtime_libraries() {
  static const bool done = [] {
    for (const char* name : {"libm.so.6", "libgcc_s.so.1"}) dlopen(name, RTLD_NOW | RTLD_GLOBAL);
    return true;
  }();
  static_cast<void>(done);
}

}  // namespace

ModuleTable::Slot* ModuleTable::slot(std::uint32_t index) const {
  if (index >= kBlockSize * kBlocks) return nullptr;
  Block* block = blocks_[index / kBlockSize].load(std::memory_order_acquire);
  return block == nullptr ? nullptr : &block->slots[index % kBlockSize];
}

Expected<std::uint32_t> ModuleTable::take_slot() {
  if (!free_slots_.empty()) {
    const std::uint32_t index = free_slots_.front();
    free_slots_.pop_front();
    return index;
  }
  if (slot_count_ == kBlockSize * kBlocks)
    return environment_error("{} kernels are loaded, more is not supported", slot_count_);
  if (slot_count_ % kBlockSize == 0) {
    auto* block = new Block;  // freed never, as the table
    for (auto& s : block->slots) s.state = idle_state(1);
    blocks_[slot_count_ / kBlockSize].store(block, std::memory_order_release);
  }
  return slot_count_++;
}

Expected<ModuleHandle> ModuleTable::load(std::span<const std::byte> binary) {
  provide_runtime_libraries();
  JITNEY_TRY(const auto file, make_memfd("jitney-kernel", binary));
  // The loader keeps its own mapping, so that the descriptor may go afterwards.
  void* library = dlopen(unique_path(file.get()).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return environment_error("cannot load a compiled kernel: {}", loader_message());
  link_map* map = nullptr;
  if (dlinfo(library, RTLD_DI_LINKMAP, static_cast<void*>(&map)) != 0) {
    dlclose(library);
    return environment_error("cannot tell where a compiled kernel was loaded: {}", loader_message());
  }

  std::lock_guard lock(mutex_);
  const auto index = take_slot();
  if (!index) {
    dlclose(library);
    return tl::unexpected(index.error());
  }
  Slot& s = *slot(*index);
  s.library = library;
  // l_addr is an address as a number.
  s.base.store(reinterpret_cast<char*>(map->l_addr), std::memory_order_release);  // NOLINT(performance-no-int-to-ptr)
  return pack({*index, generation_of(s.state.load()), 0});
}

bool ModuleTable::acquire(std::uint32_t index, std::uint32_t generation) {
  Slot* s = slot(index);
  if (s == nullptr) return false;
  const std::uint64_t before = s->state.fetch_add(1);
  if (generation_of(before) == generation && (before & kClosing) == 0 && s->base.load() != nullptr) return true;
  release(index);
  return false;
}

void ModuleTable::release(std::uint32_t index) noexcept {
  const std::uint64_t before = slot(index)->state.fetch_sub(1);
  if ((before & kUses) == 1 && (before & kClosing) != 0) close_if_unused(index);
}

void ModuleTable::close_if_unused(std::uint32_t index) noexcept {
  Slot& s = *slot(index);
  void* library = nullptr;
  {
    std::lock_guard lock(mutex_);
    const std::uint32_t generation = generation_of(s.state.load());
    std::uint64_t closable = idle_state(generation) | kClosing;
    const std::uint32_t next = generation + 1 == kGenerations ? 1 : generation + 1;
    // Somebody who holds a stale handle may count a use for a moment; they come here after taking it back.
    if (!s.state.compare_exchange_strong(closable, idle_state(next))) return;
    library = std::exchange(s.library, nullptr);
    s.base.store(nullptr);
    free_slots_.push_back(index);
  }
  dlclose(library);
}

void ModuleTable::unload(ModuleHandle module) noexcept {
  const Handle h = unpack(module);
  if (!acquire(h.slot, h.generation)) return;
  slot(h.slot)->state.fetch_or(kClosing);
  release(h.slot);
}

Expected<KernelHandle> ModuleTable::find(ModuleHandle module, const char* symbol) {
  const Handle h = unpack(module);
  if (!acquire(h.slot, h.generation)) return internal_error("a kernel was asked of a module that is not loaded");
  const Use held(this, h.slot, nullptr);
  void* library = nullptr;
  {
    std::lock_guard lock(mutex_);
    library = slot(h.slot)->library;
  }
  auto* address = static_cast<char*>(dlsym(library, symbol));
  if (address == nullptr) return internal_error("a compiled module defines no kernel '{}'", symbol);
  const auto offset = static_cast<std::uint64_t>(address - slot(h.slot)->base.load());
  // Names of other libraries are found too; they are no kernels of this one, and lie far away.
  if (offset > kMaxOffset) return internal_error("'{}' is not inside the compiled module", symbol);
  return pack({h.slot, h.generation, static_cast<std::uint32_t>(offset)});
}

Expected<ModuleTable::Use> ModuleTable::use(KernelHandle kernel) {
  const Handle h = unpack(kernel);
  if (h.offset == 0 || !acquire(h.slot, h.generation)) {
    return internal_error("a kernel was launched that is not loaded");
  }
  return Use(this, h.slot, reinterpret_cast<KernelFunction>(slot(h.slot)->base.load() + h.offset));
}

ModuleTable::Use::Use(Use&& other) noexcept
    : table_(std::exchange(other.table_, nullptr)), slot_(other.slot_), function_(other.function_) {}

ModuleTable::Use::~Use() {
  if (table_ != nullptr) table_->release(slot_);
}

}  // namespace jitney::backend
