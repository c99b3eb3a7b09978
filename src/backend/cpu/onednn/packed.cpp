// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/onednn/packed.h"

#include "backend/cpu/onednn/recipe.h"

namespace jitney::backend::onednn {
namespace {

Expected<Memory> make_memory(const_dnnl_memory_desc_t desc, void* data) {
  dnnl_memory_t raw = nullptr;
  JITNEY_CHECK(check(api().memory_create(&raw, desc, engine(), data), "memory object"));
  return Memory(raw);
}

Status change_layout(const void* from_data, const_dnnl_memory_desc_t from, void* to_data, const_dnnl_memory_desc_t to) {
  // It runs once, so that its scratchpad is the library's own business.
  dnnl_primitive_desc_t raw_desc = nullptr;
  JITNEY_CHECK(check(api().reorder_primitive_desc_create(&raw_desc, from, engine(), to, engine(), nullptr),
                     "layout of weights"));
  const Description description(raw_desc);
  dnnl_primitive_t raw = nullptr;
  JITNEY_CHECK(check(api().primitive_create(&raw, raw_desc), "layout of weights"));
  const Compiled compiled(raw);
  JITNEY_TRY(const auto source, make_memory(from, const_cast<void*>(from_data)));
  JITNEY_TRY(const auto target, make_memory(to, to_data));
  dnnl_stream_t raw_stream = nullptr;
  JITNEY_CHECK(check(api().stream_create(&raw_stream, engine(), dnnl_stream_default_flags), "stream"));
  const Stream stream(raw_stream);
  const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, source.get()}, {DNNL_ARG_TO, target.get()}};
  return check(api().primitive_execute(raw, raw_stream, 2, arguments), "layout of weights");
}

}  // namespace

Expected<std::shared_ptr<Packed>> Packed::make(HostMemory& memory, MemoryDesc desc) {
  const std::size_t bytes = api().memory_desc_get_size(desc.get());
  JITNEY_TRY(void* data, memory.allocate(bytes));
  return std::make_shared<Packed>(memory, std::move(desc), data, bytes);
}

Expected<std::shared_ptr<const Packed>> PackedTable::get(HostMemory& memory, std::string_view content, const void* data,
                                                         const_dnnl_memory_desc_t from, const_dnnl_memory_desc_t to) {
  // Under the lock: two threads that want the same weights must not pack them twice.
  std::unique_lock lock(mutex_, std::defer_lock);
  if (!content.empty()) {
    lock.lock();
    std::erase_if(entries_, [](const Entry& e) { return e.packed.expired(); });
    for (const auto& e : entries_) {
      if (e.content != content) continue;
      if (auto packed = e.packed.lock(); packed && api().memory_desc_equal(packed->desc(), to) != 0) return packed;
    }
  }
  JITNEY_TRY(auto packed, Packed::make(memory, clone(to)));
  JITNEY_CHECK(change_layout(data, from, packed->data(), to));
  if (!content.empty()) entries_.push_back({std::string(content), packed});
  return std::shared_ptr<const Packed>(std::move(packed));
}

}  // namespace jitney::backend::onednn
